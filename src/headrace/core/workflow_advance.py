"""How a run of a workflow goes on: what follows, in one transaction, from all that has ended by now.

It is asked once for each end, by the outbox, in the transaction in which the outbox marks that as done. Asked again, or
for something that an earlier call has seen already, it changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, and_, bindparam, select, update

from headrace.auth.principal import Principal
from headrace.core import executions as executions_of_jobs
from headrace.core import workflow_steps
from headrace.core.outbox import Event
from headrace.core.workflow_runs import from_payload, go_on
from headrace.core.workflow_steps import Step
from headrace.db.tables import executions, workflow_run_jobs, workflow_runs, workflows
from headrace.errors import BadParameter, BadState, NotFound, NotGranted
from headrace.execution import queue
from headrace.stores.grants import Grants

# Others write between two such transactions: nobody waits for the jobs of a wide workflow to be put into the queue.
_STARTED_AT_ONCE = 20


def heard(con: Connection, event: Event, now: float) -> None:
    """What the outbox calls for each end of an execution of a run, and for a run that begins or is cancelled."""
    advance(con, str(event.payload["workflowRunId"]), now=now)


def advance(con: Connection, run_id: str, *, now: float) -> None:
    """Start what can start, say of what never will that it is skipped, and end the run when nothing is left."""
    con.execute(_HOLD, {"run": run_id})
    run = con.execute(_RUN, {"run": run_id}).first()
    if run is None:
        return
    if run.status == "RUNNING":
        cancelled = run.cancel_requested_at is not None
        if cancelled:
            _cancel(con, run_id, now)
        _note_ended(con, run_id, now)
        statuses = set(con.scalars(_STATUSES, {"run": run_id}))
        # Most ends of a wide run start nothing: then its steps need not be read, which are many.
        if "WAITING" in statuses:
            steps = {step.job_id: step for step in _steps(con, run_id)}
            if _follow(con, run, steps, now):
                go_on(con, run.account_id, run_id, now=now)
            statuses = {step.status for step in steps.values()}
        status = workflow_steps.outcome(statuses, cancelled=cancelled)
        if status is None:
            return
        this = workflow_runs.c.run_id == run_id
        con.execute(update(workflow_runs).where(this).values(status=status, ended_at=now))
    _begin_next(con, run, now)


def _steps(con: Connection, run_id: str) -> Iterator[Step]:
    for row in con.execute(_STEPS, {"run": run_id}):
        yield Step(row.job_id, tuple(row.parents), row.run_on, row.status)


def _cancel(con: Connection, run_id: str, now: float) -> None:
    """Stop what was started; what waits in the queue ends with it at once."""
    # Everybody who writes rows of several jobs goes through them in this order, so that two never wait for each other.
    for execution_id in con.scalars(_STARTED, {"run": run_id}).all():
        queue.cancel(con, str(execution_id), now=now)


def _note_ended(con: Connection, run_id: str, now: float) -> None:
    """Write down of each started job whose execution has ended how it ended."""
    for found in con.execute(_ENDED, {"run": run_id}).all():
        values = {"status": found.status, "failure": found.failure, "ended_at": found.ended_at or now}
        _write(con, run_id, found.job_id, values)


def _follow(con: Connection, run: Row[Any], steps: dict[str, Step], now: float) -> bool:
    """Skip and start what follows; whether there is more than this transaction should do."""
    cancelled = run.cancel_requested_at is not None
    while (found := workflow_steps.following(steps.values(), cancelled=cancelled)).skip:
        for job_id in found.skip:
            _write(con, run.run_id, job_id, {"status": "SKIPPED", "ended_at": now})
            steps[job_id] = replace(steps[job_id], status="SKIPPED")
    # For the same order, what follows from a job that failed at once is left to the next transaction.
    for job_id in sorted(found.start[:_STARTED_AT_ONCE]):
        steps[job_id] = _start(con, run, steps[job_id], now)
    return len(found.start) > _STARTED_AT_ONCE or any(steps[job_id].status == "FAILED" for job_id in found.start)


def _start(con: Connection, run: Row[Any], step: Step, now: float) -> Step:
    """Put a job of the run into the queue; one that can't be run has failed."""
    row = con.execute(_JOB, {"run": run.run_id, "job": step.job_id}).one()
    values: dict[str, Any] = {"attempt": row.attempt + 1}
    try:
        execution_id = executions_of_jobs.submit(
            con,
            _principal(run),
            step.job_id,
            condition=row.condition,
            parameters=_parameters(row.parameters or {}, run.payload),
            origin=executions_of_jobs.Origin(run.trigger_id, run.trigger_name, run.workflow_id, run.run_id),
            now=datetime.fromtimestamp(now, UTC),
        )
    except (BadParameter, BadState, NotFound, NotGranted) as error:
        failure = {"code": error.code, "message": str(error)}
        values |= {"status": "FAILED", "execution_id": None, "failure": failure, "ended_at": now}
        _write(con, run.run_id, step.job_id, values)
        return replace(step, status="FAILED")
    _write(con, run.run_id, step.job_id, values | {"status": "STARTED", "execution_id": execution_id})
    return replace(step, status="STARTED")


def _principal(run: Row[Any]) -> Principal:
    """Who runs the jobs of a run."""
    grants = None if run.grants is None else Grants.of(run.grants)
    return Principal(run.account_id, run.created_by, run.requested_by or "", "manager", grants=grants)


def _parameters(given: Mapping[str, Any], payload: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the node gives to its job; what the payload does not have is left to the default."""
    looked_up = {name: from_payload(value, payload) for name, value in given.items()}
    return {name: value for name, (there, value) in looked_up.items() if there}


def _write(con: Connection, run_id: str, job_id: str, values: Mapping[str, Any]) -> None:
    con.execute(_STEP, {"run": run_id, "job": job_id, **values})


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


# Made once: each end of a job asks all of them.
_RUN_ID: BindParameter[str] = bindparam("run")
_OF_RUN = select(workflow_runs.c.workflow_id).where(workflow_runs.c.run_id == _RUN_ID).scalar_subquery()
# The row of its workflow: see `workflow_runs`.
_HOLD = select(workflows.c.workflow_id).where(workflows.c.workflow_id == _OF_RUN).with_for_update(key_share=True)
_RUN = select(workflow_runs).where(workflow_runs.c.run_id == _RUN_ID)
_J, _E = workflow_run_jobs.c, executions.c
_STEPS = select(_J.job_id, _J.parents, _J.run_on, _J.status).where(_J.run_id == _RUN_ID).order_by(_J.position)
_STARTED = select(_J.execution_id).where(_J.run_id == _RUN_ID, _J.status == "STARTED").order_by(_J.job_id)
_ENDED = (
    select(_J.job_id, _E.status, _E.failure, _E.ended_at)
    .join(executions, _E.execution_id == _J.execution_id)
    .where(_J.run_id == _RUN_ID, _J.status == "STARTED", _E.ended_at.is_not(None))
)
_STATUSES = select(_J.status).where(_J.run_id == _RUN_ID).distinct()
_STEP = update(workflow_run_jobs).where(_J.run_id == _RUN_ID, _J.job_id == bindparam("job"))
_JOB = select(_J.attempt, _J.condition, _J.parameters).where(_J.run_id == _RUN_ID, _J.job_id == bindparam("job"))
