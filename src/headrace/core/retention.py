"""What is not kept for ever: old executions with all that belongs to them, and what our tables hold for a while only.

Each call removes a small batch, so that nobody waits long for a lock, and says how much it was. Several servers may do
this at the same time: what one has taken the others pass over. What lies in object storage is the user's, and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, and_, delete, func, select

from headrace.core import dashboard, job_figures
from headrace.db.tables import (
    attempts,
    audit,
    executions,
    first_answers,
    jobs,
    log_chunks,
    outbox,
    scripts,
    seen_requests,
    ticks,
    workflow_run_jobs,
    workflow_runs,
    workflows,
)
from headrace.execution import queue

_LOOKED = 1000
_ROWS = 1000
_HOUR, _DAY = 3600.0, 86400.0
_ENDED = ("COMPLETED", "FAILED", "CANCELED")


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many days executions and the audit log are kept, and how many ended executions of a job; 0 is for ever.

    The others are for how many seconds events that are done, requests that were seen and first answers are kept.
    """

    days: float = 90.0
    of_a_job: int = 1000
    audit_days: float = 365.0
    events: float = 7 * _DAY
    requests: float = _HOUR
    answers: float = _DAY


def removable(con: Connection, kept: Kept, *, now: float) -> list[str]:
    """Executions that are kept no longer, at most so many. It looks at many: ask in a reading."""
    c = executions.c
    wanted = _ended().limit(_LOOKED)
    old = wanted.where(c.ended_at < now - kept.days * _DAY).order_by(c.ended_at)
    found: list[str] = list(con.scalars(old)) if kept.days else []
    for account_id, job_id in _crowded(con, kept.of_a_job) if kept.of_a_job else ():
        if len(found) >= _LOOKED:
            break
        of_job = and_(c.account_id == account_id, c.job_id == job_id)
        newest = select(c.execution_id).where(of_job, c.status.in_(_ENDED)).order_by(c.created_at.desc())
        surplus = wanted.where(of_job, c.execution_id.not_in(newest.limit(kept.of_a_job)))
        found.extend(con.scalars(surplus.order_by(c.created_at)))
    return found


def remove(con: Connection, execution_ids: Sequence[str]) -> None:
    """Remove these with all that belongs to them, but those from which something follows by now."""
    chosen = _ended().where(executions.c.execution_id.in_(execution_ids))
    ids: list[str] = list(con.scalars(chosen.with_for_update(of=executions, skip_locked=True)))
    # This one first: it holds the rows of all accounts, and the other one those of some.
    job_figures.remember(con, ids)
    dashboard.remember(con, ids)
    for table in (log_chunks, attempts, scripts):
        con.execute(delete(table).where(table.c.execution_id.in_(ids)))
    queue.remove(con, ids)


def forget(con: Connection, kept: Kept, *, now: float) -> int:
    """Remove a batch of what is held for a while only; gives how many rows went, 0 when there was nothing."""
    gone = _remove_rows(con, outbox, outbox.c.id, outbox.c.done_at < now - kept.events)
    gone += _remove_runs(con, now - kept.days * _DAY) if kept.days else 0
    gone += _remove_rows(con, seen_requests, seen_requests.c.signature, seen_requests.c.at < now - kept.requests)
    gone += _remove_rows(con, first_answers, first_answers.c.idempotency_key, first_answers.c.at < now - kept.answers)
    return gone + (_remove_audit(con, now - kept.audit_days * _DAY) if kept.audit_days else 0)


def _ended() -> Select[tuple[str]]:
    """Executions that have ended, of which nothing follows any more, and that are not the last one of their job."""
    c = executions.c
    about = func.coalesce(outbox.c.payload["executionId"].as_string(), "")
    follows = select(about).where(outbox.c.kind == "execution-ended", outbox.c.done_at.is_(None))
    is_last = select(jobs.c.job_id).where(jobs.c.last_execution_id == c.execution_id, jobs.c.job_id == c.job_id)
    return select(c.execution_id).where(c.status.in_(_ENDED), ~is_last.exists(), c.execution_id.not_in(follows))


def _crowded(con: Connection, most: int) -> list[tuple[str, str]]:
    """The jobs that have more executions than are kept of each."""
    job = (executions.c.account_id, executions.c.job_id)
    found = con.execute(select(*job).group_by(*job).having(func.count() > most))
    return [(row.account_id, row.job_id) for row in found]


def _remove_rows(con: Connection, table: Table, key: Column[object], which: ColumnElement[bool]) -> int:
    keys = list(con.scalars(select(key).where(which).limit(_ROWS).with_for_update(skip_locked=True)))
    return con.execute(delete(table).where(key.in_(keys), which)).rowcount if keys else 0


def _remove_runs(con: Connection, before: float) -> int:
    """Old runs of workflows with their jobs, but not the last one of a workflow; and old ticks of triggers."""
    r = workflow_runs.c
    is_last = select(workflows.c.workflow_id).where(workflows.c.last_run_id == r.run_id)
    old = select(r.run_id).where(r.ended_at < before, ~is_last.exists()).order_by(r.ended_at).limit(_ROWS)
    ids = list(con.scalars(old.with_for_update(of=workflow_runs, skip_locked=True)))
    for table in (workflow_run_jobs, workflow_runs):
        con.execute(delete(table).where(table.c.run_id.in_(ids)))
    instants = ticks.c.at < before
    if con.scalar(select(ticks.c.at).where(instants).limit(1)) is None:
        return len(ids)
    first = select(ticks.c.at).where(instants).order_by(ticks.c.at).limit(_ROWS).subquery()
    until = con.scalar(select(func.max(first.c.at)))
    return len(ids) + con.execute(delete(ticks).where(ticks.c.at <= until)).rowcount


def _remove_audit(con: Connection, before: float) -> int:
    """Ids rise with time: so no more than the first rows are looked at, whether they are old or not."""
    first = select(audit.c.id, audit.c.at).order_by(audit.c.id).limit(_ROWS).subquery()
    old = select(first.c.id).where(first.c.at < before)
    return con.execute(delete(audit).where(and_(audit.c.id.in_(old), audit.c.at < before))).rowcount
