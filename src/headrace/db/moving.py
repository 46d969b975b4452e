"""The rows of a SQLite database brought into PostgreSQL: where a server goes that has grown."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, MetaData, Table, delete, func, insert, select

from headrace.db.session import Database
from headrace.db.tables import METADATA
from headrace.db.upgrading import upgrade

_MAGIC = b"SQLite format 3\0"
_ROWS_AT_ONCE = 1000


def is_sqlite(file: Path) -> bool:
    """Whether a file begins as a SQLite database does."""
    with file.open("rb") as head:
        return head.read(len(_MAGIC)) == _MAGIC


def move(file: Path, database: Database) -> None:
    """Fill a PostgreSQL database with what a SQLite file holds in place of what is there, in one transaction."""
    with TemporaryDirectory(prefix="headrace-") as folder:
        # A copy: its tables may have to be brought to this version, and opening it would change the file.
        copy = Path(folder, "headrace.db")
        shutil.copyfile(file, copy)
        source = Database.open(f"sqlite:///{copy}")
        try:
            source.upgrade()
            with source.reading() as old, database.transaction() as new:
                _make_anew(new)
                for table in METADATA.sorted_tables:
                    _fill(new, table, old)
        finally:
            source.dispose()


def _make_anew(con: Connection) -> None:
    METADATA.drop_all(con)
    Table("alembic_version", MetaData()).drop(con, checkfirst=True)
    upgrade(con)
    # Some migrations bring rows; the file has them too, unless somebody has removed them.
    for table in reversed(METADATA.sorted_tables):
        con.execute(delete(table))


def _fill(con: Connection, table: Table, old: Connection) -> None:
    """Copy the rows of a table, and let the ids that the database gives go on behind theirs."""
    rows = old.execute(select(table).execution_options(yield_per=_ROWS_AT_ONCE)).mappings()
    for some in rows.partitions():
        con.execute(insert(table), [dict(row) for row in some])
    counted = table.autoincrement_column
    if counted is not None:
        last = con.scalar(select(func.max(counted)))
        if last is not None:
            con.execute(select(func.setval(func.pg_get_serial_sequence(table.name, counted.name), last)))
