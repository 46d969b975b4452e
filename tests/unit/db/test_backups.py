import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from headrace.db import Database
from headrace.db.backups import BackupFailed, backup, restore
from headrace.db.holding import DatabaseHeld, alone, holding, is_held
from headrace.db.tables import VERSION, accounts
from headrace.errors import SchemaMismatch
from tests.support.databases import sqlite

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def put(database: Database, name: str) -> None:
    with database.transaction() as con:
        con.execute(insert(accounts).values(account_id=name, bucket="b", created_at=1.0))


def names(database: Database) -> list[str]:
    with database.reading() as con:
        return list(con.scalars(select(accounts.c.account_id)))


def empty(folder: Path) -> Database:
    folder.mkdir()
    return Database.open(f"sqlite:///{folder / 'headrace.db'}")


def test_a_backup_holds_what_was_committed_and_not_what_is_under_way(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        put(database, "kept")
        with database.transaction() as con:
            con.execute(insert(accounts).values(account_id="open", bucket="b", created_at=1.0))
            file = backup(database, tmp_path, now=NOW)
    assert file.name == "headrace-20261127T090000Z.db"
    assert file.stat().st_mode & 0o777 == 0o600
    other = empty(tmp_path / "other")
    assert restore(other, file, force=False, used=False) == VERSION
    assert names(other) == ["kept"]
    other.dispose()


def test_a_file_that_exists_is_not_written_over(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        (tmp_path / "old").write_text("old")
        with pytest.raises(BackupFailed, match="exists"):
            backup(database, tmp_path / "old", now=NOW)
        with pytest.raises(BackupFailed, match="No such file"):
            backup(database, tmp_path / "gone" / "new", now=NOW)
    assert (tmp_path / "old").read_text() == "old"


def test_what_is_replaced_is_kept_beside_it_with_what_its_journal_held(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        put(database, "first")
        file = backup(database, tmp_path / "backup", now=NOW)
        put(database, "second")
        with pytest.raises(BackupFailed, match="--force"):
            restore(database, file, force=False, used=True)
        assert names(database) == ["first", "second"]
        database.dispose()
        restore(database, file, force=True, used=True)
        assert names(database) == ["first"]
        assert database.path is not None
        kept = Database.open(f"sqlite:///{database.path}.before")
        assert names(kept) == ["first", "second"]
        kept.dispose()


def test_the_journal_of_a_server_that_was_killed_goes_with_what_is_replaced(tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    with sqlite(tmp_path) as database:
        file = backup(database, tmp_path / "backup", now=NOW)
        put(database, "last")
        for path in tmp_path.glob("headrace.db*"):
            (killed / path.name).write_bytes(path.read_bytes())
    assert (killed / "headrace.db-wal").stat().st_size > 0
    found = Database.open(f"sqlite:///{killed / 'headrace.db'}")
    restore(found, file, force=True, used=True)
    assert names(found) == []
    found.dispose()
    kept = Database.open(f"sqlite:///{killed / 'headrace.db.before'}")
    assert names(kept) == ["last"]
    kept.dispose()


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_what_is_no_backup_is_refused_and_the_database_stands(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(content)
    with sqlite(tmp_path) as database:
        put(database, "kept")
        with pytest.raises(BackupFailed, match="is no backup"):
            restore(database, tmp_path / "bad", force=True, used=True)
        assert names(database) == ["kept"]


def test_a_backup_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        file = backup(database, tmp_path / "backup", now=NOW)
        with closing(sqlite3.connect(file)) as newer:
            newer.execute("UPDATE alembic_version SET version_num = '9999'")
            newer.commit()
        with pytest.raises(SchemaMismatch, match="newer Headrace"):
            restore(database, file, force=True, used=True)


def test_a_database_that_a_server_holds_is_not_replaced_and_none_begins_meanwhile(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        file = backup(database, tmp_path / "backup", now=NOW)
        assert not is_held(database)
        with holding(database), holding(database):
            assert is_held(database)
            with pytest.raises(DatabaseHeld, match="stop all of them"):
                restore(database, file, force=True, used=True)
        assert not is_held(database)
        with alone(database), pytest.raises(DatabaseHeld, match="being restored"), holding(database):
            pass
