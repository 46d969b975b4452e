from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from headrace.errors import StoreBusy, StoreDenied, StoreMissing
from headrace.plan.ops import Place, UpdateType
from headrace.stores.base import Store
from headrace.stores.publish import Published, publication, recover, snapshot
from tests.support.publishing import BUCKET, keys, place, publish, publish_all, rows
from tests.support.roots import Root

MODES: list[UpdateType] = ["OVERWRITE", "APPEND", "IGNORE"]


@pytest.fixture
def lake(any_lake: Root) -> Root:
    return any_lake


@pytest.fixture
def store(lake: Root) -> Store:
    return lake.store()


def test_overwrite_takes_the_place_of_all_that_was_there(lake: Root, store: Store) -> None:
    for key in ("out/old.csv", "out/a/b/old.csv", "out/_log/keep.txt", "out0/neighbour.csv"):
        lake.put(key, "old\n")
    published = publish(store, "out", "OVERWRITE", ["1\n", "2\n"], run="run1")
    found = snapshot(store, place("out"))
    assert published == Published(place("out"), "OVERWRITE", found.objects, removed=2, skipped=False)
    assert [each.key for each in found.objects] == ["out/part-00000-run1.csv", "out/part-00001-run1.csv"]
    assert rows(store, "out") == ["1", "2"]
    assert rows(store, "out0") == ["old"]
    assert lake.keys("out") == ["out/_log/keep.txt", "out/part-00000-run1.csv", "out/part-00001-run1.csv"]


def test_append_adds(lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    published = publish(store, "out/", "APPEND", ["1\n"], run="run1")
    assert (published.removed, published.skipped) == (0, False)
    assert rows(store, "out") == ["1", "old"]


def test_ignore_writes_only_where_there_is_no_data(lake: Root, store: Store) -> None:
    lake.put("out/_SUCCESS", "")
    assert not publish(store, "out", "IGNORE", ["1\n"], run="run1").skipped
    assert publish(store, "out", "IGNORE", ["2\n"], run="run2") == Published(
        place("out"), "IGNORE", (), removed=0, skipped=True
    )
    assert rows(store, "out") == ["1"]
    assert lake.ours() == []


def test_ignore_looks_when_it_commits(lake: Root, store: Store) -> None:
    with publication(store, [(place("out"), "IGNORE")], run="run1", attempt=1, wait=0) as started:
        Path(started.stage(0).directory, "x.csv").write_text("mine\n")
        lake.put("out/theirs.csv", "theirs\n")
        (published,) = started.commit()
    assert published.skipped
    assert rows(store, "out") == ["theirs"]


def test_what_came_after_the_start_is_not_removed(lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    with publication(store, [(place("out"), "OVERWRITE")], run="run1", attempt=1, wait=0) as started:
        Path(started.stage(0).directory, "x.csv").write_text("new\n")
        lake.put("out/later.csv", "later\n")
        started.commit()
    assert rows(store, "out") == ["later", "new"]


@pytest.mark.parametrize("mode", MODES)
def test_a_second_attempt_of_the_same_run_publishes_nothing_twice(mode: UpdateType, store: Store) -> None:
    first = publish(store, "out", mode, ["1\n"], run="run1")
    second = publish(store, "out", mode, ["1\n"], run="run1", attempt=2)
    assert second == replace(first, skipped=True)
    assert rows(store, "out") == ["1"]


def test_a_run_whose_id_ends_like_another_is_another(store: Store) -> None:
    publish(store, "out", "APPEND", ["1\n"], run="x-run1")
    publish(store, "out", "APPEND", ["2\n"], run="run1")
    assert rows(store, "out") == ["1", "2"]


@pytest.mark.parametrize("mode", MODES)
def test_no_files_are_an_empty_generation(mode: UpdateType, store: Store) -> None:
    assert publish(store, "out", mode, [], run="run1").files == ()
    with pytest.raises(StoreMissing):
        snapshot(store, place("out"))


def test_a_new_file_keeps_all_that_follows_the_first_dot(lake: Root, store: Store) -> None:
    with publication(store, [(place("out"), "APPEND")], run="run1", attempt=1, wait=0) as started:
        staged = Path(started.stage(0).directory)
        assert staged.is_dir()
        (staged / "deep").mkdir()
        for name in ("a.snappy.parquet", "b", "deep/c.csv.gz", "_SUCCESS", ".a.crc"):
            (staged / name).write_text("row\n")
        started.commit()
    names = ["part-00000-run1.snappy.parquet", "part-00001-run1", "part-00002-run1.csv.gz"]
    assert keys(store, "out") == [f"out/{name}" for name in names]
    assert lake.ours() == []


def test_a_name_that_can_not_be_given_is_found_before_the_commit(lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    with pytest.raises(StoreDenied, match="255 bytes"):
        publish_all(store, {"out": "OVERWRITE"}, [{"x." + "y" * 250: "new\n"}], run="run1")
    assert rows(store, "out") == ["old"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("prefix", ["", "/", "_x", "a/../b", "out", "out/"])
def test_a_target_is_a_folder_that_can_hold_data(prefix: str, mode: UpdateType, lake: Root, store: Store) -> None:
    lake.put("out", "an object\n")
    with (
        pytest.raises(StoreDenied),
        publication(store, [(place(prefix), mode)], run="run1", attempt=1, wait=0),
    ):
        pass
    assert rows(store, "out") == ["an object"]


@pytest.mark.parametrize(("one", "other"), [("a", "a"), ("a", "a/b"), ("a/b/c", "a"), ("a/", "a")])
def test_targets_of_one_run_do_not_overlap(one: str, other: str, store: Store) -> None:
    with (
        pytest.raises(ValueError, match="overlap"),
        publication(store, [(place(one), "APPEND"), (place(other), "APPEND")], run="run1", attempt=1, wait=0),
    ):
        pass


@pytest.mark.parametrize("run", ["", "a/b", "../x", "_a", "a.b", "a" * 65])
def test_a_run_is_part_of_a_file_name(run: str, store: Store) -> None:
    with pytest.raises(ValueError, match="file name"), publication(store, [], run=run, attempt=1, wait=0):
        pass


def test_every_target_is_staged_before_the_one_commit(store: Store) -> None:
    with publication(store, [(place("a"), "APPEND"), (place("b"), "APPEND")], run="run1", attempt=1, wait=0) as started:
        started.stage(0)
        with pytest.raises(ValueError, match="once, after every target was staged"):
            started.commit()
        started.stage(1)
        started.commit()
        with pytest.raises(ValueError, match="once"):
            started.commit()


def test_two_targets_are_published_together(lake: Root, store: Store) -> None:
    lake.put("a/old.csv", "old\n")
    lake.put("b/old.csv", "old\n")
    files = [{"x.csv": "0\n"}, {"x.csv": "1\n"}]
    published = publish_all(store, {"b": "APPEND", "a": "OVERWRITE"}, files, run="run1")
    assert [(each.place, each.mode, each.removed) for each in published] == [
        (place("b"), "APPEND", 0),
        (place("a"), "OVERWRITE", 1),
    ]
    assert (rows(store, "a"), rows(store, "b")) == (["1"], ["0", "old"])


@pytest.mark.parametrize("error", [None, RuntimeError(), KeyboardInterrupt(), SystemExit()])
def test_leaving_without_a_commit_leaves_the_old_data(error: BaseException | None, lake: Root, store: Store) -> None:
    lake.put("out/old.csv", "old\n")
    targets: list[tuple[Place, UpdateType]] = [(place("out"), "OVERWRITE"), (place("out1"), "APPEND")]
    with (
        suppress(RuntimeError, KeyboardInterrupt, SystemExit),
        publication(store, targets, run="run1", attempt=1, wait=0) as started,
    ):
        for number in range(2):
            Path(started.stage(number).directory, "x.csv").write_text("new\n")
        if error:
            raise error
    assert lake.plain_rows("") == ["old"]
    assert lake.ours() == []
    with store.claim([(BUCKET, "out"), (BUCKET, "out1")], run="run2", wait=0):
        pass


def test_a_second_writer_is_refused_by_name(store: Store) -> None:
    with (
        publication(store, [(place("out/a"), "APPEND")], run="run1", attempt=1, wait=0),
        pytest.raises(StoreBusy, match="run run1"),
        publication(store, [(place("out"), "APPEND")], run="run2", attempt=1, wait=0),
    ):
        pass


def test_a_second_writer_does_not_touch_the_staging_of_the_first(lake: Root, store: Store) -> None:
    with publication(store, [(place("out/a"), "APPEND")], run="run1", attempt=1, wait=0) as started:
        Path(started.stage(0).directory, "x.csv").write_text("row\n")
        for prefix in ("out", "out/a", ""):
            with pytest.raises(StoreBusy):
                recover(store, place(prefix))
        started.commit()
    assert rows(store, "out") == ["row"]
