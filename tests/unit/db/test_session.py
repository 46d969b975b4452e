import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from headrace import mounts
from headrace.db import Database
from headrace.db.session import News, changing
from headrace.db.tables import VERSION, accounts, attempts
from headrace.errors import DatabaseFailed, SchemaMismatch, SettingInvalid
from tests.support.databases import sqlite, stamp
from tests.support.waiting import until


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with sqlite(tmp_path) as opened:
        yield opened


def test_a_transaction_keeps_all_or_nothing(database: Database) -> None:
    row = {"account_id": "main", "bucket": "bucket", "created_at": 1.0}
    with suppress(ZeroDivisionError), database.transaction() as con:
        con.execute(insert(accounts).values(row))
        raise ZeroDivisionError
    with database.transaction() as con:
        assert con.execute(select(accounts)).all() == []
        con.execute(insert(accounts).values(row))
    with database.reading() as con:
        assert con.scalar(select(accounts.c.bucket)) == "bucket"


def test_a_reader_sees_one_moment_and_holds_up_no_writer(database: Database) -> None:
    with database.reading() as reader:
        assert reader.execute(select(accounts)).all() == []
        with database.transaction() as con:
            con.execute(insert(accounts).values(account_id="main", bucket="bucket", created_at=1.0))
        assert reader.execute(select(accounts)).all() == []


def test_sqlite_keeps_what_it_said_it_kept_and_checks_keys_between_tables(database: Database) -> None:
    with database.reading() as con:
        pragmas = {name: con.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}
    with pytest.raises(IntegrityError), database.transaction() as con:
        con.execute(insert(attempts).values(execution_id="none", number=1, worker="w", started_at=1.0))


def test_a_new_file_and_its_journal_are_their_owners_alone(database: Database) -> None:
    assert database.path is not None
    files = [database.path, *database.path.parent.glob("headrace.db-*")]
    assert len(files) > 1
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_upgrading_again_changes_nothing(database: Database) -> None:
    database.upgrade()
    database.check_version()


def test_a_database_without_tables_is_refused_with_what_to_do(tmp_path: Path) -> None:
    says = "no tables yet; make them: headrace db upgrade"
    with sqlite(tmp_path, upgraded=False) as database, pytest.raises(SchemaMismatch, match=says):
        database.check_version()


@pytest.mark.parametrize(("found", "says"), [("0000", "this program needs"), ("9999", "use the newer Headrace")])
def test_an_older_or_newer_schema_is_refused_with_what_to_do(database: Database, found: str, says: str) -> None:
    stamp(database, found)
    with pytest.raises(SchemaMismatch, match=f"schema {found}.*{says}"):
        database.check_version()


def test_a_newer_schema_is_not_touched(database: Database) -> None:
    stamp(database, "9999")
    with pytest.raises(SchemaMismatch, match=VERSION):
        database.upgrade()


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "sqlite://", "sqlite:///:memory:", "no address", "postgresql://h/d"]
)
def test_an_address_that_is_none_is_refused_with_those_that_are(url: str) -> None:
    with pytest.raises(SettingInvalid, match="sqlite:///path/to/file"):
        Database.open(url)


def test_a_database_that_can_not_be_opened_is_told_in_its_own_words(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/missing/file.db")
    with pytest.raises(DatabaseFailed, match="unable to open database file"), database.transaction():
        pass


def test_an_error_does_not_tell_the_values_of_its_statement(database: Database) -> None:
    with pytest.raises(DatabaseFailed) as caught, database.transaction() as con:
        con.exec_driver_sql("SELECT * FROM nowhere WHERE secret = ?", ("s3cret",))
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_file_on_a_network_file_system_is_refused_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "on_network", lambda path: path.startswith(str(tmp_path)))
    with pytest.raises(SettingInvalid, match="network file system"):
        Database.open(f"sqlite:///{tmp_path / 'headrace.db'}")
    assert not list(tmp_path.iterdir())


def test_a_change_is_counted_when_it_is_committed_and_not_when_it_is_undone(database: Database) -> None:
    with suppress(ZeroDivisionError), database.transaction() as con:
        changing(con, "keys")
        raise ZeroDivisionError
    assert database.changes("keys") == 0
    with database.transaction() as con:
        changing(con, "keys")
        assert database.changes("keys") == 0
    assert (database.changes("keys"), database.changes("others")) == (1, 0)


def test_writers_of_one_process_go_on_in_the_order_in_which_they_came(database: Database) -> None:
    begun: list[int] = []

    def write(number: int) -> None:
        with database.transaction():
            begun.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    with database.transaction():
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda waiting=number + 1: len(database._writing._waiting) == waiting)  # type: ignore[misc,union-attr]
    for thread in threads:
        thread.join(10)
    assert begun == [0, 1, 2, 3, 4]


def test_a_writer_that_waits_too_long_for_another_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.db.session._BUSY_SECONDS", 0.05)
    failed: list[DatabaseFailed] = []

    def write() -> None:
        try:
            with database.transaction():
                raise AssertionError("it was not its turn")
        except DatabaseFailed as error:
            failed.append(error)

    with database.transaction():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(10)
    assert "busy" in str(failed[0])
    with database.transaction() as con:
        assert con.execute(select(accounts)).all() == []


def test_news_come_once_for_what_this_process_has_changed_since_it_was_asked(database: Database) -> None:
    news = News(database, "keys")
    assert not news.came()
    with suppress(ZeroDivisionError), database.transaction() as con:
        changing(con, "keys")
        raise ZeroDivisionError
    assert not news.came()
    with database.transaction() as con:
        changing(con, "keys")
        changing(con, "others")
    assert (news.came(), news.came()) == (True, False)
