"""The use cases at moments of a test: jobs and executions of one principal."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headrace.auth.principal import Principal
from headrace.core import executions, jobs
from headrace.core.executions import Execution
from headrace.core.jobs import Job, JobFilter
from headrace.core.paging import Page
from headrace.db import Database
from headrace.execution import queue
from headrace.execution.queue import Claimed, Outcome
from tests.support.jobs import Json, job, source, target

ALICE = Principal("main", "alice", "AKALICE", "manager")
OTHER = Principal("other", "bob", "AKBOB", "manager")
NOON = datetime(2025, 6, 1, 3, 0, 7, tzinfo=UTC)  # at noon where the vendor is


def sound(**more: Any) -> Json:
    """A job without problems."""
    return job(source(), target(), **more)


def wrong(**more: Any) -> Json:
    """A job whose target has no such parent."""
    return job(source(), target(parents=(5,)), **more)


@dataclass(frozen=True, slots=True)
class Uses:
    """Each call is a transaction of its own."""

    database: Database
    who: Principal = ALICE

    def create(self, sent: Json) -> Job:
        with self.database.transaction() as con:
            return jobs.create(con, self.who, sent, now=NOON)

    def verify(self, sent: Json) -> None:
        with self.database.reading() as con:
            jobs.verify(con, self.who, sent)

    def get(self, job_id: str) -> Job:
        with self.database.reading() as con:
            return jobs.get(con, self.who, job_id)

    def update(
        self, job_id: str, sent: Json, *, partial: bool = True, if_match: int | None = None, now: datetime = NOON
    ) -> Job:
        with self.database.transaction() as con:
            return jobs.update(con, self.who, job_id, sent, partial=partial, if_match=if_match, now=now)

    def condition(self, job_id: str, sent: object, *, if_match: int | None = None) -> Job:
        with self.database.transaction() as con:
            return jobs.set_condition(con, self.who, job_id, sent, if_match=if_match, now=NOON)

    def delete(self, job_id: str) -> None:
        with self.database.transaction() as con:
            jobs.delete(con, self.who, job_id, now=NOON)

    def names(self, *, name: str = "", status: str = "", page: int = 0, limit: int = 1000) -> tuple[list[str], int]:
        with self.database.reading() as con:
            rows, count = jobs.list(con, self.who, filter=JobFilter(name, status), page=Page(page, limit))
        return [row.name for row in rows], count

    def execute(
        self,
        job_id: str,
        *,
        condition: Json | None = None,
        parameters: Json | None = None,
        trigger_id: str | None = None,
        workflow_id: str | None = None,
    ) -> Execution:
        with self.database.transaction() as con:
            return executions.create(
                con,
                self.who,
                job_id,
                condition=condition,
                parameters=parameters,
                trigger_id=trigger_id,
                workflow_id=workflow_id,
                now=NOON,
            )

    def execution(self, job_id: str, execution_id: str) -> Execution:
        with self.database.reading() as con:
            return executions.get(con, self.who, job_id, execution_id)

    def cancel(self, job_id: str, execution_id: str) -> None:
        with self.database.transaction() as con:
            executions.cancel(con, self.who, job_id, execution_id, now=NOON)

    def claim(self) -> Claimed:
        (claimed,) = self.claims()
        return claimed

    def claims(self, *, limit: int = 1) -> list[Claimed]:
        now = NOON.timestamp() + 36
        with self.database.transaction() as con:
            return queue.claim(con, worker="w", lease_seconds=15, now=now, limit=limit)

    def end(self, claimed: Claimed, outcome: Outcome) -> None:
        with self.database.transaction() as con:
            assert queue.finish(con, claimed.lease_token, outcome, now=NOON.timestamp() + 40)
