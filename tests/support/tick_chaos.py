"""A thousand instants of triggers while chance troubles those who look for them, and what has to be true afterwards.

Everything is made before anybody looks. Most triggers come once, one after another; four come each minute, with an
hour to make up for. All make up for what they missed, however late it is, so that a slow machine loses none of them.
`HEADRACE_CHAOS_TICKS` says how many instants there are.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any

from sqlalchemy import func, select

from headrace.core import triggers, workflows
from headrace.db import Connection, Database
from headrace.db.tables import executions, ticks, workflow_run_jobs, workflow_runs
from headrace.errors import DatabaseFailed
from tests.support.chaos import LOST, Kind, copying, written
from tests.support.command import Place
from tests.support.flows import job_node, trigger_node
from tests.support.herd import Herd, marked
from tests.support.jobs import Json
from tests.support.trouble import Trouble, troubled
from tests.support.uses import ALICE, Uses
from tests.support.waiting import until
from tests.support.watch import Watch, watching

_MINUTE = timedelta(minutes=1)
_SOON, _SPREAD = timedelta(seconds=5), timedelta(seconds=40)
_MADE_UP = 60
_CALM = 200.0
_ALL = {"misfirePolicy": "ALL", "misfireWindow": 10_080}
_JOBS = {
    "good": Kind(copying("wide", "APPEND"), 0, 4, frozenset({"COMPLETED"})),
    "bad": Kind(copying("bad", "APPEND", read="broken"), 0, 4, frozenset({"FAILED"})),
    "mend": Kind(copying("mend", "APPEND"), 0, 4, frozenset({"COMPLETED"})),
    "gone": Kind(copying("gone", "APPEND"), 0, 4, frozenset()),
}
# Of each kind of workflow: its jobs with their parents, and how they end when no worker is lost.
_FLOWS: Mapping[str, Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "one": {"good": ((), "SUCCEEDED", "COMPLETED")},
    "fork": {
        "bad": ((), "SUCCEEDED", "FAILED"),
        "good": (("bad",), "SUCCEEDED", "SKIPPED"),
        "mend": (("bad",), "FAILED", "COMPLETED"),
    },
    # Its job is deleted after the workflow was saved.
    "gone": {"gone": ((), "SUCCEEDED", "FAILED")},
    "nobody": {},
}
# Most runs are cheap, or the jobs would take much longer than the ticks.
_TURNS = ("one", *("gone", "nobody") * 4, "fork", *("nobody", "gone") * 4, "one", *("gone", "nobody") * 4)
_EACH_MINUTE = (("QUEUE", "gone"), ("SKIP", "one"), ("ALLOW", "gone"), ("CANCEL_PREVIOUS", "one"))


def count() -> int:
    """How many instants there are."""
    return int(os.environ.get("HEADRACE_CHAOS_TICKS", "1000"))


@dataclass
class TickChaos:
    """One such time. What stands in `expected` are the instants of each trigger, in milliseconds.

    `left` is how many runs had not ended when the trouble was over.
    """

    place: Place
    database: Database
    chance: Random
    expected: dict[str, list[int]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    left: int = 0
    _seen: int = 0
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.database)

    def lay(self, count: int) -> None:
        """Make the jobs, the triggers and the workflows."""
        uses = Uses(self.database)
        for name, kind in _JOBS.items():
            self.jobs[name] = uses.create({"name": name, "nodes": kind.nodes(), "maxConcurrentRuns": kind.most}).job_id
        now = datetime.now(UTC).replace(microsecond=0)
        once = max(count - _MADE_UP * len(_EACH_MINUTE), 0)
        with self.database.transaction() as con:
            for overlap, flow in _EACH_MINUTE:
                self._each_minute(con, overlap, flow, now)
            for number, flow in zip(range(once), cycle(_TURNS), strict=False):
                at = now + _SOON + timedelta(milliseconds=number * (_SPREAD // timedelta(milliseconds=1)) // once)
                sent = {"triggerRule": {"type": "ONE_TIME", "executionDate": at.isoformat()}}
                self._add(con, f"once-{number}", flow, sent, [at], now)
        uses.delete(self.jobs["gone"])

    def rage(self, herds: Sequence[Herd], shake: Callable[[], None] | None) -> None:
        """Let them look while there is trouble, then wait in peace until all is over."""
        wanted = sum(map(len, self.expected.values()))
        trouble = Trouble(herds, shake, self._progress, (8, 40), (5, 3, 2), Random(self.chance.random()), self.done)

        def waits(enough: Callable[[], bool]) -> Callable[[], bool]:
            def there() -> bool:
                trouble.tend()
                threading.Event().wait(0.1)
                return enough()

            return there

        with watching(self.watch):
            with troubled(trouble):
                until(waits(lambda: self._recorded() >= wanted), limit=_CALM)
            self.left = self._looked(select(func.count()).where(workflow_runs.c.ended_at.is_(None)))
            until(waits(lambda: not self._left()), limit=_CALM)

    def check(self, herds: Sequence[Herd]) -> None:
        """What has to be true when everything is over."""
        for herd in herds:
            codes = set(herd.end())
            assert codes <= {0, -signal.SIGTERM}, f"{codes}: {herd.said()[-3000:]}"
            assert marked(herd.mark) == []
        self.watch.last()
        assert self.watch.wrong == [], self.watch.wrong[:5]
        with self.database.reading() as con:
            found = con.execute(select(ticks)).mappings().all()
            runs = {row["run_id"]: row for row in con.execute(select(workflow_runs)).mappings()}
            steps = con.execute(select(workflow_run_jobs)).mappings().all()
            done = {row["execution_id"]: row for row in con.execute(select(executions)).mappings()}
        self._check_ticks(found, runs)
        self._check_executions(steps, done)
        for run_id, run in runs.items():
            self._check_run(run, {row["job_id"]: row for row in steps if row["run_id"] == run_id}, done)
        self._check_target(done)

    def _each_minute(self, con: Connection, overlap: str, flow: str, now: datetime) -> None:
        """A trigger that has an hour to make up for."""
        instants = [now - _MINUTE * back for back in range(_MADE_UP, 0, -1)]
        sent = {
            "triggerRule": {"type": "INTERVAL", "every": "PT1M"},
            "startDate": instants[0].isoformat(),
            "endDate": instants[-1].isoformat(),
            "overlapPolicy": overlap,
        }
        self._add(con, f"each-minute-{overlap}", flow, sent, instants, instants[0] - _MINUTE)

    def _add(
        self, con: Connection, name: str, flow: str, sent: Json, instants: Sequence[datetime], now: datetime
    ) -> None:
        trigger_id = triggers.create(
            con, ALICE, {"name": name, "type": "SCHEDULED", **_ALL, **sent}, now=now
        ).trigger_id
        self.expected[trigger_id] = [round(at.timestamp() * 1000) for at in instants]
        if not _FLOWS[flow]:
            return
        nodes = [trigger_node(trigger_id)]
        for job, (parents, run_on, _) in _FLOWS[flow].items():
            before = [self.jobs[parent] for parent in parents] or [trigger_id]
            nodes.append(job_node(self.jobs[job], *before, name=job, runOn=run_on))
        made = workflows.create(con, ALICE, {"name": name, "nodes": nodes}, now=now)
        self.kinds[made.workflow.workflow_id] = flow

    def _recorded(self) -> int:
        return self._looked(select(func.count()).select_from(ticks))

    def _progress(self) -> int:
        """What was recorded, and what came of it."""
        ended = select(func.count()).where(workflow_runs.c.ended_at.is_not(None))
        self._seen = max(self._seen, self._recorded() + self._looked(ended))
        return self._seen

    def _left(self) -> bool:
        unended = select(func.count()).where(workflow_runs.c.ended_at.is_(None))
        return bool(self.watch.left) or self._looked(unended) != 0

    def _looked(self, wanted: Any) -> int:
        """A number; -1 while the database is away."""
        try:
            with self.database.reading() as con:
                return int(con.scalar(wanted) or 0)
        except DatabaseFailed:
            return -1

    def _check_ticks(self, found: Sequence[Any], runs: Mapping[str, Any]) -> None:
        """Each instant once, none that was not to come; each run belongs to one of them, each of them has its run."""
        told = Counter((row["trigger_id"], round(row["instant"] * 1000)) for row in found)
        wanted = Counter((trigger, at) for trigger, instants in self.expected.items() for at in instants)
        assert (wanted - told, told - wanted) == (Counter(), Counter()), "lost, and doubled"
        started: Counter[str] = Counter()
        for row in found:
            ids = [each["runId"] for each in row["detail"]["workflows"].values() if "runId" in each]
            assert (row["outcome"] == "STARTED") == bool(ids), dict(row)
            started.update(ids)
            same = [(runs[id_]["trigger_id"], runs[id_]["scheduled_for"]) for id_ in ids]
            assert same == [(row["trigger_id"], row["instant"])] * len(ids)
        assert started == Counter(dict.fromkeys(runs, 1))

    def _check_executions(self, steps: Sequence[Any], done: Mapping[str, Any]) -> None:
        """No job of a run was skipped over, and none ran twice: each execution is the one of one job of one run."""
        held = [row["execution_id"] for row in done.values() if row["lease_token"] or row["ended_at"] is None]
        assert held == [], held
        of_steps = Counter(row["execution_id"] for row in steps if row["execution_id"] is not None)
        assert of_steps == Counter(dict.fromkeys(done, 1))
        assert all(row["attempt"] == (row["status"] != "SKIPPED") for row in steps)

    def _check_run(self, run: Any, steps: Mapping[str, Any], done: Mapping[str, Any]) -> None:
        """Its jobs stand as their executions do, and it stands as its jobs say."""
        flow, names = _FLOWS[self.kinds[run["workflow_id"]]], {id_: name for name, id_ in self.jobs.items()}
        ends, lost = {names[job]: row["status"] for job, row in steps.items()}, False
        for row in steps.values():
            if row["execution_id"] is not None:
                execution = done[row["execution_id"]]
                assert row["status"] == execution["status"], (dict(row), dict(execution))
                lost = lost or (execution["failure"] or {}).get("code") in LOST
        about = (self.kinds[run["workflow_id"]], run["status"], ends)
        if run["cancel_requested_at"] is not None:
            assert run["status"] == ("COMPLETED" if set(ends.values()) == {"COMPLETED"} else "CANCELED"), about
            return
        assert run["status"] == ("FAILED" if "FAILED" in ends.values() else "COMPLETED"), about
        if not lost:
            assert ends == {name: end for name, (_, _, end) in flow.items()}, about

    def _check_target(self, done: Mapping[str, Any]) -> None:
        for name, prefix in (("good", "wide"), ("mend", "mend")):
            mine = {id_: row["status"] for id_, row in done.items() if row["job_id"] == self.jobs[name]}
            found = written(self.place, prefix)
            assert len(found) == len(set(found)), Counter(found).most_common(3)
            completed = {id_ for id_, status in mine.items() if status == "COMPLETED"}
            assert completed <= set(found) <= set(mine)
