"""`headrace stats`, of a server and of the database on this machine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command import Place
from tests.support.serving import served
from tests.support.work import copying


@contextmanager
def asked(place: Place, kind: str) -> Iterator[Mapping[str, str]]:
    if kind == "the database":
        yield {}
        return
    with served(place) as server:
        yield server.environment()


@pytest.mark.parametrize("kind", ["a server", "the database"])
def test_what_was_run_is_told_by_jobs_and_by_days(tmp_path: Path, kind: str) -> None:
    place = Place.made(tmp_path)
    with asked(place, kind) as env:
        assert place.call("stats", "jobs", **env).out == "nothing was executed\n"
        place.call("jobs", "create", place.job(*copying(), name="nightly"), **env)
        assert place.call("jobs", "run", "nightly", **env).code == 0
        (told,) = place.call("stats", "jobs", "--json", **env).json
        counts = [told[name] for name in ("jobName", "totalCount", "completedCount", "rowsRead", "rowsWritten")]
        assert counts == ["nightly", 1, 1, 2, 2]
        assert 0 < told["runningTime"]["p50"] < 60
        (line,) = [line for line in place.call("stats", "jobs", **env).out.splitlines() if "nightly" in line]
        assert line.split()[2:6] == ["1", "1", "0", "0"]
        by_days = place.call("stats", "job", "nightly", "--days", "2", "--json", **env).json
        assert sum(day["totalCount"] for day in by_days["result"]) == by_days["totalCount"] == 1
        shown = place.call("stats", "job", "nightly", "--hourly", "--days", "2", **env).out.splitlines()
        assert len(shown) == 4
        assert shown[3].split()[:2] == ["all", "1"]
        assert "1 execution: 1 completed, 0 failed" in place.call("stats", "days", **env).out


def test_a_period_or_a_job_that_can_not_be_is_refused(tmp_path: Path) -> None:
    place = Place.made(tmp_path)
    wrong = place.call("stats", "jobs", "--from", "yesterday")
    assert (wrong.code, "startDate" in wrong.err) == (2, True)
    assert place.call("stats", "job", "nothing").error == "there is no job 'nothing'"
