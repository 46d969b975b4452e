"""Jobs and executions put straight into the tables, and what is to be seen of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select

from headrace.db import Database
from headrace.db.tables import attempts, executions, job_revisions, jobs
from headrace.execution import queue
from headrace.execution.queue import Claimed, Outcome, Submission
from headrace.ids import new_id

LEASE = 15.0
DONE = Outcome("COMPLETED", report={"rows": 3})
FAILED = Outcome("FAILED", failure={"code": "engine-failed", "message": "it broke"})


@dataclass(frozen=True, slots=True)
class Line:
    """A queue over a database, at moments that the test names."""

    database: Database

    def now(self) -> float:
        with self.database.reading() as con:
            return self.database.now(con)

    def job(self, *, name: str = "", most: int = 1000) -> str:
        job_id = new_id()
        values = {
            "job_id": job_id,
            "name": name or job_id,
            "description": "",
            "generation": "2026",
            "type": "VISUAL",
            "status": "RUNNABLE",
            "revision": 1,
            "max_concurrent_runs": most,
            "condition": {},
            "created_at": 0.0,
            "updated_at": 0.0,
        }
        text = json.dumps({"name": job_id, "nodes": []})
        revision = {"job_id": job_id, "revision": 1, "definition": text, "created_at": 0.0, "created_by": "test"}
        with self.database.transaction() as con:
            con.execute(insert(jobs).values(values))
            con.execute(insert(job_revisions).values(revision))
        return job_id

    def submit(
        self, job_id: str, *, at: float = 0.0, priority: int = 0, attempts: int = 1, timeout: int | None = None
    ) -> str:
        submission = Submission(
            execution_id=new_id(),
            account_id="main",
            job_id=job_id,
            job_name="job",
            job_revision=1,
            condition={} if timeout is None else {"timeout": timeout},
            parameters={"day": "1"},
            priority=priority,
            max_attempts=attempts,
            created_at=at,
        )
        with self.database.transaction() as con:
            return queue.submit(con, submission)

    def claim(self, at: float, *, limit: int = 1, worker: str = "w1") -> list[Claimed]:
        with self.database.transaction() as con:
            return queue.claim(con, worker=worker, lease_seconds=LEASE, now=at, limit=limit)

    def one(self, at: float) -> Claimed:
        (claimed,) = self.claim(at)
        return claimed

    def publish(self, token: str, *, at: float) -> queue.Renewal:
        """Ask whether the run may publish."""
        with self.database.transaction() as con:
            return queue.renew(con, token, now=at, lease_seconds=LEASE, publishing=True)

    def finish(self, token: str, outcome: Outcome, *, at: float) -> bool:
        with self.database.transaction() as con:
            return queue.finish(con, token, outcome, now=at) is not None

    def cancel(self, execution_id: str, *, at: float) -> bool:
        with self.database.transaction() as con:
            return queue.cancel(con, execution_id, now=at)

    def rescue(self, at: float) -> list[queue.Rescued]:
        with self.database.transaction() as con:
            return queue.rescue(con, at)

    def row(self, execution_id: str) -> Mapping[str, Any]:
        with self.database.reading() as con:
            found = con.execute(select(executions).where(executions.c.execution_id == execution_id))
            return dict(found.mappings().one())

    def status(self, execution_id: str) -> str:
        return str(self.row(execution_id)["status"])

    def running(self, job_id: str) -> int:
        wanted = select(func.count()).where(executions.c.job_id == job_id, executions.c.status == "RUNNING")
        with self.database.reading() as con:
            return int(con.scalar(wanted) or 0)

    def counted(self, job_id: str) -> int:
        """How many executions of a job are kept, as its row says and as they are; the two are equal."""
        wanted = select(func.count()).where(executions.c.job_id == job_id)
        with self.database.reading() as con:
            count = con.scalar(select(jobs.c.execution_count).where(jobs.c.job_id == job_id))
            assert count == con.scalar(wanted)
        return int(count or 0)

    def attempts(self, execution_id: str) -> list[tuple[int, str | None]]:
        wanted = select(attempts.c.number, attempts.c.outcome).where(attempts.c.execution_id == execution_id)
        with self.database.reading() as con:
            return [(row.number, row.outcome) for row in con.execute(wanted.order_by(attempts.c.number))]

    def log(self, execution_id: str) -> str:
        with self.database.reading() as con:
            return "".join(chunk.text for chunk in queue.read_log(con, execution_id))
