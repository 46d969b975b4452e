"""A backup of either database brings back all that it held; whoever works with a database is seen."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, select, text

from headrace.clock import SystemClock
from headrace.db import Database
from headrace.db.backups import BackupFailed, backup, restore
from headrace.db.condition import condition
from headrace.db.holding import DatabaseHeld, holding, is_held
from headrace.db.tables import METADATA, VERSION
from headrace.db.upgrading import config
from headrace.errors import DatabaseFailed, SchemaMismatch
from headrace.execution.queue import Outcome
from headrace.ids import new_id
from tests.support.databases import opened, sqlite
from tests.support.postgres import Postgres
from tests.support.queue import Line
from tests.support.waiting import until

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def content(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with database.reading() as con:
        return {
            table.name: sorted((tuple(row) for row in con.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
        }


def filled(line: Line) -> None:
    for _ in range(3):
        line.submit(line.job())
    line.finish(line.one(1.0).lease_token, Outcome("COMPLETED", report={"rows": 3}), at=2.0)
    line.claim(3.0)


def test_a_restored_database_has_every_row(line: Line, other_url: str, tmp_path: Path) -> None:
    filled(line)
    before = content(line.database)
    file = backup(line.database, tmp_path, now=NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    with opened(other_url, upgraded=False) as other:
        assert restore(other, file, force=False, used=False) == VERSION
        other.dispose()
        other.check_version()
        assert content(other) == before
        # Over what is there, too; and the counters of ids go on where they were.
        Line(other).submit(Line(other).job())
        other.dispose()
        restore(other, file, force=True, used=True)
        other.dispose()
        assert content(other) == before
        filled(Line(other))


def first_tables(database: Database) -> None:
    """The tables of the first version, with a row."""
    with database.transaction() as con:
        command.upgrade(config(con), "0001")
        con.execute(text("INSERT INTO accounts (account_id, bucket, created_at) VALUES ('early', 'b', 1.0)"))


def test_a_backup_can_be_made_before_an_upgrade_and_its_tables_upgraded_later(
    url: str, other_url: str, tmp_path: Path
) -> None:
    with opened(url, upgraded=False) as old:
        assert old.is_empty()  # which makes the file of SQLite
        with pytest.raises(SchemaMismatch, match="no tables"):
            backup(old, tmp_path / "backup", now=NOW)
        first_tables(old)
        file = backup(old, tmp_path / "backup", now=NOW)
    with opened(other_url, upgraded=False) as other:
        assert restore(other, file, force=False, used=False) == "0001"
        other.dispose()
        other.upgrade()
        assert content(other)["accounts"] == [("early", "b", 1.0, None)]


@pytest.fixture
def postgresql(postgres_server: Postgres) -> Iterator[Database]:
    """An empty PostgreSQL database."""
    with opened(postgres_server.create(f"test_{new_id().lower()}"), upgraded=False) as made:
        yield made


@pytest.mark.services
def test_a_backup_of_sqlite_moves_into_postgresql_with_every_row(postgresql: Database, tmp_path: Path) -> None:
    with sqlite(tmp_path) as small:
        filled(Line(small))
        before = content(small)
        file = backup(small, tmp_path / "backup", now=NOW)
    sent = file.read_bytes()
    assert restore(postgresql, file, force=False, used=False) == VERSION
    assert content(postgresql) == before
    assert file.read_bytes() == sent
    # Over what is there, too; and the counters of ids go on where they were.
    filled(Line(postgresql))
    restore(postgresql, file, force=True, used=True)
    assert content(postgresql) == before
    filled(Line(postgresql))


@pytest.mark.services
def test_a_backup_of_older_sqlite_tables_moves_into_postgresql(postgresql: Database, tmp_path: Path) -> None:
    with sqlite(tmp_path, upgraded=False) as small:
        first_tables(small)
        file = backup(small, tmp_path / "backup", now=NOW)
    assert restore(postgresql, file, force=False, used=False) == "0001"
    postgresql.check_version()
    assert content(postgresql)["accounts"] == [("early", "b", 1.0, None)]


@pytest.mark.services
def test_a_move_that_fails_leaves_what_was_there(postgresql: Database, tmp_path: Path) -> None:
    postgresql.upgrade()
    filled(Line(postgresql))
    before = content(postgresql)
    with sqlite(tmp_path) as small:
        filled(Line(small))
        with small.transaction() as con:
            con.execute(text("UPDATE jobs SET description = 'a' || char(0)"))  # PostgreSQL keeps no such text
        file = backup(small, tmp_path / "backup", now=NOW)
    with pytest.raises(DatabaseFailed):
        restore(postgresql, file, force=True, used=True)
    assert content(postgresql) == before


def test_a_table_that_came_after_the_backup_is_gone_with_the_rest(line: Line, other_url: str, tmp_path: Path) -> None:
    with line.database.transaction() as con:
        con.execute(text("DROP TABLE seen_requests"))
    file = backup(line.database, tmp_path, now=NOW)
    with opened(other_url) as other:
        other.dispose()
        restore(other, file, force=True, used=True)
        other.dispose()
        with other.reading() as con:
            assert "seen_requests" not in inspect(con).get_table_names()


def test_what_is_no_backup_changes_nothing(line: Line, tmp_path: Path) -> None:
    filled(line)
    before = content(line.database)
    (tmp_path / "bad").write_bytes(os.urandom(1000))
    with pytest.raises(BackupFailed):
        restore(line.database, tmp_path / "bad", force=True, used=True)
    assert content(line.database) == before


def test_a_server_is_seen_as_long_as_it_lives(url: str, tmp_path: Path) -> None:
    with opened(url) as asker:
        assert not is_held(asker)
        server = Database.open(url, serves=True)
        with holding(server):
            server.check_version()
            assert is_held(asker)
            file = backup(asker, tmp_path / "backup", now=NOW)
            with pytest.raises(DatabaseHeld):
                restore(asker, file, force=True, used=True)
        server.dispose()
        until(lambda: not is_held(asker))  # PostgreSQL ends what served a connection a moment after it


def test_its_condition_is_told_without_who_opens_it(database: Database) -> None:
    found = condition(database, SystemClock())
    assert found.product in ("SQLite", "PostgreSQL")
    assert found.schema == VERSION
    assert abs(found.skew) < 5
    assert found.place.endswith(str(database.url.database))
    assert "@" not in found.place
    assert all(value == wanted for value, wanted in found.pragmas.values())
