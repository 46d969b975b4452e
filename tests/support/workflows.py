"""Workflows over the use cases, on any database: their jobs are ended by the test, and the outbox is emptied by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from headrace.core import outbox, workflow_advance, workflow_runs, workflows
from headrace.core.schedules import Overlap
from headrace.core.workflow_runs import Origin, Run
from headrace.db import Database, tables
from headrace.execution import queue
from headrace.execution.queue import OF_WORKFLOWS, Outcome
from headrace.ids import new_id
from tests.support.jobs import Json, source, target
from tests.support.queue import DONE
from tests.support.uses import ALICE, NOON, Uses

Parents = Mapping[str, Sequence[str]]
LATER = NOON.timestamp() + 40
BY_HAND = Origin("trigger00001", "by-hand")


@dataclass(frozen=True, slots=True)
class Flow:
    """A workflow whose jobs are known by short names."""

    database: Database
    workflow_id: str
    jobs: Mapping[str, str]
    # What the worker of this test has claimed: the leases by job.
    held: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, database: Database, parents: Parents, *, nodes: Mapping[str, Json] | None = None, **job: Any) -> "Flow":
        """A workflow of these jobs, each with its parents; what is given of `nodes` is said besides."""
        uses = Uses(database)
        with database.transaction() as con:
            if con.scalar(select(tables.triggers.c.trigger_id).limit(1)) is None:
                con.execute(insert(tables.triggers).values(_TRIGGER))
        made = {}
        for name in parents:
            sent = {"name": f"job-{name}-{new_id()}", "nodes": [source(), target(prefix=f"out/{name}")], **job}
            made[name] = uses.create(sent).job_id
        listed: list[Json] = [{"id": BY_HAND.trigger_id, "name": "by-hand", "type": "TRIGGER", "parentNodeIds": []}]
        for name, before in parents.items():
            ids = [made[parent] for parent in before] or [BY_HAND.trigger_id]
            more = (nodes or {}).get(name, {})
            listed.append({"id": made[name], "name": f"job-{name}", "type": "JOB", "parentNodeIds": ids, **more})
        with database.transaction() as con:
            sent = {"name": f"flow-{new_id()}", "nodes": listed}
            saved = workflows.create(con, ALICE, sent, now=NOON)
        return cls(database, saved.workflow.workflow_id, made)

    def start(
        self,
        *,
        payload: Json | None = None,
        scheduled_for: datetime | None = None,
        overlap: Overlap = "ALLOW",
        now: datetime = NOON,
    ) -> str | None:
        """Start a run; gives its id."""
        with self.database.transaction() as con:
            return workflow_runs.start(
                con,
                ALICE,
                self.workflow_id,
                trigger=BY_HAND,
                payload=payload,
                scheduled_for=scheduled_for,
                overlap=overlap,
                now=now,
            )

    def started(self, **more: Any) -> str:
        """The id of a run that is under way: its first jobs are in the queue."""
        run_id = self.start(**more)
        assert run_id is not None
        self.hear()
        return run_id

    def run(self, run_id: str) -> Run:
        with self.database.reading() as con:
            return workflow_runs.get(con, ALICE, self.workflow_id, run_id)

    def stands(self, run_id: str) -> tuple[str, dict[str, str]]:
        """How a run and its jobs stand."""
        run = self.run(run_id)
        names = {job_id: name for name, job_id in self.jobs.items()}
        return run.status, {names[job.job_id]: job.status for job in run.jobs}

    def cancel(self, run_id: str) -> None:
        with self.database.transaction() as con:
            workflow_runs.cancel(con, ALICE, self.workflow_id, run_id, now=NOON)
        self.hear()

    def rerun(self, run_id: str) -> None:
        with self.database.transaction() as con:
            workflow_runs.rerun(con, ALICE, self.workflow_id, run_id, now=NOON)
        self.hear()

    def end(self, name: str, outcome: Outcome = DONE, *, heard: bool = True) -> None:
        """A worker runs a job that waits in the queue, and ends it so."""
        with self.database.transaction() as con:
            now = LATER
            for claimed in queue.claim(con, worker="w", lease_seconds=15, now=now, limit=1000):
                self.held[claimed.job_id] = claimed.lease_token
            assert queue.finish(con, self.held.pop(self.jobs[name]), outcome, now=now)
        if heard:
            self.hear()

    def hear(self, *, limit: int = 1000) -> int:
        """Do what waits in the outbox, as the server's loop does; gives how much it was."""
        return hear(self.database, limit=limit)

    def executions(self, run_id: str) -> dict[str, list[str]]:
        """The states of all executions that each job had in a run, in their order."""
        e = tables.executions.c
        wanted = select(e.job_id, e.status).where(e.workflow_run_id == run_id).order_by(e.created_at, e.execution_id)
        found: dict[str, list[str]] = {}
        names = {job_id: name for name, job_id in self.jobs.items()}
        with self.database.reading() as con:
            for row in con.execute(wanted):
                found.setdefault(names[row.job_id], []).append(row.status)
        return found


def hear(database: Database, *, limit: int = 1000) -> int:
    """Take events for workflows out of the outbox, each in a transaction with what it causes."""
    for count in range(limit):
        with database.transaction() as con:
            now = LATER
            taken = outbox.take(con, OF_WORKFLOWS, now=now, limit=1)
            for event in taken:
                workflow_advance.heard(con, event, now)
                outbox.done(con, [event.id], now=now)
        if not taken:
            return count
    return limit


_TRIGGER = {
    "trigger_id": BY_HAND.trigger_id,
    "account_id": "main",
    "name": "by-hand",
    "type": "NONE",
    "rule": {"type": "NONE"},
    "time_zone": "Asia/Seoul",
    "misfire": "SKIP",
    "overlap": "QUEUE",
    "revision": 1,
    "created_at": 0.0,
    "updated_at": 0.0,
}
