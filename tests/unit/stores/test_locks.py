import fcntl
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace import mounts
from headrace.errors import StoreBusy, StoreDenied
from headrace.stores import locks
from headrace.stores.files import FolderStore
from tests.support.publishing import BUCKET

REPOSITORY = Path(__file__).parents[3]


@contextmanager
def held_elsewhere(root: Path, prefix: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the claim on a prefix."""
    command = [sys.executable, "-m", "tests.support.publish_child", str(root), "hold", prefix]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"held\n"
            yield child
        finally:
            child.kill()


class Hours:
    """A clock on which an hour passes each time that somebody looks."""

    def __init__(self) -> None:
        self.looked = 0

    def now(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=UTC)

    def seconds(self) -> float:
        self.looked += 1
        return self.looked * 3600.0


@pytest.mark.parametrize("other", ["a/b", "a", "a/b/c", "", "a/b/c/d"])
def test_prefixes_that_contain_one_another_conflict(other: str, store: FolderStore) -> None:
    with (
        store.claim([(BUCKET, "a/b")], run="run1", wait=0),
        pytest.raises(StoreBusy, match=r"run run1 \(process \d+ on .*, since 20.*Z\) writes to"),
        store.claim([(BUCKET, other)], run="run2", wait=0),
    ):
        pass


@pytest.mark.parametrize("other", ["a/c", "a/b0", "a1", "b"])
def test_neighbours_do_not_conflict(other: str, store: FolderStore) -> None:
    with (
        store.claim([(BUCKET, "a/b")], run="run1", wait=0),
        store.claim([(BUCKET, other)], run="run2", wait=0),
    ):
        pass


def test_a_claim_is_free_again_after_its_context(store: FolderStore) -> None:
    for run in ("run1", "run2"):
        with store.claim([(BUCKET, "a"), (BUCKET, "b/c")], run=run, wait=0):
            pass


def test_a_claim_that_fails_half_way_holds_nothing(store: FolderStore) -> None:
    with (
        store.claim([(BUCKET, "z")], run="run1", wait=0),
        pytest.raises(StoreBusy),
        store.claim([(BUCKET, "a"), (BUCKET, "z")], run="run2", wait=0),
    ):
        pass
    with store.claim([(BUCKET, "a")], run="run3", wait=0):
        pass


def test_the_claim_of_a_killed_process_is_free_at_once(root: Path, store: FolderStore) -> None:
    with held_elsewhere(root, "a/b") as child:
        with (
            pytest.raises(StoreBusy, match=rf"run holder \(process {child.pid} "),
            store.claim([(BUCKET, "a")], run="run1", wait=0),
        ):
            pass
        child.send_signal(signal.SIGKILL)
        child.wait()
        with store.claim([(BUCKET, "a")], run="run2", wait=0):
            pass


def test_a_killed_process_is_not_named_as_the_holder(root: Path, store: FolderStore) -> None:
    with held_elsewhere(root, "a/b") as child:
        child.kill()
        child.wait()
    with (
        store.claim([(BUCKET, "a/c")], run="alive", wait=0),
        pytest.raises(StoreBusy, match="run alive"),
        store.claim([(BUCKET, "a")], run="run1", wait=0),
    ):
        pass


def test_a_second_writer_waits_for_its_time_and_then_gives_up(root: Path) -> None:
    clock = Hours()
    store = FolderStore(root, clock=clock)
    with store.claim([(BUCKET, "a")], run="run1", wait=0):
        begun = clock.looked
        with pytest.raises(StoreBusy), store.claim([(BUCKET, "a")], run="run2", wait=2 * 3600.0):
            pass
    assert clock.looked - begun == 3


def test_a_second_writer_gets_the_claim_when_the_first_ends(root: Path, store: FolderStore) -> None:
    with held_elsewhere(root, "a") as child:
        assert child.stdin is not None
        child.stdin.close()
        with store.claim([(BUCKET, "a")], run="run2", wait=30):
            pass


def test_everybody_takes_the_locks_in_one_order() -> None:
    taken = locks.locks_of([("b", "x"), ("a", "z/y"), ("a", "c")])
    assert list(taken.items()) == [
        (("a", ""), fcntl.LOCK_SH),
        (("a", "c"), fcntl.LOCK_EX),
        (("a", "z"), fcntl.LOCK_SH),
        (("a", "z/y"), fcntl.LOCK_EX),
        (("b", ""), fcntl.LOCK_SH),
        (("b", "x"), fcntl.LOCK_EX),
    ]


def test_a_network_file_system_is_refused_for_writing_unless_it_is_allowed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "on_network", lambda path: True)
    with pytest.raises(StoreDenied, match="network file system"):
        FolderStore(root).claim([(BUCKET, "a")], run="run1", wait=0)
    with FolderStore(root, shared=True).claim([(BUCKET, "a")], run="run1", wait=0):
        pass
