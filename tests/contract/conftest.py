"""A server for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A fresh server, on SQLite in a folder."""
    started = Server.start(tmp_path)
    yield started
    started.database.dispose()
