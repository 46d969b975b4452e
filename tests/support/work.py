"""A worker over a queue and a folder of buckets, in this process; its children are real."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from headrace.clock import SystemClock
from headrace.db.tables import attempts, executions, job_revisions, scripts
from headrace.execution import queue
from headrace.execution.worker import Worker
from headrace.ids import new_id
from headrace.settings import Settings, load_settings
from tests.support.command import Place
from tests.support.databases import sqlite
from tests.support.jobs import Json, job, node, source, target
from tests.support.queue import Line
from tests.support.waiting import until

ENDED = ("COMPLETED", "FAILED", "CANCELED")


def copying() -> list[Json]:
    """A light job: `lake/in` to `lake/out`."""
    return [source(), target()]


def endless(prefix: str = "out") -> list[Json]:
    """A job that takes hours: it asks the engine for all triples of the rows."""
    sql = "SELECT count(*) AS id, 'a' AS name FROM t a CROSS JOIN t b CROSS JOIN t c WHERE a.id * b.id * c.id = -1"
    query = node("TRANSFORM_SQL", 5, (1,), sql=sql, sourceNameList=[{"parentId": 1, "newName": "t"}])
    return [source(), query, target(parents=(5,), prefix=prefix)]


def lengthy() -> list[Json]:
    """A job that takes minutes over rows in groups, and tells how far it is: it joins each row with those of its group.

    It reads what `in_groups` gives.
    """
    same = {"leftField": "name", "joinOperator": "EQ", "rightField": "name", "conditionOperator": "HEAD"}
    joined = node("TRANSFORM_JOIN", 3, (1, 2), joinType="INNER", leftNodeId=1, rightNodeId=2, joinConditionList=[same])
    distinct = {"name": "name", "ResultName": "name", "function": "COUNT_DISTINCT"}
    counted = node("TRANSFORM_AGGREGATE", 4, (3,), groupByList=["id"], aggregateFieldList=[distinct])
    return [source(), source(node_id=2), joined, counted, target("id bigint, name bigint", parents=(4,))]


def in_groups() -> str:
    """Rows enough for a lengthy job, as CSV."""
    return "id,name\n" + "".join(f"{n},{n % 50}\n" for n in range(300_000))


def put_rows(place: Place, count: int = 20_000) -> None:
    """Rows enough for an endless job."""
    place.put("in/a.csv", "id,name\n" + "".join(f"{n},x\n" for n in range(1, count)))


@dataclass(frozen=True)
class Works:
    """A folder, a queue, and how to make workers over both."""

    place: Place
    line: Line

    def settings(self, **more: str) -> Settings:
        given = {"data": str(self.place.root), "workers": "1", "writer_wait": "0", "grace_seconds": "5", **more}
        return load_settings(given, {}, self.place.root)

    @contextmanager
    def worker(self, *, patience: float = 0.0, **more: str) -> Iterator[Worker]:
        """A worker at work; stopped at the end, its runs put back after so long."""
        worker = Worker(self.line.database, self.settings(**more), clock=SystemClock(), name="w1")
        worker.start()
        try:
            yield worker
        finally:
            worker.stop(patience=patience)

    def submit(self, nodes: list[Json], *, most: int = 1000, **condition: Any) -> str:
        """Put a run of these nodes into the queue; gives its id."""
        job_id = self.line.job(most=most)
        text = json.dumps(job(*nodes))
        submission = queue.Submission(
            execution_id=new_id(),
            account_id="main",
            job_id=job_id,
            job_name="job",
            job_revision=1,
            condition=condition,
            parameters={},
            priority=0,
            max_attempts=1,
            created_at=self.line.now(),
        )
        with self.line.database.transaction() as con:
            con.execute(update(job_revisions).where(job_revisions.c.job_id == job_id).values(definition=text))
            return queue.submit(con, submission)

    def wait(self, execution_id: str, *status: str) -> str:
        """Wait until a run has one of these states, or has ended; gives its state."""
        until(lambda: self.line.status(execution_id) in (status or ENDED), limit=40)
        return self.line.status(execution_id)

    def pid(self, execution_id: str) -> int:
        """The process of the run's last attempt, as soon as it is written down."""

        def found() -> int:
            wanted = select(attempts.c.pid).where(attempts.c.execution_id == execution_id)
            with self.line.database.reading() as con:
                return int(con.scalar(wanted.order_by(attempts.c.number.desc())) or 0)

        until(lambda: found() > 0)
        return found()

    def script(self, execution_id: str) -> str:
        """What the run's last attempt ran."""
        with self.line.database.reading() as con:
            return str(con.scalar(select(scripts.c.text).where(scripts.c.execution_id == execution_id)))

    def lose_lease(self, execution_id: str) -> None:
        """As if somebody else had taken the run over."""
        with self.line.database.transaction() as con:
            this = executions.c.execution_id == execution_id
            con.execute(update(executions).where(this).values(lease_token="another's"))


@contextmanager
def works(place: Place) -> Iterator[Works]:
    """A queue of its own over this place."""
    with sqlite(place.root) as database:
        yield Works(place, Line(database))
