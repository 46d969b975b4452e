"""Files that go to their final names in parts, and become objects there right before the commit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.errors import StoreBusy, StoreError
from headrace.stores.objects import ObjectStore
from headrace.stores.objects.client import Sizes
from headrace.stores.objects.leases import OWNER
from headrace.stores.publish import publication, snapshot
from tests.support.behind import Ahead, through
from tests.support.proxy import Proxy, proxied
from tests.support.publishing import BUCKET, place, publish, rows
from tests.support.roots import EARLY, LEASE, ObjectRoot
from tests.support.seaweed import Seaweed
from tests.support.waiting import until

pytestmark = pytest.mark.services


@pytest.fixture
def lake(seaweed: Seaweed, tmp_path: Path) -> ObjectRoot:
    return ObjectRoot(seaweed, tmp_path / "scratch", EARLY)


@pytest.fixture
def proxy(seaweed: Seaweed) -> Iterator[Proxy]:
    with proxied(seaweed.host) as running:
        yield running


EARLY_FAILURES = [("arrive", "part-00001"), ("write", "commit.json")]


@pytest.mark.parametrize("at", EARLY_FAILURES, ids=":".join)
def test_a_failure_before_the_commit_takes_back_what_came_early(at: tuple[str, str], lake: ObjectRoot) -> None:
    lake.put("out/old.csv", "old\n")
    store = lake.sick()
    store.sick = at
    with pytest.raises(StoreError):
        publish(store, "out", "OVERWRITE", ["1\n", "2\n"], run="run1")
    assert lake.keys() == ["out/old.csv"]
    assert lake.server.uploads(BUCKET) == []


def test_an_upload_that_somebody_ended_leaves_the_old_data(lake: ObjectRoot) -> None:
    """As a rule of the bucket may do with old ones."""
    lake.put("out/old.csv", "old\n")
    store = lake.store()
    with publication(store, [(place("out"), "OVERWRITE")], run="run1", attempt=1, wait=0) as started:
        for number in range(2):
            Path(started.stage(0).directory, f"{number}.csv").write_text("new\n")
        started.flush()
        lake.server.client().abort(BUCKET, "out/part-00001", lambda key: True)
        with pytest.raises(StoreError, match=r"'lake/out/part-00001-run1.csv' is not there as it was uploaded"):
            started.commit()
        assert rows(lake.store(), "out") == ["old"]
    assert lake.keys() == ["out/old.csv"]
    assert lake.server.uploads(BUCKET) == []


def test_what_is_sent_early_is_seen_by_nobody_before_the_commit(lake: ObjectRoot) -> None:
    lake.put("out/old.csv", "old\n")
    store = lake.store()
    with publication(store, [(place("out"), "OVERWRITE")], run="run1", attempt=1, wait=0) as started:
        Path(started.stage(0).directory, "x.csv").write_text("new\n")
        started.flush()
        assert lake.server.uploads(BUCKET) == ["out/part-00000-run1.csv"]
        assert lake.keys("out") == ["out/_headrace/commit.json", f"out/{OWNER}", "out/old.csv"]
        assert rows(lake.store(), "out") == ["old"]
        started.commit()
    assert lake.keys() == ["out/part-00000-run1.csv"]


def test_small_files_beside_large_ones_get_the_numbers_that_are_free(seaweed: Seaweed, tmp_path: Path) -> None:
    store = ObjectRoot(seaweed, tmp_path / "scratch", Sizes(upload_whole=3)).store()
    publish(store, "out", "OVERWRITE", ["1\n", "large\n", "2\n", "larger\n"], run="run1")
    found = snapshot(store, place("out")).objects
    assert [(each.key, each.size) for each in found] == [
        (f"out/part-0000{number}-run1.csv", size) for number, size in enumerate((6, 7, 2, 2))
    ]
    assert rows(store, "out") == ["1", "2", "large", "larger"]


@pytest.mark.parametrize("fault", ["busy", "drop", "lose", "hang"])
@pytest.mark.parametrize(("method", "path"), [("POST", "uploads"), ("PUT", "partNumber"), ("POST", "uploadId=")])
def test_a_fault_that_passes_is_not_noticed_by_what_goes_early(
    fault: Any, method: str, path: str, seaweed: Seaweed, proxy: Proxy, tmp_path: Path
) -> None:
    seaweed.put(BUCKET, "out/old.csv", b"old\n")
    store = through(seaweed, proxy, scratch=tmp_path, sizes=EARLY)
    rule = proxy.rule(fault, method, path, times=1)
    publish(store, "out", "OVERWRITE", ["1\n", "2\n"], run="run1")
    assert rule.met == 1
    assert rows(store, "out") == ["1", "2"]
    assert [key.split("/")[1][:4] for key in seaweed.keys(BUCKET)] == ["part", "part"]
    assert seaweed.uploads(BUCKET) == []


def test_a_new_holder_ends_what_the_old_one_still_sends(lake: ObjectRoot, tmp_path: Path) -> None:
    """The old one slept for longer than its lease, and wakes up when its place was mended and published to."""
    clock = Ahead()
    sleeper = ObjectStore(lambda bucket: lake.server.access(), scratch=tmp_path, sizes=EARLY, clock=clock, lease=LEASE)

    def sleep() -> None:
        with publication(sleeper, [(place("out"), "OVERWRITE")], run="run1", attempt=1, wait=0) as started:
            Path(started.stage(0).directory, "x.csv").write_text("late\n")
            started.flush()
            lake.take(f"out/{OWNER}")
            publish(lake.store(), "out", "APPEND", ["2\n"], run="run2")
            assert lake.server.uploads(BUCKET) == []
            clock.ahead = LEASE + 0.1
            started.commit()

    with pytest.raises(StoreBusy, match="was lost"):
        sleep()
    assert lake.keys() == ["out/part-00000-run2.csv"]


def test_an_object_that_was_written_again_with_equal_bytes_changes_the_mark(lake: ObjectRoot) -> None:
    store = lake.store()
    lake.put("a/x.csv", "row\n")
    before = store.listing(BUCKET, "a")
    assert store.listing(BUCKET, "a") == before

    def again() -> bool:
        lake.put("a/x.csv", "row\n")
        return store.listing(BUCKET, "a") != before

    until(again)  # ages are told in whole seconds by some
    assert store.listing(BUCKET, "a").objects == before.objects
