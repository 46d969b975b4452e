"""Runs of workflows: started, read, cancelled, and taken up again. How one goes on stands in `workflow_advance`.

Whoever changes a run, or starts one, holds the row of its workflow: so all that happens to the runs of a workflow
happens in some order, and nothing here waits for anybody who waits for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, select, update

from headrace.auth.principal import Principal
from headrace.core import outbox, rights, workflows
from headrace.core.jobs import moment
from headrace.core.paging import Page
from headrace.core.schedules import Overlap
from headrace.core.workflow_definition import FROM_PAYLOAD, RunOn, WorkflowDefinition
from headrace.core.workflow_steps import RunStatus, StepStatus
from headrace.db import tables
from headrace.db.tables import executions, workflow_run_jobs, workflow_runs
from headrace.errors import BadParameter, BadState, NotFound, Problem
from headrace.execution.queue import OF_WORKFLOWS
from headrace.ids import new_id

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """The trigger that started a run."""

    trigger_id: str
    trigger_name: str


@dataclass(frozen=True, slots=True)
class RunJob:
    """A job of a run. `status` is that of its execution while there is one that waits or runs.

    `attempt` counts the times that it was started, `execution_id` is the last of these.
    """

    job_id: str
    job_name: str
    parents: tuple[str, ...]
    run_on: RunOn
    status: StepStatus | Literal["READY", "RUNNING"]
    execution_id: str | None
    attempt: int
    failure: Json | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a workflow, as it is now. READY: it waits for an earlier run to end. In lists `jobs` is empty."""

    run_id: str
    account_id: str
    workflow_id: str
    workflow_name: str
    workflow_revision: int
    trigger_id: str
    trigger_name: str
    scheduled_for: datetime | None
    payload: Json | None
    status: RunStatus
    cancel_requested_at: datetime | None
    attempt: int
    created_at: datetime
    created_by: str
    started_at: datetime | None
    ended_at: datetime | None
    jobs: tuple[RunJob, ...] = ()


_MOMENTS = ("scheduled_for", "cancel_requested_at", "created_at", "started_at", "ended_at")


def start(
    con: Connection,
    principal: Principal,
    workflow_id: str,
    *,
    trigger: Origin,
    payload: Json | None,
    scheduled_for: datetime | None,
    overlap: Overlap,
    now: datetime,
) -> str | None:
    """Start a run of a workflow; gives its id, or None where `overlap` is SKIP and an earlier one has not ended.

    Asked again for the same trigger and `scheduled_for`, it gives the run that was started first. Raises NotFound,
    BadState for a workflow that can't be run as it is, and BadParameter for a payload that does not fit.
    """
    row = workflows.locked(con, principal, workflow_id)
    if row.is_temp:
        raise BadState("the workflow is a draft", hint="save it with isTemp false")
    if scheduled_for is not None and (found := _of_tick(con, workflow_id, trigger, scheduled_for)) is not None:
        return found
    before = _unended(con, workflow_id)
    if before and overlap == "SKIP":
        return None
    for run in before if overlap == "CANCEL_PREVIOUS" else ():
        stop(con, run, now=now.timestamp())
    definition = workflows.definition(con, workflow_id, revision=row.revision)
    if payload is not None:
        _check_payload(definition, payload)
    values = {
        "scheduled_for": None if scheduled_for is None else scheduled_for.timestamp(),
        "payload": payload,
        "created_by": principal.name,
        # A tick runs the workflow with the rights of the one who saved it.
        **(_standing(row) if scheduled_for is not None else rights.kept(principal)),
        **asdict(trigger),
    }
    return _begin(con, row, definition, values=values, waits=_waits(con, workflow_id, overlap), now=now.timestamp())


def execute(
    con: Connection, principal: Principal, workflow_id: str, *, payload: Json | None, scheduled_too: bool, now: datetime
) -> tuple[str, str]:
    """Start a run by hand, beside others; gives the ids of the trigger and of the run.

    Raises BadState for a workflow that a schedule starts, unless `scheduled_too`, and what `start` raises.
    """
    row = workflows.locked(con, principal, workflow_id)
    trigger = workflows.trigger(con, row)
    if trigger is None:
        raise BadState("the workflow's trigger is gone", hint="save the workflow with another one")
    if trigger.type == "SCHEDULED" and not scheduled_too:
        raise BadState("a schedule starts the workflow", hint="to run it now as well, add runNow=true to the query")
    run_id = start(
        con,
        principal,
        workflow_id,
        trigger=Origin(trigger.trigger_id, trigger.name),
        payload=payload,
        scheduled_for=None,
        overlap="ALLOW",
        now=now,
    )
    assert run_id is not None
    return trigger.trigger_id, run_id


def get(con: Connection, principal: Principal, workflow_id: str, run_id: str) -> Run:
    """A run with its jobs, also of a workflow that is deleted since. Raises NotFound."""
    row = _row(con, principal, workflow_id, run_id)
    return _run(row, _jobs(con, run_id))


def list(
    con: Connection, principal: Principal, workflow_id: str, *, status: str, page: Page
) -> tuple[tuple[Run, ...], int]:
    """The runs of a page, the newest first, of one status where it is named; and how many in all. Raises NotFound."""
    c, w = workflow_runs.c, tables.workflows.c
    if (
        con.scalar(select(w.workflow_id).where(w.account_id == principal.account_id, w.workflow_id == workflow_id))
        is None
    ):
        raise NotFound("workflow", workflow_id)
    mine = _mine(principal, workflow_id)
    if status:
        mine = and_(mine, c.status == status)
    count = con.scalar(select(func.count()).select_from(workflow_runs).where(mine)) or 0
    ordered = select(workflow_runs).where(mine).order_by(c.created_at.desc(), c.run_id)
    rows = con.execute(ordered.limit(page.rows).offset(page.first)).all() if page.rows else ()
    return tuple(_run(row) for row in rows), count


def cancel(con: Connection, principal: Principal, workflow_id: str, run_id: str, *, now: datetime) -> None:
    """Stop a run: what waits is not started, what runs is stopped. Raises BadState when it has ended."""
    workflows.locked(con, principal, workflow_id)
    row = _row(con, principal, workflow_id, run_id)
    if row.ended_at is not None:
        raise BadState(f"the run is {row.status}", hint="only one that waits or runs can be cancelled")
    stop(con, row, now=now.timestamp())


def rerun(con: Connection, principal: Principal, workflow_id: str, run_id: str, *, now: datetime) -> Run:
    """Go on with a run from what failed, was cancelled or was skipped; what completed stays as it is.

    It has the graph, the conditions and the payload that it had; each job is run as it is now. Raises BadState unless
    it ended otherwise than well.
    """
    workflows.locked(con, principal, workflow_id)
    row = _row(con, principal, workflow_id, run_id)
    if row.status not in ("FAILED", "CANCELED"):
        raise BadState(f"the run is {row.status}", hint="only one that FAILED or was CANCELED can be taken up again")
    c, at = workflow_run_jobs.c, now.timestamp()
    again = {"status": "WAITING", "failure": None, "ended_at": None}
    con.execute(update(workflow_run_jobs).where(c.run_id == run_id, c.status != "COMPLETED").values(again))
    values = {
        "status": "RUNNING",
        "attempt": row.attempt + 1,
        "cancel_requested_at": None,
        "ended_at": None,
        "created_by": principal.name,
        **rights.kept(principal),
    }
    con.execute(update(workflow_runs).where(workflow_runs.c.run_id == run_id).values(values))
    go_on(con, row.account_id, run_id, now=at)
    return get(con, principal, workflow_id, run_id)


def stop(con: Connection, run: Row[Any], *, now: float) -> None:
    """Cancel a run whose workflow is held; its executions hear of it when the run is looked at."""
    c = workflow_runs.c
    if run.status == "READY":
        values: dict[str, object] = {"status": "CANCELED", "cancel_requested_at": now, "ended_at": now}
        waiting = and_(workflow_run_jobs.c.run_id == run.run_id, workflow_run_jobs.c.status == "WAITING")
        con.execute(update(workflow_run_jobs).where(waiting).values(status="SKIPPED", ended_at=now))
    else:
        values = {"cancel_requested_at": func.coalesce(c.cancel_requested_at, now)}
    con.execute(update(workflow_runs).where(c.run_id == run.run_id).values(values))
    go_on(con, run.account_id, run.run_id, now=now)


def go_on(con: Connection, account_id: str, run_id: str, *, now: float) -> None:
    """Have the run looked at once this transaction is committed."""
    payload = {"workflowRunId": run_id}
    outbox.put(con, OF_WORKFLOWS, account_id=account_id, kind="workflow-run", payload=payload, now=now)


def from_payload(value: object, payload: Json | None) -> tuple[bool, object]:
    """The value of a parameter, and whether it has one: what begins with `payload.` is looked up in the payload."""
    found = FROM_PAYLOAD.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return True, value
    here: object = payload
    for key in found[1].split(".")[1:]:
        if not isinstance(here, Mapping) or key not in here:
            return False, None
        here = here[key]
    return True, here


def _standing(row: Row[Any]) -> dict[str, Any]:
    return {"requested_by": row.requested_by, "grants": row.grants}


def _waits(con: Connection, workflow_id: str, overlap: Overlap) -> bool:
    """Whether a new run waits for earlier ones; those that are being cancelled are waited for, too."""
    return overlap != "ALLOW" and bool(_unended(con, workflow_id))


def _begin(
    con: Connection,
    row: Row[Any],
    definition: WorkflowDefinition,
    *,
    values: Mapping[str, Any],
    waits: bool,
    now: float,
) -> str:
    run_id = new_id()
    run = {
        "run_id": run_id,
        "account_id": row.account_id,
        "workflow_id": row.workflow_id,
        "workflow_name": row.name,
        "workflow_revision": row.revision,
        "status": "READY" if waits else "RUNNING",
        "created_at": now,
        "started_at": None if waits else now,
    }
    con.execute(insert(workflow_runs).values({**run, **values}))
    con.execute(insert(workflow_run_jobs), _rows(definition, {"run_id": run_id, "account_id": row.account_id}))
    w = tables.workflows
    last = {"last_run_id": run_id, "last_run_at": now}
    con.execute(update(w).where(w.c.workflow_id == row.workflow_id).values(last))
    if not waits:
        go_on(con, row.account_id, run_id, now=now)
    return run_id


def _rows(definition: WorkflowDefinition, of: Mapping[str, str]) -> Sequence[dict[str, Any]]:
    ids = {node.id for node in definition.jobs}
    return [
        {
            **of,
            "job_id": node.id,
            "job_name": node.name,
            "position": position,
            "parents": [parent for parent in node.parent_node_ids if parent in ids],
            "run_on": node.run_on,
            "condition": workflows.sent_condition(node),
            "parameters": dict(node.parameters or {}),
            "status": "WAITING",
        }
        for position, node in enumerate(definition.jobs)
    ]


def _check_payload(definition: WorkflowDefinition, payload: Json) -> None:
    """Raises BadParameter for what parameters take from the payload and can't have."""
    wrong = []
    for node in definition.jobs:
        for name, value in (node.parameters or {}).items():
            there, found = from_payload(value, payload)
            if there and not (isinstance(found, str) or (isinstance(found, int) and not isinstance(found, bool))):
                told = f"is neither a text nor a whole number, and parameter {name!r} of job {node.name!r} takes it"
                wrong.append(Problem("bad-payload", told, field=str(value), subject="workflow"))
    if wrong:
        raise BadParameter(wrong)


def _of_tick(con: Connection, workflow_id: str, trigger: Origin, scheduled_for: datetime) -> str | None:
    c = workflow_runs.c
    same = and_(
        c.workflow_id == workflow_id,
        c.trigger_id == trigger.trigger_id,
        c.scheduled_for == scheduled_for.timestamp(),
    )
    found = con.scalar(select(c.run_id).where(same))
    return None if found is None else str(found)


def _unended(con: Connection, workflow_id: str) -> tuple[Row[Any], ...]:
    c = workflow_runs.c
    wanted = select(workflow_runs).where(c.workflow_id == workflow_id, c.ended_at.is_(None))
    return tuple(con.execute(wanted.order_by(c.created_at, c.run_id)))


def _mine(principal: Principal, workflow_id: str) -> ColumnElement[bool]:
    c = workflow_runs.c
    return and_(c.account_id == principal.account_id, c.workflow_id == workflow_id)


def _row(con: Connection, principal: Principal, workflow_id: str, run_id: str) -> Row[Any]:
    this = and_(_mine(principal, workflow_id), workflow_runs.c.run_id == run_id)
    found = con.execute(select(workflow_runs).where(this)).first()
    if found is None:
        raise NotFound("workflow-run", run_id)
    return found


def _jobs(con: Connection, run_id: str) -> tuple[RunJob, ...]:
    j, e = workflow_run_jobs.c, executions.c
    status = sa.case((j.status == "STARTED", e.status), else_=j.status).label("status")
    stored = [j[name] for name in RunJob.__slots__ if name != "status"]
    wanted: Select[Any] = (
        select(*stored, status)
        .outerjoin(executions, e.execution_id == j.execution_id)
        .where(j.run_id == run_id)
        .order_by(j.position)
    )
    return tuple(
        RunJob(**{**row, "parents": tuple(row["parents"]), "ended_at": moment(row["ended_at"])})
        for row in con.execute(wanted).mappings()
    )


def _run(row: Row[Any], jobs: tuple[RunJob, ...] = ()) -> Run:
    same = {name: getattr(row, name) for name in Run.__slots__ if name != "jobs"}
    return Run(**{**same, **{name: moment(same[name]) for name in _MOMENTS}, "jobs": jobs})
