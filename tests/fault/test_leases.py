"""What a lease promises when a worker dies, stands still or is told to end: with workers as processes."""

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import select

from headrace.db.tables import attempts
from headrace.execution import queue
from tests.support.command import Place
from tests.support.herd import Herd, herd, marked
from tests.support.jobs import source, target
from tests.support.standing import has_ended, still
from tests.support.waiting import A_WHILE, until
from tests.support.work import Works, endless, put_rows, works

pytestmark = pytest.mark.fault

LEASE = 4.0


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Works]:
    with works(Place.made(tmp_path)) as made:
        put_rows(made.place)
        yield made


def workers(at: Works, size: int = 2) -> AbstractContextManager[Herd]:
    given = {"data": str(at.place.root), "shared_storage": "true", "workers": "1", "threads": "1"}
    given |= {"lease_seconds": f"{LEASE:g}", "grace_seconds": "1"}
    variables = {f"HEADRACE_{name.upper()}": text for name, text in given.items()}
    return herd(at.place.root, "worker", size=size, off=None, **variables)


def owner(at: Works, execution_id: str) -> int:
    """The worker's process that holds a run which is under way."""
    at.pid(execution_id)
    return int(str(at.line.row(execution_id)["lease_owner"]).rpartition(":")[2])


def begun(at: Works, execution_id: str, number: int) -> float:
    """When an attempt began."""
    until(lambda: at.line.row(execution_id)["attempt"] >= number)
    wanted = select(attempts.c.started_at).where(attempts.c.execution_id == execution_id, attempts.c.number == number)
    with at.line.database.reading() as con:
        return float(con.execute(wanted).scalar_one())


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_the_run_of_a_killed_worker_goes_to_another_when_its_lease_is_over_and_not_before(at: Works) -> None:
    with workers(at):
        execution_id = at.submit(endless())
        worker, child = owner(at, execution_id), at.pid(execution_id)
        os.kill(worker, signal.SIGKILL)
        until(lambda: has_ended(worker))
        killed, lease_ends = at.line.now(), at.line.row(execution_id)["lease_expires_at"]
        assert lease_ends <= killed + LEASE
        assert lease_ends <= begun(at, execution_id, 2) <= lease_ends + A_WHILE
        assert has_ended(child)
        assert at.line.attempts(execution_id) == [(1, "LOST"), (2, None)]
        assert at.line.row(execution_id)["losses"] == 1
    assert "died, stood still or lost the database" in at.line.log(execution_id)


def test_a_worker_that_stood_still_finds_its_run_taken_and_writes_nothing(at: Works) -> None:
    with workers(at):
        execution_id = at.submit(endless())
        worker, child = owner(at, execution_id), at.pid(execution_id)
        with still(worker, at.line.database):
            begun(at, execution_id, 2)
            # By itself, before another may begin: nobody is there to kill it. The kernel needs a moment for that.
            until(lambda: has_ended(child))
            other, before = owner(at, execution_id), at.line.attempts(execution_id)
        until(lambda: gone(child))
        # Once it does other work it has been through all that it had to say of the lost one.
        quick = at.submit([source(), target(prefix="other")])
        until(lambda: at.line.row(quick)["attempt"] == 1)
        assert (other != worker, owner(at, execution_id)) == (True, other)
        assert at.line.attempts(execution_id) == before == [(1, "LOST"), (2, None)]
        with at.line.database.reading() as con:
            said = [chunk.attempt for chunk in queue.read_log(con, execution_id)]
        assert said == sorted(said)
        assert at.wait(quick) == "COMPLETED"


def test_a_worker_that_is_told_to_end_puts_its_run_back_and_leaves_no_process(at: Works) -> None:
    with workers(at, size=1) as some:
        execution_id = at.submit(endless())
        at.pid(execution_id)
        assert some.end() == [0]
        assert marked(some.mark) == []
        assert (at.line.status(execution_id), at.line.attempts(execution_id)) == ("READY", [(1, "PUT_BACK")])
    assert "the worker is being stopped" in at.line.log(execution_id)
    assert at.place.stands()
