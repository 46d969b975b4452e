"""Executions: asked for, read, cancelled; and what they logged and reported."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, select

from headrace.auth.principal import Principal
from headrace.core import conditions, jobs, rights
from headrace.core.conditions import Condition
from headrace.core.jobs import moment
from headrace.core.paging import Page
from headrace.db import tables
from headrace.db.tables import executions
from headrace.definition import of
from headrace.errors import BadParameter, BadState, JobInvalid, NotFound, Problem
from headrace.execution import queue
from headrace.execution.queue import LogChunk, Submission
from headrace.execution.states import Status
from headrace.ids import new_id
from headrace.parameters import resolve
from headrace.wording import kind_of

# The name of a console log tells the moment in the vendor's zone; clients take it apart.
_LOG_ZONE = timedelta(hours=9)


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a job, as it is now. `condition` and `parameters` are those of this run, complete."""

    execution_id: str
    account_id: str
    type: str
    job_id: str
    job_name: str
    job_revision: int
    condition: Condition
    parameters: Mapping[str, Any]
    status: Status
    cancel_requested_at: datetime | None
    priority: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    executor_num: int | None
    attempt: int
    max_attempts: int
    losses: int
    failure: Mapping[str, Any] | None
    trigger_id: str | None
    trigger_name: str | None
    workflow_id: str | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """What an attempt ran, as a text in the language of its engine."""

    attempt: int
    engine: str
    text: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of an execution; `outcome` and `ended_at` are None while it runs."""

    number: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    failure: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Origin:
    """What an execution belongs to, where somebody did not simply ask for it."""

    trigger_id: str | None = None
    trigger_name: str | None = None
    workflow_id: str | None = None
    workflow_run_id: str | None = None


_MOMENTS = ("cancel_requested_at", "created_at", "started_at", "ended_at")


def create(
    con: Connection,
    principal: Principal,
    job_id: str,
    *,
    condition: Mapping[str, Any] | None,
    parameters: Mapping[str, Any] | None,
    trigger_id: str | None,
    workflow_id: str | None,
    now: datetime,
) -> Execution:
    """Put a run of a job into the queue, with the job's condition where none is given.

    Raises NotFound, BadState for a job that can't be run, BadParameter, and NotGranted for data that it would touch.
    """
    origin = _origin(con, principal, trigger_id, workflow_id)
    made = submit(con, principal, job_id, condition=condition, parameters=parameters, origin=origin, now=now)
    return get(con, principal, job_id, made)


def submit(
    con: Connection,
    principal: Principal,
    job_id: str,
    *,
    condition: Mapping[str, Any] | None,
    parameters: Mapping[str, Any] | None,
    origin: Origin,
    now: datetime,
) -> str:
    """The same, for an origin that is known to be there; gives the id of the execution."""
    row = jobs.locked(con, principal, job_id, deleted=True)
    if row.status != "RUNNABLE":
        raise BadState(f"the job is {row.status}", hint="only a job that is RUNNABLE can be executed")
    sent = jobs.definition(con, principal, job_id, revision=row.revision)
    execution_id = new_id()
    of_run = _condition(row, condition or {}, execution_id, now)
    rights.refuse_condition(con, principal, of_run)
    submission = Submission(
        execution_id=execution_id,
        account_id=principal.account_id,
        job_id=job_id,
        job_name=row.name,
        job_revision=row.revision,
        condition=of_run.as_json(),
        parameters=_parameters(principal, sent, parameters or {}),
        priority=row.priority,
        max_attempts=row.retries + 1,
        created_at=now.timestamp(),
        type="JOB" if origin.workflow_run_id is None else "WORKFLOW",
        **asdict(origin),
    )
    return queue.submit(con, replace(submission, **rights.kept(principal)))


def _origin(con: Connection, principal: Principal, trigger_id: str | None, workflow_id: str | None) -> Origin:
    """What a caller says that an execution belongs to. Raises NotFound for what is not there."""
    name = None
    t, w = tables.triggers.c, tables.workflows.c
    if trigger_id is not None:
        live = and_(t.account_id == principal.account_id, t.trigger_id == trigger_id, t.deleted_at.is_(None))
        name = con.scalar(select(t.name).where(live))
        if name is None:
            raise NotFound("trigger", trigger_id)
    if workflow_id is not None:
        live = and_(w.account_id == principal.account_id, w.workflow_id == workflow_id, w.deleted_at.is_(None))
        if con.scalar(select(w.workflow_id).where(live)) is None:
            raise NotFound("workflow", workflow_id)
    return Origin(trigger_id, name, workflow_id)


def get(con: Connection, principal: Principal, job_id: str, execution_id: str) -> Execution:
    """An execution of a job, also of one that is deleted since. Raises NotFound."""
    this = {"account": principal.account_id, "job": job_id, "execution": execution_id}
    found = con.execute(_one(), this).first()
    if found is None:
        raise NotFound("execution", execution_id)
    return _execution(found)


def list(con: Connection, principal: Principal, job_id: str, *, page: Page) -> tuple[tuple[Execution, ...], int]:
    """The executions of a page, the newest first, and how many the job has in all. Raises NotFound."""
    kept = {"account": principal.account_id, "job": job_id}
    count = con.scalar(_count(), kept)
    if count is None:
        raise NotFound("job", job_id)
    found = con.execute(_page(), {**kept, "rows": page.rows, "first": page.first}) if page.rows else ()
    return tuple(_execution(row) for row in found), count


def of_workflow(
    con: Connection, principal: Principal, workflow_id: str, *, filter: str, page: Page
) -> tuple[tuple[Execution, ...], int]:
    """What the runs of a workflow executed, the newest first, and how much that is in all. Raises NotFound.

    With a filter: those where it is in the name of the workflow or of the job, in any case.
    """
    c, w = executions.c, tables.workflows.c
    this = and_(w.account_id == principal.account_id, w.workflow_id == workflow_id)
    name = con.scalar(select(w.name).where(this))
    if name is None:
        raise NotFound("workflow", workflow_id)
    mine = and_(c.account_id == principal.account_id, c.workflow_id == workflow_id, c.workflow_run_id.is_not(None))
    if filter and not (filter.isprintable() and filter.isascii()):
        mine = sa.false()  # names have no such signs, and not every database may be asked for them
    elif filter and filter.lower() not in name.lower():
        mine = and_(mine, c.job_name.icontains(filter, autoescape=True))
    count = con.scalar(select(func.count()).select_from(executions).where(mine)) or 0
    wanted = select(*(c[slot] for slot in Execution.__slots__)).where(mine)
    ordered = wanted.order_by(c.created_at.desc(), c.execution_id).limit(page.rows).offset(page.first)
    return tuple(_execution(row) for row in (con.execute(ordered) if page.rows else ())), count


def cancel(con: Connection, principal: Principal, job_id: str, execution_id: str, *, now: datetime) -> None:
    """Stop an execution: at once when it waits, else as soon as its worker hears it. Raises BadState when it ended."""
    get(con, principal, job_id, execution_id)
    if not queue.cancel(con, execution_id, now=now.timestamp()):
        status = get(con, principal, job_id, execution_id).status
        raise BadState(f"the execution is {status}", hint="only one that waits or runs can be cancelled")


def asked_by(con: Connection, principal: Principal, access_key: str) -> Sequence[tuple[str, str]]:
    """The job and the id of each execution that a key asked for and that has not ended, the newest first."""
    c = executions.c
    active = and_(c.account_id == principal.account_id, c.status.in_(("READY", "RUNNING")))
    wanted = select(c.job_id, c.execution_id).where(active, c.requested_by == access_key)
    return [(job_id, execution_id) for job_id, execution_id in con.execute(wanted.order_by(c.created_at.desc()))]


def report(con: Connection, principal: Principal, job_id: str, execution_id: str) -> Mapping[str, Any] | None:
    """What the run told when it had ended; None before that, and when it could not tell. Raises NotFound."""
    get(con, principal, job_id, execution_id)
    told: Mapping[str, Any] | None = con.scalar(
        select(executions.c.report).where(executions.c.execution_id == execution_id)
    )
    return told


def script(con: Connection, principal: Principal, job_id: str, execution_id: str) -> Script | None:
    """What the last attempt ran; None before one has begun. Raises NotFound."""
    get(con, principal, job_id, execution_id)
    s = tables.scripts.c
    found = con.execute(select(s.attempt, s.engine, s.text).where(s.execution_id == execution_id)).first()
    return None if found is None else Script(*found)


def log(
    con: Connection, principal: Principal, job_id: str, execution_id: str, *, after: int, limit: int
) -> tuple[LogChunk, ...]:
    """The console log after the chunk of that id, of all attempts. Raises NotFound."""
    get(con, principal, job_id, execution_id)
    return tuple(queue.read_log(con, execution_id, after=after, limit=limit))


def attempts(con: Connection, principal: Principal, job_id: str, execution_id: str) -> tuple[Attempt, ...]:
    """All tries, the first one first. Raises NotFound."""
    get(con, principal, job_id, execution_id)
    a = tables.attempts.c
    wanted = select(a.number, a.worker, a.started_at, a.ended_at, a.outcome, a.failure)
    rows = con.execute(wanted.where(a.execution_id == execution_id).order_by(a.number)).mappings()
    moments = ("started_at", "ended_at")
    return tuple(Attempt(**{**row, **{name: moment(row[name]) for name in moments}}) for row in rows)


# Each statement is made once: to make one takes longer than to run it.
def _of_job() -> ColumnElement[bool]:
    c = executions.c
    return and_(c.account_id == bindparam("account"), c.job_id == bindparam("job"))


@cache
def _one() -> Select[Any]:
    c = executions.c
    return select(*(c[name] for name in Execution.__slots__)).where(_of_job(), c.execution_id == bindparam("execution"))


@cache
def _count() -> Select[Any]:
    j = tables.jobs.c
    this = and_(j.account_id == bindparam("account"), j.job_id == bindparam("job"))
    return select(j.execution_count).where(this)


@cache
def _page() -> Select[Any]:
    """The newest first. Which ones they are is found in the index alone, so that those before them are not read."""
    c = executions.c
    order = (c.created_at.desc(), c.execution_id)
    ids = select(c.execution_id).where(_of_job()).order_by(*order)
    shown = ids.limit(bindparam("rows")).offset(bindparam("first")).scalar_subquery()
    return select(*(c[name] for name in Execution.__slots__)).where(c.execution_id.in_(shown)).order_by(*order)


def _execution(row: Row[Any]) -> Execution:
    moments = {name: moment(getattr(row, name)) for name in _MOMENTS}
    read = {"condition": Condition.of(row.condition), "warnings": tuple(row.warnings or ())}
    return Execution(**{**row._mapping, **moments, **read})


def _condition(row: Row[Any], sent: Mapping[str, Any], execution_id: str, now: datetime) -> Condition:
    """The condition of one run, with the place of its log."""
    of_run = conditions.merged(Condition.of(row.condition), sent)
    at_log = (now + _LOG_ZONE).strftime("%Y-%m-%dT%H:%M:%S")
    return replace(of_run, console_log_path=f"{of_run.log_path}console/{row.job_id}/{execution_id}_{at_log}.log")


def _parameters(principal: Principal, sent: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """The value of each parameter that the job declares.

    Raises BadParameter when the job means nothing with them, and NotGranted for what it would touch.
    """
    texts = {name: str(value) for name, value in given.items() if _is_value(value)}
    wrong = [(name, kind_of(value)) for name, value in given.items() if name not in texts]
    if wrong:
        told = "should be a string or a whole number, not"
        raise BadParameter(
            Problem("bad-parameter", f"{told} {kind}", field=f"parameters.{name}") for name, kind in wrong
        )
    definition = of(sent)
    try:
        plan = definition.plan(texts)
    except JobInvalid as error:
        raise BadParameter(error.problems) from None
    rights.refuse_plan(principal.data, plan)
    return resolve(definition.body.parameters, texts)[0]


def _is_value(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
