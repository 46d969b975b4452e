"""A few hundred executions while chance kills, stops and wakes those who run them, and what has to be true afterwards.

Chance comes from a seed, which a failure names; with it in `HEADRACE_CHAOS_SEED` the same choices are made again.
`HEADRACE_CHAOS_RUNS` says how many executions there are.
"""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

from sqlalchemy import select

from headrace.db import Database
from headrace.db.tables import executions
from headrace.plan.ops import Place as StoredPlace
from headrace.stores.files import FolderStore
from headrace.stores.publish import recover, snapshot
from tests.support.command import Place
from tests.support.herd import Herd, marked
from tests.support.jobs import Json, source, target
from tests.support.trouble import Trouble, troubled
from tests.support.waiting import until
from tests.support.watch import Watch, watching
from tests.support.work import ENDED, endless

ROWS = b"id,name\n" + b"".join(b"%d,x\n" % number for number in range(1, 400))
_CALM = 180.0
LOST = {"worker-lost", "child-lost"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: how often it is asked for, how often it may run at once, and what may come of it."""

    nodes: Callable[[], list[Json]]
    weight: int
    most: int
    ends: frozenset[str]
    codes: frozenset[str] = frozenset()
    retries: int = 0


def copying(prefix: str, mode: str, read: str = "in") -> Callable[[], list[Json]]:
    return lambda: [source(prefix=read), target(prefix=prefix, updateType=mode)]


def _endless() -> list[Json]:
    """What only a cancel ends."""
    return [{**node, "prefix": "many"} if node["type"] == "SOURCE_OBS" else node for node in endless()]


_GOOD = frozenset({"COMPLETED"})
KINDS = {
    "narrow": Kind(copying("narrow", "APPEND"), 6, 1, _GOOD),
    "wide": Kind(copying("wide", "APPEND"), 8, 4, _GOOD),
    "over": Kind(copying("over", "OVERWRITE"), 3, 2, _GOOD),
    "bad": Kind(copying("bad", "APPEND", read="broken"), 2, 4, frozenset({"FAILED"}), frozenset({"bad-data"}), 2),
    "mended": Kind(copying("mended", "APPEND"), 1, 2, _GOOD, retries=9),
    "slow": Kind(_endless, 1, 2, frozenset()),
}


class Desk(Protocol):
    """Where executions are asked for. What it can't do just now it does as soon as it can."""

    def create(self, name: str, kind: Kind) -> str:
        """The id of a new job."""

    def execute(self, job_id: str) -> str:
        """The id of a new execution."""

    def cancel(self, job_id: str, execution_id: str) -> None:
        """Cancel an execution, unless it has ended."""


def runs() -> int:
    """How many executions there are."""
    return int(os.environ.get("HEADRACE_CHAOS_RUNS", "200"))


def seed() -> int:
    """Where chance begins."""
    return int(os.environ.get("HEADRACE_CHAOS_SEED") or time.time_ns() % 1_000_000)


@contextmanager
def told(chance: int) -> Iterator[Random]:
    """A failure names the seed, with which the same choices are made again."""
    try:
        yield Random(chance)
    except BaseException as error:
        error.add_note(f"HEADRACE_CHAOS_SEED={chance}")
        raise


def laid(place: Place) -> Place:
    """The data of all kinds of jobs; what `mended` writes to is in the way of itself until it is mended."""
    place.put("in/a.csv", ROWS)
    place.put("many/a.csv", b"id,name\n" + b"1,x\n" * 20_000)
    place.put("broken/a.csv", b"id,name\n1,\xff\xfe\n")
    (place.lake / "mended/_headrace/commit.json").mkdir(parents=True)
    return place


@dataclass
class Chaos:
    """One such time. `shake` is what can be done to what they stand on."""

    place: Place
    desk: Desk
    herd: Herd
    database: Database
    shake: Callable[[], None] | None
    chance: Random
    done: Counter[str] = field(default_factory=Counter)
    asked: dict[str, str] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.database)

    def rage(self, count: int) -> None:
        """Ask for so many executions while there is trouble, then wait in peace until all have ended."""
        jobs = {name: self.desk.create(name, kind) for name, kind in KINDS.items()}
        chance = Random(self.chance.random())
        trouble = Trouble([self.herd], self.shake, lambda: len(self.watch.ended), (1, 9), (5, 3, 1), chance, self.done)
        with watching(self.watch):
            with troubled(trouble):
                self._ask(jobs, count)
                self._await(lambda left: left <= count // 5, jobs, limit=_CALM)
            self._await(lambda left: not left, jobs, limit=_CALM)

    def check(self) -> None:
        """What has to be true when everything is over."""
        # One that began a moment ago does not hear signals yet.
        codes = set(self.herd.end())
        assert codes <= {0, -signal.SIGTERM}, f"{codes}: {self.herd.said()[-3000:]}"
        orphans = marked(self.herd.mark)
        assert orphans == [], orphans
        self.watch.last()
        assert self.watch.wrong == [], self.watch.wrong[:5]
        with self.database.reading() as con:
            rows = con.execute(select(executions)).mappings().all()
        lost = set(self.asked) - {row["execution_id"] for row in rows}
        assert not lost, lost
        held = [row["execution_id"] for row in rows if row["lease_token"] or row["status"] not in ENDED]
        assert held == [], held
        names = {row["execution_id"]: str(row["job_name"]) for row in rows}
        for row in rows:
            kind, code = KINDS[row["job_name"]], (row["failure"] or {}).get("code")
            fits = row["status"] in kind.ends and (row["status"] != "FAILED" or code in kind.codes)
            ended = fits or code in LOST or (row["execution_id"] in self.cancelled and row["status"] == "CANCELED")
            assert ended, (row["job_name"], row["status"], row["failure"])
        self._check_targets({row["execution_id"]: str(row["status"]) for row in rows}, names)

    def _check_targets(self, ends: dict[str, str], names: dict[str, str]) -> None:
        """A success is in its target once and whole; what failed or was cancelled is there whole or not at all."""
        for name in ("narrow", "wide", "mended", "over"):
            found = written(self.place, name)
            mine = {id_ for id_, of in names.items() if of == name}
            done = {id_ for id_ in mine if ends[id_] == "COMPLETED"}
            assert set(found) <= mine, f"{name}: {set(found) - mine} are none of its runs"
            assert len(found) == len(set(found)), f"{name}: {Counter(found).most_common(3)}"
            if name == "over":
                assert len(found) == bool(done), f"{name}: {found}"
            else:
                assert done <= set(found), f"{name}: {done - set(found)} are not there"
        assert list((self.place.lake / "bad").glob("*.csv")) == []

    def _ask(self, jobs: dict[str, str], count: int) -> None:
        names, weights = list(KINDS), [kind.weight for kind in KINDS.values()]
        for number in range(count):
            (name,) = self.chance.choices(names, weights)
            execution_id = self.desk.execute(jobs[name])
            self.asked[execution_id] = name
            if name != "slow" and self.chance.random() < 0.12:
                self._cancel(jobs[name], execution_id)
            if number == count // 2:
                (self.place.lake / "mended/_headrace/commit.json").rmdir()

    def _await(self, enough: Callable[[int], bool], jobs: dict[str, str], *, limit: float) -> None:
        """Wait until few enough are left; what never ends by itself is cancelled soon after it began."""

        def there() -> bool:
            self.herd.tend()
            left = dict.fromkeys(self.asked.keys() - self.watch.ended.keys(), "") | self.watch.left
            for id_, status in left.items():
                if self.asked.get(id_) == "slow" and status == "RUNNING" and self.chance.random() < 0.1:
                    self._cancel(jobs["slow"], id_)
            threading.Event().wait(0.05)
            return enough(len(left))

        until(there, limit=limit)

    def _cancel(self, job_id: str, execution_id: str) -> None:
        self.cancelled.add(execution_id)
        self.desk.cancel(job_id, execution_id)


def written(place: Place, prefix: str) -> list[str]:
    """The run of each file that readers see, one entry for each; what was left half done is put in order first."""
    store = FolderStore(place.root / "buckets")
    where = StoredPlace("lake", prefix)
    recover(store, where)
    assert not list((place.lake / prefix).glob("_headrace/*"))
    if not list((place.lake / prefix).glob("*.csv")):
        return []
    found = [Path(stored.location) for stored in snapshot(store, where).objects]
    assert {path.name: path.read_bytes() == ROWS for path in found if path.read_bytes() != ROWS} == {}
    return [path.name.split("-")[2].partition(".")[0] for path in found]
