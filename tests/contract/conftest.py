"""A server for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.jobs import Json
from tests.support.server import Server

JOBS = "/api/v1/jobs"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A fresh server, on SQLite in a folder."""
    started = Server.start(tmp_path)
    yield started
    started.database.dispose()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Json]]:
    """A server with one job, that nothing here may change."""
    started = Server.start(tmp_path_factory.mktemp("server"), rate_limit="0")
    job = started.made()
    yield started, job
    assert started.ask("GET", JOBS).json()["count"] == 1
    assert started.ask("GET", f"{JOBS}/{job['jobId']}").json() == job
    assert started.ask("GET", f"{JOBS}/{job['jobId']}/executions").json()["count"] == 0
    started.database.dispose()
