"""One Spark Connect session for all tests of this folder: of Sail, or of the Spark that is named."""

from collections.abc import Iterator

import pytest

from tests.parity.running import SERVER, WHY_SKIPPED, Spark, settle


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/parity/" in item.path.as_posix():
            item.add_marker(pytest.mark.parity)


@pytest.fixture(scope="session")
def spark() -> Iterator[Spark]:
    sail = pytest.importorskip("pysail.spark", reason=WHY_SKIPPED)
    from pyspark.sql import SparkSession

    server = None
    address = SERVER
    if not address:
        server = sail.SparkConnectServer("127.0.0.1", 0)
        server.start(background=True)
        address = f"sc://127.0.0.1:{server.listening_address[1]}"
    try:
        session = SparkSession.builder.remote(address).getOrCreate()
        try:
            settle(session)
            yield Spark(session)
        finally:
            session.stop()
    finally:
        if server is not None:
            server.stop()
