"""What is promised of our metadata holds on both databases: each test here runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.db import Database
from headrace.ids import new_id
from tests.support.databases import opened
from tests.support.postgres import Postgres
from tests.support.queue import Line


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    return _address(kind, request, tmp_path / "headrace.db")


@pytest.fixture
def other_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of another empty database."""
    return _address(kind, request, tmp_path / "other.db")


def _address(kind: str, request: pytest.FixtureRequest, file: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{file}"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.create(f"test_{new_id().lower()}")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with opened(url) as made:
        yield made


@pytest.fixture
def line(database: Database) -> Line:
    return Line(database)
