import os
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from headrace.errors import SourceChanged, StoreError, StoreMissing
from headrace.stores.base import Listing, Store
from headrace.stores.files import FolderStore
from headrace.stores.publish import snapshot, unchanged
from tests.support.publishing import BUCKET, keys, place, publish, put
from tests.support.roots import Root
from tests.support.sick import cut_short


@pytest.fixture
def store(lake: Root) -> Store:
    return lake.store()


def test_a_prefix_is_a_folder_with_all_below_it_sorted_by_key(lake: Root, store: Store) -> None:
    for key in ("a1/z.csv", "a1/b/c.csv", "a1/한 글.csv", "a1/a.csv", "a10/x.csv", "a/x.csv", "a1.csv"):
        lake.put(key, key)
    assert keys(store, "a1") == ["a1/a.csv", "a1/b/c.csv", "a1/z.csv", "a1/한 글.csv"]
    assert keys(store, "a1/") == keys(store, "a1")


def test_a_prefix_is_an_object_of_this_very_name(lake: Root, store: Store) -> None:
    lake.put("a/b.csv", "row\n")
    assert keys(store, "a/b.csv") == ["a/b.csv"]
    with pytest.raises(StoreMissing):
        snapshot(store, place("a/b.csv/"))


def test_an_empty_prefix_is_the_whole_bucket(lake: Root, store: Store) -> None:
    lake.put("a/b.csv", "row\n")
    lake.put("c.csv", "row\n")
    assert keys(store, "") == ["a/b.csv", "c.csv"]


def test_a_name_with_a_part_that_begins_with_underscore_or_dot_is_not_data(lake: Root, store: Store) -> None:
    for key in ("a/_SUCCESS", "a/.x.csv", "a/_tmp/x.csv", "a/.git/x/y.csv", "a/b/_c/d.csv", "a/b_/c.csv"):
        lake.put(key, "row\n")
    assert keys(store, "a") == ["a/b_/c.csv"]


@pytest.mark.parametrize("prefix", ["nothing", "a/nothing.csv", "a/_x", "empty"])
def test_no_data_is_an_error_that_names_bucket_and_prefix(prefix: str, lake: Root, store: Store) -> None:
    lake.put("a/b.csv", "row\n")
    lake.put("empty/_x", "")
    with pytest.raises(StoreError, match=rf"bucket 'lake' has no data under prefix '{prefix}'|'a/_x' can't hold data"):
        snapshot(store, place(prefix))


def test_a_place_that_never_stands_still_is_not_read(root: Path) -> None:
    class Restless(FolderStore):
        listed = 0

        def listing(self, bucket: str, prefix: str) -> Listing:
            self.listed += 1
            return replace(super().listing(bucket, prefix), mark=str(self.listed))

    put(root, "a/b.csv", "row\n")
    store = Restless(root)
    with pytest.raises(SourceChanged, match=r"'lake/a' did not stand still"):
        snapshot(store, place("a"))
    assert store.listed < 100


def test_an_unchanged_source_may_gain_objects(lake: Root, store: Store) -> None:
    lake.put("a/b.csv", "row\n")
    found = snapshot(store, place("a"))
    lake.put("a/c.csv", "row\n")
    unchanged(store, found)


def test_a_source_that_changed_is_named(lake: Root, store: Store) -> None:
    lake.put("a/b.csv", "row\n")
    found = snapshot(store, place("a"))
    lake.put("a/b.csv", "longer\n")
    with pytest.raises(SourceChanged, match=r"'lake/a/b.csv' has changed"):
        unchanged(store, found)
    lake.take("a/b.csv")
    with pytest.raises(SourceChanged, match=r"'lake/a/b.csv' is gone"):
        unchanged(store, found)


def test_a_source_that_was_overwritten_is_not_unchanged(lake: Root, store: Store) -> None:
    lake.put("a/b.csv", "row\n")
    found = snapshot(store, place("a"))
    cut_short(lake, "a", ["new\n"], run="run1", at=("move", "part-00000"))
    with pytest.raises(SourceChanged, match=r"'lake/a/b.csv' is gone"):
        unchanged(store, found)


def _between_steps(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], object]) -> Callable[[], bool]:
    """Do something before the n-th folder is looked into; gives whether it came to that."""
    scandir = os.scandir
    looked = count(1)
    acted: list[int] = []

    def interrupted(path: str) -> object:
        if next(looked) == step and not acted:
            acted.append(step)
            act()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", interrupted)
    return lambda: bool(acted)


@pytest.mark.parametrize("cut", [None, ("move", "part-00000"), ("move", "part-00001"), ("remove", "sub/old 2")])
def test_a_publication_between_any_two_steps_of_a_listing_does_not_tear_it(
    cut: tuple[str, str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ["out/a/old 1", "out/old 0", "out/sub/old 2"]
    new = ["out/part-00000-run1.csv", "out/part-00001-run1.csv"]
    seen = []
    for step in count(1):
        root = tmp_path / str(step)
        store = FolderStore(root)
        for key in old:
            put(root, key, "old\n")

        def act(root: Path = root, store: FolderStore = store) -> None:
            if cut:
                cut_short(root, "out", ["1\n", "2\n"], run="run1", at=cut)
            else:
                publish(store, "out", "OVERWRITE", ["1\n", "2\n"], run="run1")

        with monkeypatch.context() as patch:
            acted = _between_steps(patch, step, act)
            seen.append(keys(store, "out"))
        if not acted():
            break
    assert [each for each in seen if each not in (old, new)] == []
    assert new in seen
    assert len(seen) > 4


def test_a_name_that_came_and_went_changes_the_mark(root: Path) -> None:
    store = FolderStore(root)
    put(root, "a/b.csv", "row\n")
    os.utime(root / BUCKET / "a", (1, 1))
    before = store.listing(BUCKET, "a")
    put(root, "a/c.csv", "row\n").unlink()
    after = store.listing(BUCKET, "a")
    assert before.objects == after.objects
    assert before.mark != after.mark
