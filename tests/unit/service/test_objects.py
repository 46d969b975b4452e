import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.clock import SystemClock
from headrace.core.outbox import Event
from headrace.db import tables
from headrace.errors import StoreError, StoreFull
from headrace.execution import queue
from headrace.execution.places import Stores
from headrace.execution.traces import Told
from headrace.service.objects import Objects
from headrace.stores.files import FolderStore
from tests.support.command import Place
from tests.support.queue import DONE, FAILED
from tests.support.work import Works, copying, works


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Works]:
    with works(Place.made(tmp_path)) as made:
        yield made


def writer(at: Works) -> Objects:
    return Objects(at.line.database, at.settings(), clock=SystemClock(), worker="w1")


def event(at: Works, execution_id: str, *, tries: int = 0) -> Event:
    payload = {"executionId": execution_id}
    return Event(1, "main", SystemClock().now().timestamp(), "execution-ended", payload, tries)


def submitted(at: Works) -> str:
    return at.submit(copying(), scriptPath="lake/scripts/", consoleLogPath="lake/logs/console/run.log")


def log(at: Works, token: str, text: str) -> None:
    with at.line.database.transaction() as con:
        now = at.line.database.now(con)
        queue.note(con, token, Told(script=("duckdb", "SELECT 1;")), now=now)
        queue.note(con, token, Told(log=text), now=now)


def warnings(at: Works, execution_id: str) -> list[str]:
    return at.line.row(execution_id)["warnings"] or []


def report(at: Works) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((at.place.lake / "logs/console/run.report.json").read_text())
    return found


def test_a_run_that_could_not_report_has_a_report_of_its_end(at: Works) -> None:
    execution_id = submitted(at)
    token = at.line.one(at.line.now()).lease_token
    at.line.finish(token, FAILED, at=at.line.now())
    writer(at).end(event(at, execution_id))
    told = report(at)
    assert (told["status"], told["failure"]["code"], told["sources"]) == ("FAILED", "engine-failed", [])
    assert (told["executionId"], told["job"]) == (execution_id, "job")
    assert not (at.place.lake / "scripts").exists()


class Sick(FolderStore):
    """A folder whose writes fail as long as there is an error."""

    error: StoreError | None = StoreError("the endpoint does not answer")

    def write(self, bucket: str, key: str, data: bytes) -> None:
        if self.error is not None:
            raise self.error
        super().write(bucket, key, data)


def test_what_may_be_otherwise_next_time_is_tried_again_and_told_when_it_stays(
    at: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick = Sick(at.place.root / "buckets")
    monkeypatch.setattr(Stores, "of", lambda self, bucket, region, nrn: sick)
    execution_id = submitted(at)
    token = at.line.one(at.line.now()).lease_token
    log(at, token, "one\n")
    at.line.finish(token, DONE, at=at.line.now())
    objects = writer(at)
    for tries in (0, 1, 2):
        with pytest.raises(StoreError, match="does not answer"):
            objects.end(event(at, execution_id, tries=tries))
    assert warnings(at, execution_id) == []
    with pytest.raises(StoreError, match="does not answer"):
        objects.end(event(at, execution_id, tries=3))
    script = f"lake/scripts/{at.line.row(execution_id)['job_id']}/{execution_id}.sql"
    assert [text.split(":")[0] for text in warnings(at, execution_id)] == [
        f"the script is not yet at {script}, and is tried again",
        "the console log is not yet at lake/logs/console/run.log, and is tried again",
        "the report is not yet at lake/logs/console/run.report.json, and is tried again",
    ]
    sick.error = None
    objects.end(event(at, execution_id, tries=4))
    assert (at.place.lake / "logs/console/run.log").read_text() == at.line.log(execution_id)
    assert report(at)["warnings"] == warnings(at, execution_id)


def test_after_a_day_it_is_given_up(at: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    sick = Sick(at.place.root / "buckets")
    sick.error = StoreFull("there is no room left")
    monkeypatch.setattr(Stores, "of", lambda self, bucket, region, nrn: sick)
    execution_id = submitted(at)
    at.line.finish(at.line.one(at.line.now()).lease_token, DONE, at=at.line.now())
    writer(at).end(Event(1, "main", 0.0, "execution-ended", {"executionId": execution_id}, 300))
    assert [text.partition(":")[2] for text in warnings(at, execution_id)] == [" there is no room left"] * 2


def test_a_copy_of_a_running_log_never_takes_the_place_of_the_whole(at: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another server ends the run, and writes its log, between what this one has read and what it writes."""
    execution_id = submitted(at)
    token = at.line.one(at.line.now()).lease_token
    log(at, token, "one\n")
    slow, other = writer(at), writer(at)

    class Late(FolderStore):
        def write(self, bucket: str, key: str, data: bytes) -> None:
            if key.endswith(".log") and at.line.status(execution_id) == "RUNNING":
                log(at, token, "two\n")
                at.line.finish(token, DONE, at=at.line.now())
                other.end(event(at, execution_id))
            super().write(bucket, key, data)

    late = Late(at.place.root / "buckets")
    monkeypatch.setattr(Stores, "of", lambda self, bucket, region, nrn: late)
    slow.follow()
    assert (at.place.lake / "logs/console/run.log").read_text() == "one\ntwo\n"


def test_only_logs_that_have_grown_are_copied(at: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    class Counting(FolderStore):
        def write(self, bucket: str, key: str, data: bytes) -> None:
            written.append(key)

    counting = Counting(at.place.root / "buckets")
    monkeypatch.setattr(Stores, "of", lambda self, bucket, region, nrn: counting)
    submitted(at)
    objects, token = writer(at), at.line.one(at.line.now()).lease_token
    objects.follow()
    assert written == []
    log(at, token, "one\n")
    for _ in range(3):
        objects.follow()
    assert [key.rpartition(".")[2] for key in written] == ["sql", "log"]
    log(at, token, "two\n")
    objects.follow()
    assert len(written) == 4


def test_what_is_not_there_any_more_is_done(at: Works) -> None:
    writer(at).end(event(at, "gone"))
    with at.line.database.reading() as con:
        assert con.execute(tables.executions.select()).all() == []
