"""Connections to PostgreSQL: who reads can't write, and one that was ended is replaced."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from headrace.clock import SystemClock
from headrace.db import Database
from headrace.db.tables import accounts
from headrace.errors import DatabaseFailed, DatabaseReadOnly

pytestmark = pytest.mark.services

ROW = {"account_id": "main", "bucket": "bucket", "created_at": 1.0}
END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
NUMBER = text("SELECT pg_backend_pid()")


class Ahead:
    """The machine's clock, put forward."""

    def __init__(self) -> None:
        self.by = 0.0

    def now(self) -> datetime:
        return SystemClock().now()

    def seconds(self) -> float:
        return SystemClock().seconds() + self.by


@pytest.fixture
def kind() -> str:
    return "postgresql"


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture
def watched(database: Database, url: str, clock: Ahead) -> Iterator[Database]:
    """A second pool of connections to the same database, by a clock of its own."""
    made = Database.open(url, clock=clock)
    yield made
    made.dispose()


def read(con: Connection) -> Any:
    return con.scalar(NUMBER)


def test_who_reads_can_not_write_and_who_writes_after_it_can(database: Database) -> None:
    with pytest.raises(DatabaseReadOnly), database.reading() as con:
        con.execute(insert(accounts).values(ROW))
    with database.transaction() as con:
        con.execute(insert(accounts).values(ROW))
    with database.reading() as con:
        assert con.scalar(select(accounts.c.bucket)) == "bucket"


def test_what_a_transaction_did_before_it_failed_is_not_kept_by_a_connection_that_read(database: Database) -> None:
    with database.reading() as con:
        first = read(con)
    with suppress(ZeroDivisionError), database.transaction() as con:
        assert read(con) == first
        con.execute(insert(accounts).values(ROW))
        raise ZeroDivisionError
    with database.reading() as con:
        assert con.execute(select(accounts)).all() == []


def test_a_connection_that_was_ended_while_nobody_used_it_is_made_anew(
    database: Database, watched: Database, clock: Ahead
) -> None:
    with watched.reading() as con:
        first = read(con)
    with database.reading() as con:
        con.execute(END_OTHERS)
    clock.by = 2.0
    with watched.transaction() as con:
        assert read(con) != first


def test_one_that_was_ended_right_after_it_was_used_costs_one_call_and_no_more(
    database: Database, watched: Database
) -> None:
    with watched.reading() as con:
        first = read(con)
    with database.reading() as con:
        con.execute(END_OTHERS)
    with pytest.raises(DatabaseFailed), watched.reading() as con:
        read(con)
    with watched.reading() as con:
        assert read(con) != first
