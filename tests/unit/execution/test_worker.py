import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.execution import attempts
from headrace.stores.files import FolderStore
from tests.support.command import OLD, Place
from tests.support.jobs import source, target
from tests.support.publishing import publish
from tests.support.queue import LEASE
from tests.support.waiting import until
from tests.support.work import Works, copying, endless, in_groups, lengthy, put_rows, works


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Works]:
    with works(Place.made(tmp_path)) as made:
        yield made


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_what_is_submitted_is_run_written_and_logged(at: Works) -> None:
    with at.worker() as worker:
        execution_id = at.submit(copying())
        worker.wake()
        assert at.wait(execution_id) == "COMPLETED"
    row = at.line.row(execution_id)
    assert (row["failure"], row["report"]["targets"][0]["rows"], row["attempt"]) == (None, 2, 1)
    assert list(at.place.left().values()) == [b"id,name\n1,a\n2,b\n"]
    assert "FROM read_csv('lake/in/**'" in at.script(execution_id)
    log = at.line.log(execution_id)
    assert "wrote 2 rows, 16 bytes to lake/out (node 9) as CSV" in log
    assert "COMPLETED after" in log


def test_a_child_is_used_again_and_each_run_is_on_its_own(at: Works) -> None:
    with at.worker() as worker:
        first, second = at.submit(copying()), at.submit(copying())
        worker.wake()
        assert (at.wait(first), at.wait(second)) == ("COMPLETED", "COMPLETED")
        assert at.pid(first) == at.pid(second)


@pytest.mark.parametrize("end", ["sql", "failure", "cancel"])
def test_a_child_is_not_used_again_after_sql_a_failure_or_a_cancel(at: Works, end: str) -> None:
    with at.worker() as worker:
        if end == "failure":
            at.place.put("broken/a.csv", b"id,name\n1,\xff\xfe\n")
            first = at.submit([source(prefix="broken"), target()])
        else:
            put_rows(at.place, 20 if end == "sql" else 20_000)
            first = at.submit(endless())
        worker.wake()
        pid = at.pid(first)
        if end == "cancel":
            at.line.cancel(first, at=at.line.now())
        assert at.wait(first) == {"sql": "COMPLETED", "failure": "FAILED", "cancel": "CANCELED"}[end]
        second = at.submit(copying())
        assert at.wait(second) == "COMPLETED"
        assert at.pid(second) != pid
        until(lambda: gone(pid))


def test_a_run_that_fails_says_why_and_the_old_data_stands(at: Works) -> None:
    at.place.put("in/a.csv", b"id,name\n1,\xff\xfe\n")
    with at.worker():
        execution_id = at.submit(copying())
        assert at.wait(execution_id) == "FAILED"
    assert at.line.row(execution_id)["failure"]["code"] == "bad-data"
    assert "bad-data: " in at.line.log(execution_id)
    assert at.place.left()["old.csv"] == OLD


def test_a_long_run_logs_how_far_it_is(at: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_TELL_EVERY", 0.01)
    at.place.put("in/a.csv", in_groups())
    with at.worker() as worker:
        execution_id = at.submit(lengthy())
        worker.wake()
        until(lambda: re.search(r"Z at node \d+: \d+%", at.line.log(execution_id)) is not None)
        at.line.cancel(execution_id, at=at.line.now())
        assert at.wait(execution_id) == "CANCELED"


def test_a_cancel_ends_the_run_and_its_process(at: Works) -> None:
    put_rows(at.place)
    with at.worker() as worker:
        execution_id = at.submit(endless())
        worker.wake()
        pid = at.pid(execution_id)
        at.line.cancel(execution_id, at=at.line.now())
        worker.wake()
        assert at.wait(execution_id) == "CANCELED"
        until(lambda: gone(pid))
    assert at.line.row(execution_id)["failure"]["code"] == "cancelled"
    assert at.place.stands()


def test_a_run_whose_process_hangs_is_killed_when_its_grace_is_over(at: Works) -> None:
    put_rows(at.place)
    with at.worker(grace_seconds="0.5") as worker:
        execution_id = at.submit(endless())
        worker.wake()
        pid = at.pid(execution_id)
        os.kill(pid, signal.SIGSTOP)
        at.line.cancel(execution_id, at=at.line.now())
        assert at.wait(execution_id) == "CANCELED"
        until(lambda: gone(pid))


def test_a_run_whose_process_is_killed_begins_again(at: Works) -> None:
    put_rows(at.place)
    with at.worker() as worker:
        execution_id = at.submit(endless())
        worker.wake()
        os.kill(at.pid(execution_id), signal.SIGKILL)
        until(lambda: at.line.row(execution_id)["attempt"] == 2)
        assert at.line.attempts(execution_id)[0] == (1, "LOST")
    assert "the process of the run was killed" in at.line.log(execution_id)


def test_a_run_is_given_up_when_its_process_dies_again_and_again(at: Works) -> None:
    put_rows(at.place)
    with at.worker() as worker:
        execution_id = at.submit(endless())
        worker.wake()
        killed: set[int] = set()

        def ended() -> bool:
            pid = at.pid(execution_id)
            if pid not in killed and not gone(pid):
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            return at.line.status(execution_id) == "FAILED"

        until(ended, limit=60)
    assert at.line.row(execution_id)["failure"]["code"] == "child-lost"
    assert len(killed) == 4


def test_a_run_that_published_before_its_worker_died_completes_whoever_cancels_it_then(at: Works) -> None:
    execution_id = at.submit(copying())
    token = at.line.one(at.line.now()).lease_token
    assert at.line.publish(token, at=at.line.now()).may_publish
    publish(FolderStore(at.place.root / "buckets"), "out", "OVERWRITE", ["9,there"], run=execution_id)
    assert at.line.cancel(execution_id, at=at.line.now())
    assert [each.status for each in at.line.rescue(at.line.now() + LEASE)] == ["READY"]
    assert at.line.cancel(execution_id, at=at.line.now())
    with at.worker() as worker:
        worker.wake()
        assert at.wait(execution_id) == "COMPLETED"
    assert at.line.attempts(execution_id) == [(1, "LOST"), (2, "COMPLETED")]
    assert b"9,there" in next(iter(at.place.left().values()))
    assert "has the data that an earlier attempt published" in at.line.log(execution_id)


def test_a_run_that_was_about_to_publish_and_did_not_is_cancelled(at: Works) -> None:
    execution_id = at.submit(copying())
    at.line.publish(at.line.one(at.line.now()).lease_token, at=at.line.now())
    at.line.cancel(execution_id, at=at.line.now())
    at.line.rescue(at.line.now() + LEASE)
    at.line.cancel(execution_id, at=at.line.now())
    with at.worker() as worker:
        worker.wake()
        assert at.wait(execution_id) == "CANCELED"
    assert at.place.stands()


def test_a_worker_that_is_stopped_puts_its_runs_back(at: Works) -> None:
    put_rows(at.place)
    with at.worker() as worker:
        execution_id = at.submit(endless())
        worker.wake()
        pid = at.pid(execution_id)
    assert at.line.status(execution_id) == "READY"
    assert at.line.attempts(execution_id) == [(1, "PUT_BACK")]
    assert gone(pid)
    assert at.place.left()["old.csv"] == OLD


def test_a_worker_that_is_stopped_lets_its_runs_end_if_they_can(at: Works) -> None:
    with at.worker(patience=30.0) as worker:
        execution_id = at.submit(copying())
        worker.wake()
        at.wait(execution_id, "RUNNING")
    assert at.line.status(execution_id) == "COMPLETED"


def test_a_lost_lease_kills_the_run_and_writes_nothing(at: Works) -> None:
    put_rows(at.place)
    with at.worker() as worker:
        execution_id = at.submit(endless())
        worker.wake()
        pid = at.pid(execution_id)
        at.lose_lease(execution_id)
        until(lambda: gone(pid))
    assert at.line.row(execution_id)["lease_token"] == "another's"
    assert at.line.attempts(execution_id) == [(1, None)]


def test_no_process_is_left_when_a_worker_has_stopped(at: Works) -> None:
    with at.worker(workers="2") as worker:
        ids = [at.submit(copying()) for _ in range(4)]
        worker.wake()
        # They write to the same place, and nobody waits: one of two at once may fail, and says so.
        assert {at.wait(each) for each in ids} <= {"COMPLETED", "FAILED"}
        pids = {at.pid(each) for each in ids}
    assert all(gone(pid) for pid in pids)


def test_a_run_with_more_memory_than_it_may_have_is_ended_and_says_so(at: Works) -> None:
    put_rows(at.place)
    with at.worker(run_memory_limit="20MB") as worker:
        execution_id = at.submit(endless())
        worker.wake()
        pid = at.pid(execution_id)
        assert at.wait(execution_id) == "FAILED"
        until(lambda: gone(pid))
    failure = at.line.row(execution_id)["failure"]
    assert (failure["code"], failure["hint"][:16]) == ("out-of-memory", "lower numWorker ")
    assert "MB of memory, and may have 21 MB" in at.line.log(execution_id)
    assert at.place.stands()


@pytest.mark.parametrize(("asked", "allowed", "got"), [(2, "4", 2), (8, "4", 4), (0, "3", 3)])
def test_num_worker_is_how_many_threads_a_run_has_up_to_what_there_are(
    at: Works, asked: int, allowed: str, got: int
) -> None:
    with at.worker(threads=allowed) as worker:
        execution_id = at.submit(copying(), numWorker=asked)
        worker.wake()
        assert at.wait(execution_id) == "COMPLETED"
    row = at.line.row(execution_id)
    assert (row["executor_num"], row["report"]["threads"]) == (got, got)
