"""What the tests' own means to make a process stand still promises."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import connect

import pytest

from headrace.db import Database
from tests.support.databases import sqlite
from tests.support.standing import halted, still, takes_writes
from tests.support.waiting import until

pytestmark = pytest.mark.fault

# Holds the write lock nearly all the time, for as long as a commit takes on a slow disk.
WRITER = """
import sqlite3, sys, time
con = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
while True:
    con.execute("BEGIN IMMEDIATE")
    time.sleep(0.05)
    con.execute("COMMIT")
    time.sleep(0.005)
"""


@contextmanager
def writer(database: Database) -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(database.path)]) as process:
        until(lambda: not takes_writes(database, patience=0.0))
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with sqlite(tmp_path) as made:
        yield made


def test_a_process_that_stands_still_holds_up_no_other_writer(database: Database) -> None:
    with writer(database) as pid:
        for _ in range(5):
            with still(pid, database):
                assert halted(pid)
                assert takes_writes(database, patience=0.0)
            until(lambda: not halted(pid))


def test_a_database_that_somebody_writes_to_takes_no_other_write(database: Database) -> None:
    assert database.path is not None
    with closing(connect(database.path, isolation_level=None)) as con:
        con.execute("BEGIN IMMEDIATE")
        assert not takes_writes(database, patience=0.0)
        con.execute("ROLLBACK")
    assert takes_writes(database, patience=0.0)
