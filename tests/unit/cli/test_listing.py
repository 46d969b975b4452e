from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from headrace.cli import listing
from headrace.cli.asking import Refused
from headrace.errors import NotFound

ID, OTHER = "AbCdEfGhIjKl", "ZbCdEfGhIjKl"


class Api:
    """Answers about these jobs, by id and name; a page has at most `page` of them."""

    is_local = False

    def __init__(self, **jobs: str) -> None:
        self.jobs = jobs

    def __call__(self, method: str, target: str, body: object = None, /) -> Any:
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        _, _, rest = parts.path.partition("/api/v1/jobs")
        if not rest:
            found = [{"jobId": id_, "name": name} for id_, name in self.jobs.items() if query.get("name", "") in name]
            if query.get("status"):
                found = []
            first = int(query["page"]) * int(query["limit"])
            return {"list": found[first : first + int(query["limit"])], "count": len(found)}
        if rest.removeprefix("/") in self.jobs:
            return {"jobId": rest.removeprefix("/")}
        raise Refused("no", code="resource-not-found/JOB", status=404)


def test_a_job_is_found_by_its_id_and_by_its_whole_name() -> None:
    api = Api(**{ID: "nightly", OTHER: "nightly-2"})
    assert listing.id_of(api, ID) == ID
    assert listing.id_of(api, "nightly") == ID
    with pytest.raises(NotFound, match="night"):
        listing.id_of(api, "night")


def test_a_name_that_looks_like_an_id_is_found_too() -> None:
    assert listing.id_of(Api(**{ID: "twelveSigns1"}), "twelveSigns1") == ID


def test_a_list_is_read_page_after_page() -> None:
    many = {f"{number:012}": f"job-{number}" for number in range(2500)}
    assert len(listing.jobs(Api(**many))) == 2500
