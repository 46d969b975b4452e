"""A publisher is killed at every moment at which it changes something, and readers race with a live one."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from headrace.errors import SourceChanged, StoreMissing
from headrace.stores.files import FolderStore
from headrace.stores.publish import publication, recover, snapshot
from tests.support.forks import forking
from tests.support.publish_child import SCENARIOS, new_rows, scenario
from tests.support.publishing import BUCKET, content, ours, place, plain_rows, put, rows

pytestmark = pytest.mark.fault

Generations = dict[str, tuple[list[str], list[str]]]
_RETRIES = 50
REPOSITORY = Path(__file__).parents[2]
OLD = {
    "part-00000-before.csv": "old 1\n",
    "of hand.csv": "old 2\nold 3\n",
    "sub/part-00001-before.csv": "old 4\n",
    "sub/deep/한글.csv": "old 5\n",
}
OLD_ROWS = sorted("".join(OLD.values()).splitlines())


def _child(root: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.publish_child", str(root), *arguments], cwd=REPOSITORY
    )


def _filled(root: Path, name: str) -> Generations:
    """Fill a root for a scenario; gives the old and the new rows of each target."""
    (root / BUCKET).mkdir(parents=True)
    generations: Generations = {}
    for number, (prefix, mode) in enumerate(SCENARIOS[name]):
        old = OLD_ROWS if name != "first" else []
        for key, text in OLD.items() if old else ():
            put(root, f"{prefix}/{key}", text)
        put(root, f"{prefix}0/neighbour.csv", "not ours\n")
        new = new_rows(number)
        generations[prefix] = (old, sorted(old + new) if mode == "APPEND" else new)
    return generations


def _seen(store: FolderStore, prefix: str) -> list[str]:
    try:
        return rows(store, prefix)
    except StoreMissing:
        return []


def _publish_again(store: FolderStore, name: str, *, run: str, texts: dict[int, list[str]] | None = None) -> None:
    """Another publication to all targets: the same run once more, or with `texts` an APPEND by another one."""
    writes = [(place(prefix), mode if texts is None else "APPEND") for prefix, mode in SCENARIOS[name]]
    with publication(store, writes, run=run, attempt=2, wait=0) as started:
        for target in range(len(writes)):
            directory = Path(started.stage(target).directory)
            for number, row in enumerate(new_rows(target) if texts is None else texts[target]):
                (directory / f"other_{number}.csv").write_text(row + "\n")
        started.commit()


def _holds(part: list[str], whole: list[str]) -> bool:
    return not Counter(part) - Counter(whole)


def _check_after_kill(root: Path, generations: Generations) -> None:
    """Readers see old or new and nothing between, strangers no less; the next run makes all of it good."""
    store = FolderStore(root)
    seen = {prefix: _seen(store, prefix) for prefix in generations}
    for prefix, either in generations.items():
        assert seen[prefix] in either
        assert any(_holds(generation, plain_rows(root, prefix)) for generation in either)


def _mend(root: Path, name: str, generations: Generations, *, moment: int) -> None:
    """In turn: the same run again, another run, `recover`. Nothing is left, nothing is lost, nothing is there twice."""
    store = FolderStore(root)
    before = {prefix: _seen(store, prefix) for prefix in generations}
    if moment % 3 == 0:
        _publish_again(store, name, run="first")
        wanted = {prefix: new for prefix, (_, new) in generations.items()}
    elif moment % 3 == 1:
        _publish_again(store, name, run="second", texts={target: ["later"] for target in range(len(generations))})
        wanted = {prefix: sorted([*seen, "later"]) for prefix, seen in before.items()}
    else:
        for prefix in generations:
            recover(store, place(prefix))
        wanted = before
    assert ours(root) == []
    assert {prefix: _seen(store, prefix) for prefix in generations} == wanted
    assert {prefix: plain_rows(root, prefix) for prefix in generations} == wanted
    assert {plain_rows(root, f"{prefix}0")[0] for prefix in generations} == {"not ours"}


def _attempt(root: Path, name: str, *, moment: int) -> tuple[Generations, int | None]:
    """Publish in a child that dies before its n-th change; gives the rows of old and new, and how the child ended."""
    generations = _filled(root, name)
    child = forking().Process(target=scenario, args=(str(root), name, moment))
    child.start()
    child.join()
    return generations, child.exitcode


@pytest.mark.parametrize(
    ("name", "least"), [("overwrite", 35), ("merge", 35), ("append", 15), ("first", 15), ("two", 50)]
)
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_generation(name: str, least: int, tmp_path: Path) -> None:
    moment, root = 1, tmp_path / "1"
    generations, status = _attempt(root, name, moment=moment)
    while status != 0:
        assert status == -signal.SIGKILL
        _check_after_kill(root, generations)
        _mend(root, name, generations, moment=moment)
        moment, root = moment + 1, tmp_path / str(moment + 1)
        generations, status = _attempt(root, name, moment=moment)
    assert moment > least
    assert {prefix: _seen(FolderStore(root), prefix) for prefix in generations} == {
        prefix: new for prefix, (_, new) in generations.items()
    }
    assert ours(root) == []


def _read_generation(store: FolderStore) -> tuple[int, int]:
    """The generation that `out` shows and the number of its files; every row must be of it."""
    for _ in range(_RETRIES):
        try:
            found = content(snapshot(store, place("out")))
        except (SourceChanged, FileNotFoundError):
            continue
        (row,) = set(found)
        generation, size = map(int, row.split())
        assert len(found) == size
        return generation, size
    raise AssertionError(f"no whole generation was seen in {_RETRIES} attempts")


def test_a_reader_beside_a_writer_sees_one_whole_generation_each_time(tmp_path: Path) -> None:
    put(tmp_path, "out/first.csv", "0 1\n")
    store = FolderStore(tmp_path)
    writer = _child(tmp_path, "generations", "200")
    seen = []
    while writer.poll() is None:
        seen.append(_read_generation(store)[0])
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 20
    assert _read_generation(store) == (200, 1)
