"""Databases of the tests' own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import column, table, update

from headrace.db import Database


@contextmanager
def sqlite(folder: Path, *, upgraded: bool = True) -> Iterator[Database]:
    """A database in a file of this folder, with its tables unless they are not wanted."""
    with opened(f"sqlite:///{folder}/headrace.db", upgraded=upgraded) as database:
        yield database


@contextmanager
def opened(url: str, *, upgraded: bool = True) -> Iterator[Database]:
    """The database at an address; its connections are closed at the end."""
    database = Database.open(url)
    try:
        if upgraded:
            database.upgrade()
        yield database
    finally:
        database.dispose()


def stamp(database: Database, version: str) -> None:
    """Make the database say that it has another version of the schema."""
    with database.transaction() as con:
        con.execute(update(table("alembic_version", column("version_num"))).values(version_num=version))
