import os
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.errors import SourceChanged, StoreError, StoreMissing
from headrace.stores.base import Store
from headrace.stores.files import FolderStore
from headrace.stores.publish import Recovered, recover, snapshot
from tests.support.publishing import BUCKET, place, publish, publish_all, put, rows
from tests.support.roots import Root
from tests.support.sick import cut_short


@pytest.fixture
def store(lake: Root) -> Store:
    return lake.store()


def test_staging_that_a_dead_run_left_goes_with_the_next_publication(lake: Root, store: Store) -> None:
    lake.put("out/_headrace/dead-1/x.csv", "dead\n")
    lake.put("out/sub/_headrace/dead-1/_temporary/x.csv", "dead\n")
    lake.put("out/sub/old.csv", "old\n")
    publish(store, "out", "APPEND", ["new\n"], run="run1")
    assert rows(store, "out") == ["new", "old"]
    assert lake.ours() == []


CUTS = [("move", "part-00000"), ("move", "part-00001"), ("remove", "sub/old.csv"), ("remove", "commit.json")]


@pytest.mark.parametrize("at", CUTS, ids=":".join)
def test_a_publication_that_was_cut_short_is_the_new_generation_for_all_readers(
    at: tuple[str, str], lake: Root, store: Store
) -> None:
    lake.put("in/out/old.csv", "old\n")
    lake.put("in/out/sub/old.csv", "old\n")
    lake.put("in/other.csv", "other\n")
    cut_short(lake, "in/out", ["1\n", "2\n"], run="run1", at=at)
    assert rows(store, "in/out") == ["1", "2"]
    assert rows(store, "in") == rows(store, "") == ["1", "2", "other"]
    assert rows(store, "in/out/part-00000-run1.csv") == ["1"]
    for gone in ("in/out/sub", "in/out/sub/old.csv", "in/out/old.csv"):
        with pytest.raises(StoreMissing):
            snapshot(store, place(gone))
    assert len(lake.plain_rows("in/out")) >= 2


@pytest.mark.parametrize("at", CUTS, ids=":".join)
def test_the_next_run_finishes_what_was_cut_short(at: tuple[str, str], lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    lake.put("out/sub/old.csv", "old\n")
    cut_short(lake, "out", ["1\n", "2\n"], run="run1", at=at)
    assert publish(store, "out", "APPEND", ["1\n", "2\n"], run="run1", attempt=2).skipped
    publish(store, "out", "APPEND", ["3\n"], run="run2")
    assert rows(store, "out") == lake.plain_rows("out") == ["1", "2", "3"]
    assert lake.ours() == []
    assert lake.keys("out/sub") == []


@pytest.mark.parametrize("at", CUTS, ids=":".join)
def test_an_overwrite_above_removes_what_was_cut_short_below(at: tuple[str, str], lake: Root, store: Store) -> None:
    lake.put("a/b/old.csv", "old\n")
    lake.put("a/b/sub/old.csv", "old\n")
    cut_short(lake, "a/b", ["1\n", "2\n"], run="run1", at=at)
    publish(store, "a", "OVERWRITE", ["3\n"], run="run2")
    assert rows(store, "a") == lake.plain_rows("a") == ["3"]
    assert lake.ours() == []


def test_a_name_that_a_record_above_is_about_to_remove_is_not_given_again(lake: Root, store: Store) -> None:
    publish(store, "a/b", "OVERWRITE", ["1\n"], run="run1")
    cut_short(lake, "a", ["2\n"], run="run2", at=("remove", "commit.json"))
    publish(store, "a/b", "APPEND", ["3\n"], run="run1", attempt=2)
    assert rows(store, "a") == ["2", "3"]
    recover(store, place("a"))
    assert rows(store, "a") == ["2", "3"]


def test_ignore_does_not_see_what_a_record_above_has_taken_away(lake: Root, store: Store) -> None:
    lake.put("a/b/old.csv", "old\n")
    cut_short(lake, "a", ["1\n"], run="run1", at=("move", "part-00000"))
    assert not publish(store, "a/b", "IGNORE", ["2\n"], run="run2").skipped
    recover(store, place("a"))
    assert rows(store, "a") == ["1", "2"]


def test_recover_says_which_way_it_rolled(lake: Root, store: Store) -> None:
    lake.put("a/forward/old.csv", "old\n")
    cut_short(lake, "a/forward", ["1\n"], run="run1", at=("move", "part-00000"))
    lake.put("a/back/_headrace/dead-1/x.csv", "dead\n")
    assert recover(store, place("a")) == Recovered(place("a"), forward=("a/forward",), back=("a/back",))
    assert recover(store, place("a")) == Recovered(place("a"), forward=(), back=())
    assert lake.plain_rows("") == ["1"]


def test_a_failure_between_two_records_says_which_target_was_published(lake: Root) -> None:
    store = lake.sick()
    store.sick = ("write", "b/_headrace")
    lake.put("b/old.csv", "old\n")
    with pytest.raises(StoreError) as caught:
        publish_all(store, {"a": "OVERWRITE", "b": "OVERWRITE"}, [{"x.csv": "0\n"}, {"x.csv": "1\n"}], run="run1")
    assert caught.value.__notes__ == ["'lake/a' had been published by then"]
    assert (rows(store, "a"), rows(store, "b")) == (["0"], ["old"])
    assert lake.ours() == []


def test_a_generation_that_lost_a_file_is_not_read_as_a_smaller_one(lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    cut_short(lake, "out", ["1\n", "2\n"], run="run1", at=("move", "part-00001"))
    lake.take("out/part-00000-run1.csv")
    with pytest.raises(SourceChanged):
        snapshot(store, place("out"))
    recover(store, place("out"))
    assert rows(store, "out") == ["2"]


@pytest.mark.parametrize("key", ["out/part-00000-run1.csv", "out/_headrace/run1-1/data_1.csv"])
def test_a_new_file_that_is_not_as_long_as_it_was_committed_is_not_read(key: str, lake: Root, store: Store) -> None:
    cut_short(lake, "out", ["1\n", "2\n"], run="run1", at=("move", "part-00001"))
    lake.put(key, "")
    with pytest.raises(SourceChanged):
        snapshot(store, place("out"))


def test_a_record_of_somebody_else_stops_readers_and_writers(lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    lake.put("out/_headrace/commit.json", '{"version": 1, "remove": ["../../secret.csv"]}')
    for prefix in ("out", ""):
        with pytest.raises(StoreError, match=r"'lake/out/_headrace/commit.json' can't be followed"):
            snapshot(store, place(prefix))
    with pytest.raises(StoreError, match="can't be followed"):
        publish(store, "out", "APPEND", ["1\n"], run="run1")


def test_every_step_has_lasted_before_the_next_one_counts_on_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a power cut must not reorder: the new files, the record, their names, the removals, the record's end."""
    done: list[str] = []
    base = str(root / BUCKET) + "/"

    def noting(what: str, call: Callable[..., None], *, which: int = 0) -> Callable[..., None]:
        def noted(*args: str | Path | int, **kwargs: int) -> None:
            path = os.readlink(f"/proc/self/fd/{args[0]}") if what == "sync" else str(args[which])
            done.append(f"{what} {path.removeprefix(base)}")
            call(*args, **kwargs)

        return noted

    for what, name, which in (
        ("sync", "fsync", 0),
        ("name", "rename", 1),
        ("name", "replace", 1),
        ("drop", "unlink", 0),
    ):
        monkeypatch.setattr(os, name, noting(what, getattr(os, name), which=which))
    put(root, "out/sub/old.csv", "old\n")
    publish(FolderStore(root), "out", "OVERWRITE", ["1\n"], run="run1")
    assert done == [
        "sync out/_headrace/run1-1/data_0.csv",
        "sync out/_headrace/run1-1",
        "sync out/_headrace",
        "sync out",
        f"sync {base[:-1]}",
        "sync out/_headrace/.commit.json.new",
        "name out/_headrace/commit.json",
        "sync out/_headrace",
        "name out/part-00000-run1.csv",
        "sync out",
        "drop out/sub/old.csv",
        "sync out/sub",
        "drop out/_headrace/commit.json",
        "sync out/_headrace",
    ]
