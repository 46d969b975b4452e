"""Files that came to their names before their publication was committed, as readers and the next run see them."""

import pytest

from headrace.errors import SourceChanged, StoreError, StoreMissing
from headrace.stores.base import Store
from headrace.stores.names import record_key
from headrace.stores.publish import Recovered, recover, snapshot, unchanged
from headrace.stores.records import Added, Announcement, Record, dump
from tests.support.publishing import place, publish, rows
from tests.support.roots import Root


@pytest.fixture
def lake(any_lake: Root) -> Root:
    return any_lake


@pytest.fixture
def store(lake: Root) -> Store:
    return lake.store()


def announced(lake: Root, prefix: str, texts: list[str], *, run: str = "dead", first: int = 0) -> None:
    """What is there of a run that died when some of its files had come, and no record."""
    lake.put(record_key(prefix), dump(Announcement(run, first)).decode())
    for number, text in enumerate(texts, start=first):
        lake.put(f"{prefix}/part-{number:05d}-{run}.csv", text)


def test_what_is_announced_is_not_data_for_any_reader(lake: Root, store: Store) -> None:
    lake.put("in/out/old.csv", "old\n")
    lake.put("in/other.csv", "other\n")
    announced(lake, "in/out", ["1\n", "2\n"])
    assert rows(store, "in/out") == ["old"]
    assert rows(store, "in") == rows(store, "") == ["old", "other"]
    with pytest.raises(StoreMissing):
        snapshot(store, place("in/out/part-00000-dead.csv"))


def test_what_is_announced_is_taken_back_by_the_next_run(lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    announced(lake, "out", ["1\n", "2\n"])
    publish(store, "out", "APPEND", ["3\n"], run="run1")
    assert rows(store, "out") == lake.plain_rows("out") == ["3", "old"]
    assert lake.ours() == []


def test_the_same_run_publishes_again_what_was_only_announced(lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    announced(lake, "out", ["1\n", "2\n"])
    assert not publish(store, "out", "OVERWRITE", ["1\n"], run="dead", attempt=2).skipped
    assert rows(store, "out") == lake.plain_rows("out") == ["1"]


def test_nothing_but_what_is_announced_is_taken_back(lake: Root, store: Store) -> None:
    kept = ["part-00000-dead.csv", "part-00001-other.csv", "part-00001-x-dead.csv", "sub/part-00001-dead.csv"]
    for name in kept:
        lake.put(f"out/{name}", f"{name}\n")
    announced(lake, "out", ["1\n"], first=1)
    assert rows(store, "out") == kept
    assert recover(store, place("out")) == Recovered(place("out"), forward=(), back=("out",))
    assert lake.keys() == [f"out/{name}" for name in kept]
    assert recover(store, place("out")) == Recovered(place("out"), forward=(), back=())


def test_ignore_does_not_see_what_is_announced_above(lake: Root, store: Store) -> None:
    announced(lake, "a", ["1\n"])
    assert not publish(store, "a/b", "IGNORE", ["2\n"], run="run2").skipped
    assert rows(store, "a") == ["2"]


def test_a_source_whose_new_files_are_announced_is_unchanged(lake: Root, store: Store) -> None:
    lake.put("a/b.csv", "row\n")
    found = snapshot(store, place("a"))
    announced(lake, "a", ["new\n"])
    unchanged(store, found)


def test_files_in_their_places_count_from_the_record_on(lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    announced(lake, "out", ["1\n", "2\n"])
    new = tuple(Added(f"part-0000{number}-dead.csv", 2, None) for number in range(2))
    lake.put(record_key("out"), dump(Record("dead", 1, "OVERWRITE", "dead-1", new, ("old.csv",))).decode())
    assert rows(store, "out") == ["1", "2"]
    lake.take("out/part-00001-dead.csv")
    with pytest.raises(SourceChanged):
        snapshot(store, place("out"))
    assert recover(store, place("out")) == Recovered(place("out"), forward=("out",), back=())
    assert rows(store, "out") == lake.plain_rows("out") == ["1"]
    assert lake.ours() == []


def test_a_failure_right_before_the_commit_leaves_the_old_data_and_nothing_else(lake: Root) -> None:
    store = lake.sick()
    store.sick = ("write", "out/_headrace/commit.json")
    lake.put("out/old.csv", "old\n")
    with pytest.raises(StoreError, match=r"commit\.json"):
        publish(store, "out", "OVERWRITE", ["1\n", "2\n"], run="run1")
    assert lake.plain_rows("") == ["old"]
    assert lake.ours() == []
