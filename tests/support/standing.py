"""Processes that stand still, as on a machine that hangs, at a moment at which they hold up nobody else.

Whoever is stopped inside a write transaction keeps SQLite's write lock, and nobody writes until it goes on. That is
how SQLite works; a test that let it happen would see it now and then.
"""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from headrace.db import Database
from tests.support.waiting import until

_PATIENCE = 0.5


@contextmanager
def still(pid: int, database: Database) -> Iterator[None]:
    """The process stands still meanwhile, holds no write lock of the database, and goes on at the end."""
    until(lambda: _halts(pid, database))
    try:
        yield
    finally:
        _go_on(pid)


def halted(pid: int) -> bool:
    """Whether all threads of the process stand still: a signal is on its way for a moment."""
    return all(_state(path) in "TX" for path in Path(f"/proc/{pid}/task").iterdir())


def has_ended(pid: int) -> bool:
    """Whether a process has ended, even though its parent may not have heard of it yet."""
    return _state(Path(f"/proc/{pid}")) in "ZX"


def takes_writes(database: Database, *, patience: float = _PATIENCE) -> bool:
    """Whether the database lets somebody begin to write within so many seconds. On PostgreSQL writers wait for rows."""
    if database.path is None:
        return True
    with closing(sqlite3.connect(database.path, timeout=patience, isolation_level=None)) as con:
        try:
            con.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_BUSY":
                return False
            raise
        con.execute("ROLLBACK")
    return True


def _state(process: Path) -> str:
    """The letter by which the kernel tells the state of a process, or of a thread, by its folder in /proc."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _halts(pid: int, database: Database) -> bool:
    """Stop the process; one that holds the write lock goes on, until somebody else has it."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: halted(pid))
    if takes_writes(database):
        return True
    _go_on(pid)
    until(lambda: takes_writes(database))
    return False


def _go_on(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
