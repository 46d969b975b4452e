"""What is promised of our metadata holds on both databases: each test here runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.db import Database
from tests.support.databases import opened
from tests.support.queue import Line


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    return f"sqlite:///{tmp_path}/headrace.db"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with opened(url) as made:
        yield made


@pytest.fixture
def line(database: Database) -> Line:
    return Line(database)
