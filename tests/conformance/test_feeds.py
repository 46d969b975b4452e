"""Jobs that fill tables of the warehouse, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from headrace.core import executions, feeds, ticks, triggers, warehouse
from headrace.core.feeds import Draft, Feed
from headrace.core.paging import Page
from headrace.core.warehouse import TableName
from headrace.db import Database
from headrace.errors import BadState, NotFound
from headrace.execution import queue
from tests.support.jobs import source, target
from tests.support.uses import ALICE, OTHER

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TABLE = TableName("sales", "orders")
COLUMNS = [{"name": "id", "type": "bigint"}]


def made(database: Database, *, schedule: str | None = None, owner: str = "ann", at: datetime = NOON) -> Feed:
    draft = Draft(
        type="airflow.ingest",
        name="Orders",
        source="lake/in",
        destination="sales.orders",
        properties="{}",
        schedule=schedule,
        zone="UTC",
        nodes=(source(), target()),
        table=TABLE,
        columns=COLUMNS,
    )
    with database.transaction() as con:
        return feeds.create(con, ALICE, draft, owner_id=owner, now=at)


def read(database: Database, feed: Feed) -> Feed:
    with database.reading() as con:
        return feeds.get(con, ALICE, feed.feed_id)


def started(database: Database, feed: Feed) -> str | None:
    try:
        with database.transaction() as con:
            return feeds.start(con, ALICE, feed.feed_id, now=NOON)
    except BadState:
        return None


def fire(database: Database, at: datetime) -> None:
    with database.transaction() as con:
        ticks.fire(con, now=at.timestamp(), limit=10)


def runs(database: Database, feed: Feed) -> int:
    with database.reading() as con:
        return executions.list(con, ALICE, feed.job_id, page=Page())[1]


def end(database: Database, outcome: queue.Outcome) -> None:
    with database.transaction() as con:
        (held,) = queue.claim(con, worker="w", lease_seconds=15, now=database.now(con))
        assert queue.finish(con, held.lease_token, outcome, now=database.now(con))


def test_of_many_who_start_it_at_once_one_does(database: Database) -> None:
    feed = made(database)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: started(database, feed), range(8)))
    assert len([each for each in ids if each]) == 1
    assert runs(database, feed) == 1


def test_what_its_runs_did_is_told_by_the_feed(database: Database) -> None:
    feed = made(database)
    assert (feed.status, feed.last_started_at) == ("new", None)
    assert started(database, feed)
    assert read(database, feed).status == "running"
    end(database, queue.Outcome("COMPLETED"))
    first = read(database, feed)
    assert (first.status, first.message, first.last_failed_at) == ("completed", None, None)
    assert first.last_completed_at is not None
    assert started(database, feed)
    end(database, queue.Outcome("FAILED", {"code": "bad-data", "message": "it is bad"}))
    second = read(database, feed)
    assert (second.status, second.message, second.last_completed_at) == ("failed", "it is bad", first.last_completed_at)
    assert second.last_failed_at is not None


def test_an_instant_starts_a_feed_once_and_passes_over_one_that_runs(database: Database) -> None:
    feed = made(database, schedule="0 * * * *")
    fire(database, NOON + HOUR)
    fire(database, NOON + HOUR)
    assert runs(database, feed) == 1
    fire(database, NOON + 2 * HOUR)
    assert runs(database, feed) == 1
    end(database, queue.Outcome("COMPLETED"))
    fire(database, NOON + 3 * HOUR)
    assert runs(database, feed) == 2


def test_the_trigger_of_a_feed_goes_with_it_and_not_before(database: Database) -> None:
    feed = made(database, schedule="0 * * * *")
    with database.reading() as con:
        (trigger,), _ = triggers.list(con, ALICE, name="feed-", page=Page())
    with pytest.raises(BadState, match="a job of the warehouse"), database.transaction() as con:
        triggers.delete(con, ALICE, trigger.trigger_id, now=NOON)
    with database.transaction() as con:
        feeds.delete(con, ALICE, feed.feed_id, now=NOON)
    fire(database, NOON + HOUR)
    assert runs(database, feed) == 0
    with database.reading() as con:
        assert triggers.list(con, ALICE, name="feed-", page=Page()) == ((), 0)
        assert feeds.get(con, ALICE, feed.feed_id, deleted=True).deleted_at == NOON
    with pytest.raises(NotFound):
        read(database, feed)


def test_feeds_are_of_their_account_and_listed_by_owner(database: Database) -> None:
    first, second = made(database), made(database, owner="bob", at=NOON + HOUR)
    with database.reading() as con:
        listed = feeds.list(con, ALICE, owner_id=None, limit=10, offset=0)
        assert [feed.feed_id for feed in listed] == [second.feed_id, first.feed_id]
        assert [f.feed_id for f in feeds.list(con, ALICE, owner_id="ann", limit=10, offset=0)] == [first.feed_id]
        assert feeds.list(con, OTHER, owner_id=None, limit=10, offset=0) == ()
        assert warehouse.columns(con, "main", TABLE) == COLUMNS
        assert warehouse.columns(con, "other", TABLE) is None
