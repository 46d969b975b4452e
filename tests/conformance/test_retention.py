"""What is removed after a while, and what never is; on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Table, func, insert, select, update

from headrace.core import retention
from headrace.core.retention import Kept
from headrace.db import Database, tables
from headrace.execution import queue
from headrace.execution.traces import Told
from headrace.service.retention import Retention
from tests.support.queue import DONE, FAILED, Line
from tests.support.waiting import until

DAY = 86400.0


def count(database: Database, table: Table) -> int:
    with database.reading() as con:
        return con.scalar(select(func.count()).select_from(table)) or 0


def left(line: Line, job_id: str) -> list[str]:
    c = tables.executions.c
    with line.database.reading() as con:
        return list(con.scalars(select(c.execution_id).where(c.job_id == job_id).order_by(c.created_at)))


def heard(line: Line) -> None:
    """As if all events had been done long ago."""
    with line.database.transaction() as con:
        con.execute(update(tables.outbox).values(done_at=0.0))


def ended(line: Line, job_id: str, *, at: float) -> str:
    execution_id = line.submit(job_id, at=at)
    token = line.one(at).lease_token
    with line.database.transaction() as con:
        queue.note(con, token, Told(log="one\n"), now=at)
        queue.note(con, token, Told(log="two\n"), now=at)
        queue.note(con, token, Told(script=("duckdb", "SELECT 1;")), now=at)
    assert line.finish(token, DONE, at=at)
    return execution_id


def swept(line: Line, kept: Kept, *, at: float) -> None:
    """Remove all that is old."""
    while True:
        with line.database.reading() as con:
            ids = retention.removable(con, kept, now=at)
        if not ids:
            break
        with line.database.transaction() as con:
            retention.remove(con, ids[:50])
    with line.database.transaction() as con:
        retention.forget(con, kept, now=at)


def test_an_old_execution_goes_with_all_that_belongs_to_it(line: Line) -> None:
    job_id = line.job()
    ended(line, job_id, at=1.0)
    young, last = ended(line, job_id, at=5 * DAY), ended(line, job_id, at=6 * DAY)
    heard(line)
    swept(line, Kept(days=10), at=12 * DAY)
    assert left(line, job_id) == [young, last]
    for table, each in ((tables.log_chunks, 2), (tables.attempts, 1), (tables.scripts, 1)):
        assert count(line.database, table) == 2 * each
    assert count(line.database, tables.outbox) == 0


def test_what_waits_runs_or_is_the_last_of_its_job_never_goes(line: Line) -> None:
    job_id, other = line.job(), line.job()
    alone = ended(line, other, at=1.0)
    running = line.submit(job_id, at=2.0)
    line.one(2.0)
    tried_again = line.submit(job_id, at=3.0, attempts=2)
    line.finish(line.one(3.0).lease_token, FAILED, at=3.0)
    old = ended(line, job_id, at=4.0)
    last = line.submit(job_id, at=5.0)
    assert old in left(line, job_id)
    heard(line)
    swept(line, Kept(days=1, of_a_job=1), at=1000 * DAY)
    assert (left(line, other), left(line, job_id)) == ([alone], [running, tried_again, last])
    with line.database.reading() as con:
        j = tables.jobs.c
        assert con.scalar(select(j.last_execution_status).where(j.job_id == other)) == "COMPLETED"


def test_of_a_job_the_newest_are_kept(line: Line) -> None:
    job_id, other = line.job(), line.job()
    runs = [ended(line, job_id, at=float(n)) for n in range(1, 8)]
    ended(line, other, at=9.0)
    heard(line)
    swept(line, Kept(days=0, of_a_job=3), at=10.0)
    assert (left(line, job_id), len(left(line, other))) == (runs[4:], 1)
    swept(line, Kept(days=0, of_a_job=0), at=1000 * DAY)
    assert left(line, job_id) == runs[4:]


def test_an_execution_from_which_something_still_follows_waits(line: Line) -> None:
    job_id = line.job()
    first, last = ended(line, job_id, at=1.0), ended(line, job_id, at=2.0)
    swept(line, Kept(days=1), at=1000 * DAY)
    assert left(line, job_id) == [first, last]
    heard(line)
    swept(line, Kept(days=1), at=1000 * DAY)
    assert left(line, job_id) == [last]


def test_several_servers_may_remove_the_same(line: Line) -> None:
    job_id = line.job()
    for n in range(120):
        ended(line, job_id, at=float(n + 1))
    heard(line)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: swept(line, Kept(days=1), at=DAY * 400), range(3)))
    assert len(left(line, job_id)) == 1


def test_what_began_to_follow_after_the_look_stays(line: Line) -> None:
    job_id = line.job()
    first = ended(line, job_id, at=1.0)
    ended(line, job_id, at=2.0)
    heard(line)
    with line.database.reading() as con:
        ids = retention.removable(con, Kept(days=1), now=DAY * 400)
    with line.database.transaction() as con:
        con.execute(update(tables.outbox).values(done_at=None))
        retention.remove(con, ids)
    assert (ids, len(left(line, job_id))) == ([first], 2)


def test_what_was_seen_and_answered_and_audited_goes_after_its_time(database: Database) -> None:
    now = 1000 * DAY
    rows = {
        tables.seen_requests: ({"access_key": "K", "signature": "{n}", "body_digest": "d"}, 3600.0),
        tables.first_answers: ({"access_key": "K", "idempotency_key": "{n}", "request_digest": "d"}, DAY),
        tables.audit: (
            {"principal": "p", "action": "a", "resource": "r", "result": "done", "source": "s"},
            365 * DAY,
        ),
    }
    with database.transaction() as con:
        for table, (row, age) in rows.items():
            for n, at in enumerate((now - 2 * age, now - age - 1, now - age + 60, now)):
                con.execute(insert(table).values({**{k: v.format(n=n) for k, v in row.items()}, "at": at}))
    with database.transaction() as con:
        assert retention.forget(con, Kept(), now=now) == 6
        assert retention.forget(con, Kept(), now=now) == 0
    assert [count(database, table) for table in rows] == [2, 2, 2]
    with database.transaction() as con:
        assert retention.forget(con, Kept(audit_days=0), now=10 * now) == 4
    assert count(database, tables.audit) == 2


def test_the_loop_removes_what_is_old(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.service.retention._FIRST", 0.0)
    job_id = line.job()
    for n in range(3):
        ended(line, job_id, at=float(n + 1))
    heard(line)
    outside = threading.Event()

    def looked() -> bool:
        outside.set()
        return False

    loop = Retention(line.database, Kept(days=1), outside=looked)
    loop.start()
    until(lambda: len(left(line, job_id)) == 1 and outside.is_set())
    loop.stop()
