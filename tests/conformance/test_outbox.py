"""What waits in the outbox is done by its consumer, whatever happens meanwhile; on both databases."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, select, update

from headrace.clock import SystemClock
from headrace.core import outbox
from headrace.core.outbox import Event
from headrace.db import Database, tables
from headrace.errors import StoreError
from headrace.service.outbox import Inside, Outbox, Outside
from tests.support.queue import DONE, Line
from tests.support.waiting import until

HOLD = 6.0  # it is renewed after a third of this


def put(database: Database, *consumers: str, kind: str = "told", **payload: object) -> None:
    with database.transaction() as con:
        outbox.put(con, *consumers, account_id="main", kind=kind, payload=payload, now=1.0)


def take(database: Database, consumer: str, *, at: float, limit: int = 10, hold: float = 0.0) -> list[object]:
    with database.transaction() as con:
        return [e.payload["n"] for e in outbox.take(con, consumer, now=at, limit=limit, hold=hold)]


def undone(database: Database) -> int:
    with database.reading() as con:
        return con.scalar(select(func.count()).where(tables.outbox.c.done_at.is_(None))) or 0


def tries(database: Database) -> list[tuple[int, str | None]]:
    with database.reading() as con:
        c = tables.outbox.c
        return [(row.tries, row.failure) for row in con.execute(select(c.tries, c.failure).order_by(c.id))]


@contextmanager
def running(database: Database, *consumers: Inside | Outside, hold: float = 15.0) -> Iterator[Outbox]:
    made = Outbox(database, consumers, clock=SystemClock(), hold=hold)
    made.start(lambda: None)
    try:
        yield made
    finally:
        made.stop(patience=10)


def test_each_consumer_has_a_row_of_its_own(database: Database) -> None:
    put(database, "a", "b", n=1)
    with database.transaction() as con:
        (event,) = outbox.take(con, "a", now=2.0, limit=10)
        outbox.done(con, [event.id], now=2.0)
    assert (event.kind, event.account_id, event.tries, event.at) == ("told", "main", 0, 1.0)
    assert (take(database, "a", at=2.0), take(database, "b", at=2.0)) == ([], [1])


def test_what_is_held_is_nobody_elses_until_its_holder_stays_away(database: Database) -> None:
    put(database, "a", n=1)
    assert take(database, "a", at=2.0, hold=5.0) == [1]
    assert (take(database, "a", at=6.9), take(database, "a", at=7.0)) == ([], [1])


def test_what_failed_waits_longer_each_time_and_what_is_new_goes_before_it(database: Database) -> None:
    put(database, "a", n=1)
    with database.transaction() as con:
        (event,) = outbox.take(con, "a", now=2.0, limit=1)
        outbox.postpone(con, event, failure="no room", now=2.0)
    assert take(database, "a", at=2.4) == []
    put(database, "a", n=2)
    assert take(database, "a", at=2.5) == [2, 1]
    assert [outbox.delay(count) for count in (0, 1, 4, 100)] == [0.5, 1.0, 8.0, 300.0]
    assert tries(database) == [(1, "no room"), (0, None)]


def test_an_end_is_told_to_its_consumer_at_once(line: Line) -> None:
    heard: list[Event] = []
    with running(line.database, Inside("objects", lambda con, event, now: heard.append(event))) as loops:
        execution_id = line.submit(line.job())
        line.finish(line.one(1.0).lease_token, DONE, at=2.0)
        loops.wake()
        until(lambda: bool(heard))
    assert [(event.kind, event.payload["executionId"]) for event in heard] == [("execution-ended", execution_id)]
    assert undone(line.database) == 0


def test_what_an_inside_consumer_changes_and_the_mark_are_one_transaction(database: Database) -> None:
    failing = threading.Event()

    def count(con: Connection, event: Event, now: float) -> None:
        c = tables.outbox.c
        con.execute(update(tables.outbox).where(c.consumer == "seen").values(kind=tables.outbox.c.kind + "x"))
        if not failing.is_set():
            failing.set()
            raise ValueError("the first time")

    put(database, "seen", kind="k", n=0)
    put(database, "a", "a", n=1)
    with running(database, Inside("a", count)):
        until(lambda: undone(database) == 1)
    with database.reading() as con:
        assert con.scalar(select(tables.outbox.c.kind).where(tables.outbox.c.consumer == "seen")) == "kxx"
    assert tries(database)[1:] == [(1, "a fault in Headrace: ValueError"), (0, None)]


def test_an_event_that_fails_and_one_that_takes_long_hold_up_no_other(database: Database) -> None:
    free, heard = threading.Event(), []

    def work(event: Event) -> None:
        if event.payload["n"] == 1:
            free.wait(60)
        if event.payload["n"] == 2:
            raise StoreError("the endpoint does not answer")
        heard.append(event.payload["n"])

    for n in range(1, 9):
        put(database, "a", n=n)
    with running(database, Outside("a", work, at_once=2)):
        until(lambda: set(heard) == {3, 4, 5, 6, 7, 8})
        until(lambda: tries(database)[1][1] == "the endpoint does not answer")
        free.set()
        until(lambda: undone(database) == 1)


def test_servers_share_what_waits_and_each_event_is_done_once(database: Database) -> None:
    heard: list[object] = []
    for n in range(30):
        put(database, "a", "b", n=n)

    def inside(con: Connection, event: Event, now: float) -> None:
        heard.append(event.payload["n"])

    def outside(event: Event) -> None:
        heard.append(event.payload["n"])

    both = (Inside("a", inside), Outside("b", outside))
    with running(database, *both), running(database, *both):
        until(lambda: undone(database) == 0)
    assert sorted(heard, key=str) == sorted([*range(30), *range(30)], key=str)


def test_work_that_takes_longer_than_it_is_held_stays_with_its_server(database: Database) -> None:
    free, heard = threading.Event(), []

    def work(event: Event) -> None:
        heard.append(event.payload["n"])
        free.wait(60)

    put(database, "a", n=1)
    with running(database, Outside("a", work), hold=HOLD), running(database, Outside("a", work), hold=HOLD):
        until(lambda: bool(heard))
        with database.reading() as con:
            begun = database.now(con)
        held = select(tables.outbox.c.available_at)

        def renewed() -> bool:
            with database.reading() as con:
                return bool((con.scalar(held) or 0) > begun + HOLD + 1.0)

        until(renewed)
        free.set()
    assert (heard, undone(database)) == ([1], 0)


def test_what_waits_when_the_server_is_stopped_is_done_before_it_ends(database: Database) -> None:
    for n in range(20):
        put(database, "a", n=n)
    heard: list[object] = []
    with running(database, Outside("a", lambda event: heard.append(event.payload["n"]), at_once=1)):
        pass
    assert (len(heard), undone(database)) == (20, 0)
