"""How a run of a workflow goes on: what follows, in one transaction, from all that has ended by now.

It is asked once for each end, by the outbox, in the transaction in which the outbox marks that as done. Asked again, or
for something that an earlier call has seen already, it changes nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, select, update

from headrace.auth.principal import Principal
from headrace.core import executions as runs_of_jobs
from headrace.core import workflow_steps
from headrace.core.outbox import Event
from headrace.core.workflow_runs import from_payload, go_on
from headrace.core.workflow_steps import Step
from headrace.db.tables import executions, jobs, workflow_run_jobs, workflow_runs, workflows
from headrace.errors import BadParameter, BadState, NotFound
from headrace.execution import queue

# Others write between two such transactions: nobody waits for the jobs of a wide workflow to be put into the queue.
_STARTED_AT_ONCE = 20
_LOOKED_UP_AT_ONCE = 500
_ENDED = ("COMPLETED", "FAILED", "CANCELED")


def heard(con: Connection, event: Event, now: float) -> None:
    """What the outbox calls for each end of an execution of a run, and for a run that begins or is cancelled."""
    advance(con, str(event.payload["workflowRunId"]), now=now)


def advance(con: Connection, run_id: str, *, now: float) -> None:
    """Start what can start, say of what never will that it is skipped, and end the run when nothing is left."""
    run = _locked(con, run_id)
    if run is None:
        return
    if run.status == "RUNNING":
        rows = {row.job_id: row for row in con.execute(_jobs(run_id))}
        steps = {job_id: _step(row) for job_id, row in rows.items()}
        if run.cancel_requested_at is not None:
            _cancel(con, rows, now)
        steps |= _ended(con, rows, steps, now)
        if _follow(con, run, rows, steps, now):
            go_on(con, run.account_id, run_id, now=now)
        status = workflow_steps.outcome(steps.values(), cancelled=run.cancel_requested_at is not None)
        if status is None:
            return
        this = workflow_runs.c.run_id == run_id
        con.execute(update(workflow_runs).where(this).values(status=status, ended_at=now))
    _begin_next(con, run, now)


def _locked(con: Connection, run_id: str) -> Row[Any] | None:
    """The run, with the row of its workflow held: see `workflow_runs`."""
    r = workflow_runs.c
    workflow_id = select(r.workflow_id).where(r.run_id == run_id).scalar_subquery()
    con.execute(
        select(workflows.c.workflow_id).where(workflows.c.workflow_id == workflow_id).with_for_update(key_share=True)
    )
    return con.execute(select(workflow_runs).where(r.run_id == run_id)).first()


def _jobs(run_id: str) -> Any:
    j = workflow_run_jobs.c
    return select(workflow_run_jobs).where(j.run_id == run_id).order_by(j.position)


def _step(row: Row[Any]) -> Step:
    return Step(row.job_id, tuple(row.parents), row.run_on, row.status)


def _cancel(con: Connection, rows: Mapping[str, Row[Any]], now: float) -> None:
    """Stop what was started; what waits in the queue ends with it at once."""
    # Everybody who writes rows of several jobs goes through them in this order, so that two never wait for each other.
    for row in sorted(rows.values(), key=lambda row: str(row.job_id)):
        if row.status == "STARTED":
            queue.cancel(con, row.execution_id, now=now)


def _ended(con: Connection, rows: Mapping[str, Row[Any]], steps: Mapping[str, Step], now: float) -> dict[str, Step]:
    """Write down of each started job whose execution has ended how it ended."""
    started = {row.execution_id: row.job_id for row in rows.values() if row.status == "STARTED"}
    changed: dict[str, Step] = {}
    ids = sorted(started)
    e = executions.c
    for first in range(0, len(ids), _LOOKED_UP_AT_ONCE):
        few = ids[first : first + _LOOKED_UP_AT_ONCE]
        wanted = select(e.execution_id, e.status, e.failure, e.ended_at)
        for found in con.execute(wanted.where(e.execution_id.in_(few), e.status.in_(_ENDED))):
            job_id = started[found.execution_id]
            values = {"status": found.status, "failure": found.failure, "ended_at": found.ended_at or now}
            _write(con, rows[job_id], values)
            changed[job_id] = replace(steps[job_id], status=found.status)
    return changed


def _follow(con: Connection, run: Row[Any], rows: Mapping[str, Row[Any]], steps: dict[str, Step], now: float) -> bool:
    """Skip and start what follows; whether there is more than this transaction should do."""
    cancelled = run.cancel_requested_at is not None
    while (found := workflow_steps.following(steps.values(), cancelled=cancelled)).skip:
        for job_id in found.skip:
            _write(con, rows[job_id], {"status": "SKIPPED", "ended_at": now})
            steps[job_id] = replace(steps[job_id], status="SKIPPED")
    # For the same order, what follows from a job that failed at once is left to the next transaction.
    for job_id in sorted(found.start[:_STARTED_AT_ONCE]):
        steps[job_id] = _start(con, run, rows[job_id], steps[job_id], now)
    return len(found.start) > _STARTED_AT_ONCE or any(steps[job_id].status == "FAILED" for job_id in found.start)


def _start(con: Connection, run: Row[Any], row: Row[Any], step: Step, now: float) -> Step:
    """Put a job of the run into the queue; one that can't be run has failed."""
    values: dict[str, Any] = {"attempt": row.attempt + 1}
    try:
        if _is_gone(con, run.account_id, row.job_id):
            raise BadState("the job was deleted", hint="make it again, or save the workflow without it")
        found = runs_of_jobs.submit(
            con,
            _principal(run),
            row.job_id,
            condition=row.condition,
            parameters=_parameters(row.parameters or {}, run.payload),
            origin=runs_of_jobs.Origin(run.trigger_id, run.trigger_name, run.workflow_id, run.run_id),
            now=datetime.fromtimestamp(now, UTC),
        )
    except (BadParameter, BadState, NotFound) as error:
        failure = {"code": error.code, "message": str(error)}
        values |= {"status": "FAILED", "execution_id": None, "failure": failure, "ended_at": now}
        _write(con, row, values)
        return replace(step, status="FAILED")
    _write(con, row, values | {"status": "STARTED", "execution_id": found.execution_id, "job_name": found.job_name})
    return replace(step, status="STARTED")


def _is_gone(con: Connection, account_id: str, job_id: str) -> bool:
    live = and_(jobs.c.account_id == account_id, jobs.c.job_id == job_id, jobs.c.deleted_at.is_(None))
    return con.scalar(select(jobs.c.job_id).where(live)) is None


def _principal(run: Row[Any]) -> Principal:
    """Who runs the jobs of a run."""
    return Principal(run.account_id, run.created_by, run.requested_by or "", "manager")


def _parameters(given: Mapping[str, Any], payload: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the node gives to its job; what the payload does not have is left to the default."""
    looked_up = {name: from_payload(value, payload) for name, value in given.items()}
    return {name: value for name, (there, value) in looked_up.items() if there}


def _write(con: Connection, row: Row[Any], values: Mapping[str, Any]) -> None:
    j = workflow_run_jobs.c
    con.execute(update(workflow_run_jobs).where(j.run_id == row.run_id, j.job_id == row.job_id).values(values))


def _begin_next(con: Connection, run: Row[Any], now: float) -> None:
    """Begin the oldest of the workflow's runs that wait, once none is under way."""
    r = workflow_runs.c
    this = and_(r.workflow_id == run.workflow_id, r.ended_at.is_(None))
    unended = con.execute(select(r.run_id, r.status).where(this).order_by(r.created_at, r.run_id)).all()
    if not unended or any(row.status == "RUNNING" for row in unended):
        return
    first = unended[0].run_id
    con.execute(update(workflow_runs).where(r.run_id == first).values(status="RUNNING", started_at=now))
    go_on(con, run.account_id, first, now=now)
