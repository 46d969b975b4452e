"""The disk under the server is full, or can't be written: it says so, loses nothing, and goes on by itself."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.command import OLD, Place
from tests.support.jobs import source, target
from tests.support.mounts import fill, read_only, small
from tests.support.serving import Served, served
from tests.support.waiting import until
from tests.support.work import copying

pytestmark = [pytest.mark.fault, pytest.mark.services]

ROWS = b"id,name\n1,a\n2,b\n"
FULL = "There is no room left where the server's database lies; nothing was kept."


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A data folder with little room."""
    with small(tmp_path / "data", "12m") as folder:
        yield Place.made(folder)


def ready(server: Served) -> tuple[int, str]:
    answer = httpx.get(f"{server.url}/readyz")
    return answer.status_code, answer.json().get("reason", "")


def test_a_full_disk_is_told_and_what_was_accepted_is_done_when_there_is_room(place: Place) -> None:
    with served(place) as server:
        appends = [source(), target(prefix="more", updateType="APPEND")]
        job_id, executions = server.made(appends), []
        target_of = f"/api/v1/jobs/{job_id}/executions"
        for _ in range(5):
            executions.append(server.executed(job_id))
        filler = fill(place.root)
        refused = server.ask("POST", target_of, {})
        assert (refused.status_code, refused.json()["error"]) == (
            503,
            {"errorCode": "500", "message": "Endpoint Error", "details": FULL},
        )
        assert (ready(server), server.ask("GET", target_of).status_code) == ((503, "store-full"), 200)
        filler.unlink()
        until(lambda: ready(server) == (200, ""))
        executions.append(server.executed(job_id))
        ends = [server.wait(job_id, each) for each in executions]
        # A run that found no room itself has failed, and says so; it was asked for no other try.
        codes = [(server.execution(job_id, each).get("failure") or {}).get("code") for each in executions]
        assert [end for end, code in zip(ends, codes, strict=True) if code not in ("store-full", "store-failed")] == [
            "COMPLETED" for code in codes if code not in ("store-full", "store-failed")
        ]
        assert ends[-1] == "COMPLETED"
        assert list(place.left("more").values()) == [ROWS] * ends.count("COMPLETED")
        assert server.ask("GET", target_of).json()["count"] == 6
        assert server.stop() == 0


def test_a_run_under_way_outlives_a_full_disk_that_is_freed_in_time(place: Place) -> None:
    with served(place, HEADRACE_LEASE_SECONDS="20") as server:
        job_id = server.made(copying())
        assert server.wait(job_id, server.executed(job_id)) == "COMPLETED"
        execution_id = server.executed(job_id)
        filler = fill(place.root)
        until(lambda: ready(server)[1] == "store-full")
        filler.unlink()
        assert server.wait(job_id, execution_id) in ("COMPLETED", "FAILED")
        assert list(place.left().values()) == [ROWS]
        assert server.stop() == 0


def test_a_storage_that_can_not_be_written_fails_runs_and_is_used_again_by_itself(tmp_path: Path) -> None:
    place = Place.made(tmp_path)
    with served(place) as server:
        job_id = server.made(copying())
        with read_only(place.lake):
            execution_id = server.executed(job_id)
            assert server.wait(job_id, execution_id) == "FAILED"
            failure = server.execution(job_id, execution_id)["failure"]
            assert (failure["code"], "the system does not let us" in failure["message"]) == ("store-denied", True)
            assert ready(server) == (200, "")
        assert place.left()["old.csv"] == OLD
        assert server.wait(job_id, server.executed(job_id)) == "COMPLETED"


def test_a_data_folder_that_can_not_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    place = Place.made(tmp_path)
    with read_only(tmp_path):
        for command in (("serve", "--port", "0"), ("keys", "list")):
            done = place.call(*command)
            assert (done.code, done.error) == (
                1,
                f"may not write in {tmp_path}; let this user write there, or set data",
            )
