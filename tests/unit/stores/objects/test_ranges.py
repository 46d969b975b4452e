import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headrace.errors import Cancelled, SourceChanged
from headrace.stores.base import StoredObject
from headrace.stores.objects import ObjectStore
from headrace.stores.objects.client import Patience
from headrace.stores.objects.ranges import AHEAD, FIRST, RANGE, Ranges
from tests.support.proxy import proxied
from tests.support.publishing import BUCKET
from tests.support.seaweed import Seaweed

pytestmark = pytest.mark.services

TEXT = random.Random(1).randbytes(1 << 20) * 48
SIZE = len(TEXT)


@pytest.fixture
def found(seaweed: Seaweed) -> StoredObject:
    seaweed.put(BUCKET, "a/x.csv", TEXT)
    (only,) = ObjectStore(lambda bucket: seaweed.access()).listing(BUCKET, "a").objects
    return only


def ranges(seaweed: Seaweed, found: StoredObject) -> Ranges:
    return Ranges(seaweed.client(), ThreadPoolExecutor(4), found)


@pytest.mark.parametrize("step", [1000, FIRST, 5_000_000, 32_000_000, SIZE])
def test_all_bytes_come_in_order_whatever_is_asked_for(step: int, seaweed: Seaweed, found: StoredObject) -> None:
    assert found.origin is not None
    with found.origin.open(found) as file:
        parts = list(iter(lambda: file.read(step), b""))
    assert [len(part) for part in parts[:-1]] == [step] * (len(parts) - 1)
    assert b"".join(parts) == TEXT


@pytest.mark.parametrize("at", [0, 1, FIRST - 1, FIRST, FIRST + RANGE, SIZE - 1, SIZE])
def test_reading_goes_on_from_any_byte(at: int, seaweed: Seaweed, found: StoredObject) -> None:
    assert found.origin is not None
    with found.origin.open(found) as file:
        for start in (7, at, 0, at):
            assert file.seek(start) == start
            assert file.read(10) == TEXT[start : start + 10]


def test_who_looks_at_the_beginning_asks_for_no_more(seaweed: Seaweed, found: StoredObject) -> None:
    with proxied(seaweed.host) as proxy:
        access = seaweed.access()
        behind = type(access)(proxy.host, False, access.region, "path", "", access.access_key, access.secret_key)
        with ObjectStore(lambda bucket: behind).open(found) as file:
            assert file.read(100) == TEXT[:100]
            assert len(proxy.seen) == 1
            file.read(FIRST)
            assert len(proxy.seen) <= 2 + AHEAD


def test_an_object_that_changed_after_the_listing_is_not_read(seaweed: Seaweed) -> None:
    store = ObjectStore(lambda bucket: seaweed.access())
    seaweed.put(BUCKET, "a/x.csv", b"row\n")
    (found,) = store.listing(BUCKET, "a").objects
    seaweed.put(BUCKET, "a/x.csv", b"new\n")
    with store.open(found) as file, pytest.raises(SourceChanged, match=r"'lake/a/x.csv': it has changed"):
        file.read()
    seaweed.client().drop(BUCKET, ["a/x.csv"])
    with store.open(found) as file, pytest.raises(SourceChanged, match=r"'lake/a/x.csv' is gone"):
        file.read()


def test_an_object_that_changes_in_the_middle_is_told(seaweed: Seaweed, found: StoredObject) -> None:
    file = ranges(seaweed, found)
    assert file.read(10) == TEXT[:10]
    seaweed.put(BUCKET, "a/x.csv", TEXT[:-1] + b"!")
    file.seek(FIRST)
    with pytest.raises(SourceChanged, match=r"'lake/a/x.csv'"):
        file.read(10)


def test_a_reader_that_waits_hears_that_it_is_to_stop(seaweed: Seaweed, found: StoredObject, tmp_path: Path) -> None:
    def stop() -> None:
        raise Cancelled("stopped")

    with proxied(seaweed.host) as proxy:
        proxy.rule("hang")
        access = seaweed.access()
        behind = type(access)(proxy.host, False, access.region, "path", "", access.access_key, access.secret_key)
        store = ObjectStore(lambda bucket: behind, patience=Patience(attempts=1, answer=20))
        with store.open(found, stop) as file, pytest.raises(Cancelled):
            file.read(10)
        proxy.over.set()
