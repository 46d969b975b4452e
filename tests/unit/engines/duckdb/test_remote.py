from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from headrace.engines.duckdb import remote
from headrace.stores.access import Access
from headrace.stores.base import StoredObject
from headrace.stores.objects import ObjectStore
from tests.support.lake import Lake
from tests.support.proxy import proxied
from tests.support.publishing import BUCKET
from tests.support.seaweed import Seaweed

pytestmark = pytest.mark.services


@pytest.fixture
def found(seaweed: Seaweed, tmp_path: Path) -> StoredObject:
    seaweed.put(BUCKET, "in/a b+한.parquet", Lake(tmp_path).put_parquet("x.parquet", id=[1, 2]).read_bytes())
    (only,) = ObjectStore(lambda bucket: seaweed.access()).listing(BUCKET, "in").objects
    return only


def rows(found: StoredObject, access: Access) -> int:
    with duckdb.connect() as con:
        remote.prepare(con, [replace(found, origin=ObjectStore(lambda bucket: access))])
        return len(con.execute(f"SELECT * FROM read_parquet('{found.location}')").fetchall())


def test_parquet_is_read_over_tls_with_an_own_authority(seaweed: Seaweed, found: StoredObject) -> None:
    assert rows(found, seaweed.secure_access()) == 2
    with pytest.raises(duckdb.IOException):
        rows(found, replace(seaweed.secure_access(), ca_bundle=""))


def test_parquet_is_read_with_the_bucket_in_the_name_of_the_host(seaweed: Seaweed, found: StoredObject) -> None:
    """The engine's extension looks such names up by itself: those below `localhost` are here."""
    assert rows(found, seaweed.virtual_access()) == 2


def test_the_engine_sends_and_signs_a_session_token(seaweed: Seaweed, found: StoredObject) -> None:
    with proxied(seaweed.host) as proxy:
        with pytest.raises(duckdb.Error):
            rows(found, replace(seaweed.access(), host=proxy.host, session_token="temporary/token"))
        (head, *_) = [head.lower() for head in proxy.heads]
    assert "\nx-amz-security-token: temporary/token" in head
    assert "x-amz-security-token" in next(line for line in head.splitlines() if "signedheaders=" in line)
