"""A publisher to object storage is killed before each request that it sends."""

import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from headrace.errors import StoreMissing
from headrace.plan.ops import Place
from headrace.stores.objects import ObjectStore
from headrace.stores.publish import recover, snapshot
from tests.support.forks import forking
from tests.support.objects_child import BUCKET, SCENARIOS, killed, publish, rows_of
from tests.support.publishing import content
from tests.support.seaweed import Seaweed

pytestmark = [pytest.mark.fault, pytest.mark.services]

OLD = {"part-00000-before.csv": "old 1\n", "of hand.csv": "old 2\nold 3\n", "sub/한글 %.csv": "old 4\n"}
OLD_ROWS = sorted("".join(OLD.values()).splitlines())


@dataclass
class Trial:
    """One scenario, and what its targets may hold afterwards. Who mends has other limits for parts than who died."""

    server: Seaweed
    name: str
    scratch: Path

    def fill(self) -> None:
        self.server.empty(BUCKET)
        for prefix in self.prefixes:
            for key, text in OLD.items() if self.name != "first" else ():
                self.server.put(BUCKET, f"{prefix}/{key}", text.encode())
            self.server.put(BUCKET, f"{prefix}0/neighbour.csv", b"not ours\n")

    @property
    def prefixes(self) -> list[str]:
        return [prefix for prefix, _ in SCENARIOS[self.name]]

    @property
    def generations(self) -> dict[str, tuple[list[str], list[str]]]:
        """The old and the new rows of each target."""
        old = [] if self.name == "first" else OLD_ROWS
        new = [rows_of(self.name, target) for target in range(len(self.prefixes))]
        modes = [mode for _, mode in SCENARIOS[self.name]]
        return {
            prefix: (old, sorted(old + rows) if mode == "APPEND" else sorted(rows))
            for prefix, mode, rows in zip(self.prefixes, modes, new, strict=True)
        }

    def store(self) -> ObjectStore:
        return ObjectStore(lambda bucket: self.server.access(), scratch=self.scratch)

    def seen(self) -> dict[str, list[str]]:
        """What our readers see."""
        return {prefix: self._rows(prefix) for prefix in self.prefixes}

    def _rows(self, prefix: str) -> list[str]:
        try:
            return content(snapshot(self.store(), Place(BUCKET, prefix)))
        except StoreMissing:
            return []

    def plain(self) -> dict[str, list[str]]:
        """What a stranger sees who knows nothing but that `_` and `.` begin no data."""
        return {prefix: self._plain(prefix) for prefix in self.prefixes}

    def _plain(self, prefix: str) -> list[str]:
        keys = [key for key in self.server.keys(BUCKET, prefix) if "/_" not in key]
        return sorted(row for key in keys for row in self.server.data(BUCKET, key).decode().splitlines())

    def mend(self, moment: int) -> dict[str, list[str]]:
        """In turn: the same run again, another run, `recover`. Gives what must be there then."""
        before = self.seen()
        if moment % 3 == 0:
            publish(self.server, self.name, str(self.scratch), run="first")
            return {prefix: new for prefix, (_, new) in self.generations.items()}
        if moment % 3 == 1:
            publish(self.server, self.name, str(self.scratch), run="second", rows=["later"])
            return {prefix: sorted([*rows, "later"]) for prefix, rows in before.items()}
        for prefix in self.prefixes:
            recover(self.store(), Place(BUCKET, prefix))
        return before


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    return forking()


def _moments(name: str) -> Iterator[int]:
    """Every moment of the scenario that has most kinds of requests; some of the others."""
    yield from range(1, 200, {"parts": 1, "overwrite": 2, "copies": 2, "two": 5, "several": 7}.get(name, 3))


LEAST = [("overwrite", 15), ("append", 7), ("first", 6), ("two", 8), ("parts", 35), ("copies", 15), ("several", 5)]


@pytest.mark.parametrize(("name", "least"), LEAST)
@pytest.mark.timeout(240)
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_generation(
    name: str, least: int, seaweed: Seaweed, tmp_path: Path, processes: ForkServerContext
) -> None:
    trial = Trial(seaweed, name, tmp_path)
    kills = 0
    for moment in _moments(name):
        trial.fill()
        if not _killed(trial, processes, moment):
            break
        kills += 1
        _look_at(trial, moment)
    assert kills >= least
    assert trial.seen() == trial.plain() == {prefix: new for prefix, (_, new) in trial.generations.items()}


@pytest.mark.parametrize("mend", range(3))
@pytest.mark.timeout(240)
def test_a_kill_between_the_arrivals_of_several_files_leaves_the_old_generation(
    mend: int, seaweed: Seaweed, tmp_path: Path, processes: ForkServerContext
) -> None:
    """Two files each of two targets; before the first arrives, before each further one, and never."""
    trial = Trial(seaweed, "several", tmp_path)
    for moment in range(1, 5):
        trial.fill()
        assert _killed(trial, processes, moment, ".CompleteMultipartUpload")
        assert trial.seen() == {prefix: old for prefix, (old, _) in trial.generations.items()}, moment
        assert _arrived(seaweed) == moment - 1
        _look_at(trial, moment, mend=mend)
    trial.fill()
    assert not _killed(trial, processes, 5, ".CompleteMultipartUpload")


def _arrived(seaweed: Seaweed) -> int:
    return len([key for key in seaweed.keys(BUCKET) if key.rpartition("/")[2].endswith("-first.csv")])


def _killed(trial: Trial, processes: ForkServerContext, moment: int, kind: str = "") -> bool:
    """Whether a publisher was killed at a moment. Otherwise there was none any more, and it has published."""
    child = processes.Process(target=killed, args=(trial.server, trial.name, str(trial.scratch), moment, kind))
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def _look_at(trial: Trial, moment: int, *, mend: int | None = None) -> None:
    """What a killed publisher left, before and after somebody mends it."""
    seaweed = trial.server
    seen, plain = trial.seen(), trial.plain()
    for prefix, either in trial.generations.items():
        assert seen[prefix] in either, moment
        assert any(not Counter(rows) - Counter(plain[prefix]) for rows in either), moment
    wanted = trial.mend(moment if mend is None else mend)
    assert trial.seen() == trial.plain() == wanted, moment
    assert [key for key in seaweed.keys(BUCKET) if "_headrace" in key] == [], moment
    assert seaweed.uploads(BUCKET) == [], moment
    for prefix in trial.prefixes:
        assert seaweed.data(BUCKET, f"{prefix}0/neighbour.csv") == b"not ours\n"
