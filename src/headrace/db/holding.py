"""Who works with a database just now: a server says so as long as it lives, however it ends.

On SQLite it is a lock on a file beside the database, which the kernel drops with its process. On PostgreSQL it is the
name of the server's connections.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from headrace.db.session import SERVER_NAME, Database
from headrace.errors import DatabaseFailed, HeadraceError

_SERVERS = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name = :name AND pid <> pg_backend_pid()"
)


class DatabaseHeld(HeadraceError):
    """A server works with the database."""

    code = "database-held"


@contextmanager
def holding(database: Database) -> Iterator[None]:
    """Say that a server works with the database. Raises DatabaseHeld while somebody restores it."""
    with _locked(database, fcntl.LOCK_SH) as free:
        if not free:
            raise DatabaseHeld("the database is being restored", hint="start again when that is done")
        yield


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Let no server begin meanwhile (on SQLite). Raises DatabaseHeld when one works with the database."""
    with _locked(database, fcntl.LOCK_EX) as free:
        if not free or _connected(database):
            raise DatabaseHeld("a server or worker works with the database", hint="stop all of them first")
        yield


def is_held(database: Database) -> bool:
    """Whether a server or a worker works with the database."""
    if database.path is not None and not _lock_of(database.path).exists():
        return False
    with _locked(database, fcntl.LOCK_EX) as free:
        return not free or _connected(database)


@contextmanager
def _locked(database: Database, kind: int) -> Iterator[bool]:
    """The lock, when it is free."""
    if database.path is None:
        yield True
        return
    handle = _opened(_lock_of(database.path))
    try:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseFailed(f"{path}: {error.strerror}", hint="let this user write in the data folder") from None


def _connected(database: Database) -> bool:
    if database.path is not None:
        return False
    with database.reading() as con:
        return bool(con.execute(_SERVERS, {"name": SERVER_NAME}).scalar())
