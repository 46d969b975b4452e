"""What an attempt does when an earlier one of its run may have published before its worker died."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.errors import Cancelled, StoreError
from headrace.execution.runner import Run
from headrace.plan.ops import Place
from headrace.stores import publish
from headrace.stores.files import FolderStore
from headrace.stores.publish import snapshot
from tests.support.jobs import plan, source, target
from tests.support.lake import Lake
from tests.support.runs import PlayedEngine, run_of

TWO = plan(source(), target(), target(node_id=10, prefix="more"))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(tmp_path)
    found.put("in/a.csv", "id,name\n1,a\n")
    found.put("out/old.csv", "id,name\n0,old\n")
    found.put("more/old.csv", "id,name\n0,old\n")
    return found


@pytest.fixture
def store(lake: Lake) -> FolderStore:
    return FolderStore(lake.root / "buckets")


class Died(BaseException):
    """The process ended here."""


def left(store: FolderStore, prefix: str) -> list[str]:
    return [each.key for each in snapshot(store, Place("lake", prefix)).objects]


def die_before(number: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let a process die before it writes the commit record of that target, counted from 0, or after the last one."""
    records = iter(range(9))
    write, leave, forward = FolderStore.write, publish._leave, publish._roll_forward

    def written(store: FolderStore, bucket: str, key: str, data: bytes) -> None:
        if next(records) == number:
            raise Died
        write(store, bucket, key, data)

    def moved(*args: object) -> None:
        raise Died

    monkeypatch.setattr(FolderStore, "write", written)
    monkeypatch.setattr(publish, "_leave", lambda *args: None)
    monkeypatch.setattr(publish, "_roll_forward", moved)

    def mend() -> None:
        monkeypatch.setattr(FolderStore, "write", write)
        monkeypatch.setattr(publish, "_leave", leave)
        monkeypatch.setattr(publish, "_roll_forward", forward)

    return mend


@pytest.fixture
def again(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], tuple[Run, PlayedEngine]]:
    """The second attempt of a run whose first one died when so many of its two targets were published."""

    def begin(published: int) -> tuple[Run, PlayedEngine]:
        mend = die_before(published, monkeypatch)
        with pytest.raises(Died):
            run_of(TWO, store, PlayedEngine()).execute()
        mend()
        engine = PlayedEngine()
        return run_of(TWO, store, engine, again=True), engine

    return begin


Again = Callable[[int], tuple[Run, PlayedEngine]]


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_run_whose_data_is_all_there_completes_and_is_not_made_again(
    again: Again, store: FolderStore, lake: Lake, cancelled: bool
) -> None:
    run, engine = again(2)
    assert not cancelled or run.cancel(Cancelled("somebody cancelled it"))
    report = run.execute()
    assert (report.status, report.failure, engine.seen) == ("COMPLETED", None, {})
    assert [(each.place, each.files, each.rows, each.skipped) for each in report.targets] == [
        ("lake/out", ("lake/out/part-00000-run1.csv",), 0, True),
        ("lake/more", ("lake/more/part-00000-run1.csv",), 0, True),
    ]
    assert "an earlier attempt had published the data" in report.warnings[-1]
    assert sorted(path.name for path in (lake.root / "buckets/lake/out").iterdir()) == ["part-00000-run1.csv"]
    assert not run.cancel(Cancelled("too late"))


def test_a_cancelled_run_of_which_one_target_is_there_says_which(again: Again, store: FolderStore) -> None:
    run, _ = again(1)
    run.cancel(Cancelled("somebody cancelled it"))
    report = run.execute()
    assert report.failure is not None
    told = "somebody cancelled it; an earlier attempt had published 'lake/out', and not 'lake/more'"
    assert (report.status, report.failure.message) == ("CANCELED", told)
    assert (left(store, "out"), left(store, "more")) == (["out/part-00000-run1.csv"], ["more/old.csv"])


def test_a_run_of_which_one_target_is_there_goes_on_with_the_other(again: Again, store: FolderStore) -> None:
    run, engine = again(1)
    report = run.execute()
    assert (report.status, [each.skipped for each in report.targets], len(engine.seen)) == (
        "COMPLETED",
        [True, False],
        1,
    )
    assert (left(store, "out"), left(store, "more")) == (["out/part-00000-run1.csv"], ["more/part-00000-run1.csv"])


def test_a_cancelled_run_of_which_nothing_is_there_is_cancelled(again: Again, store: FolderStore) -> None:
    run, engine = again(0)
    run.cancel(Cancelled("somebody cancelled it"))
    report = run.execute()
    assert report.failure is not None
    assert (report.status, report.failure.message, engine.seen) == ("CANCELED", "somebody cancelled it", {})
    assert (left(store, "out"), left(store, "more")) == (["out/old.csv"], ["more/old.csv"])


def test_a_cancelled_run_whose_data_can_not_be_looked_for_fails(again: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = again(1)

    def down(*args: object) -> None:
        raise StoreError("the storage is away")

    monkeypatch.setattr(FolderStore, "listing", down)
    run.cancel(Cancelled("somebody cancelled it"))
    report = run.execute()
    assert report.failure is not None
    assert (report.status, report.failure.message) == ("FAILED", "the storage is away")


def test_what_an_ignoring_target_left_alone_counts_as_done(store: FolderStore) -> None:
    ignoring = plan(source(), target(updateType="IGNORE"))
    engine = PlayedEngine()
    report = run_of(ignoring, store, engine, again=True).execute()
    assert (report.status, [each.files for each in report.targets], engine.seen) == ("COMPLETED", [()], {})
