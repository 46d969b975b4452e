"""Workflows: made, read, changed and deleted. What one was before a change is kept as an earlier revision."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, Select, and_, func, select
from sqlalchemy.exc import IntegrityError

from headrace.auth.principal import Principal
from headrace.core import conditions, rights
from headrace.core.conditions import Condition
from headrace.core.jobs import moment
from headrace.core.paging import Page
from headrace.core.workflow_definition import WorkflowDefinition, WorkflowNode, about, read
from headrace.db.tables import jobs, triggers, workflow_revisions, workflow_runs, workflows
from headrace.errors import BadParameter, BadState, Conflict, NotFound, Problem
from headrace.ids import new_id

_LOOKED_UP_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow as it is now. `definition` is what was sent, whole.

    `missing` are the nodes whose job or trigger is gone. `rule` is the kind of rule by which its trigger starts it:
    RECURRING, ONE_TIME, NONE, EVENT; None without a trigger.
    """

    workflow_id: str
    account_id: str
    name: str
    is_temp: bool
    revision: int
    created_at: datetime
    updated_at: datetime
    last_run_id: str | None
    last_run_at: datetime | None
    definition: Mapping[str, Any]
    missing: frozenset[str]
    rule: str | None


@dataclass(frozen=True, slots=True)
class Saved:
    """A workflow, and what is worth telling of what was sent."""

    workflow: Workflow
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the nodes of workflows stand for: the jobs and triggers of an account that are not deleted."""

    jobs: Mapping[str, Row[Any]]
    triggers: Mapping[str, Row[Any]]

    def has(self, node_id: str, kind: str) -> bool:
        """Whether a node's job or trigger is there."""
        return node_id in (self.triggers if kind == "TRIGGER" else self.jobs)


def create(con: Connection, principal: Principal, sent: Mapping[str, Any], *, now: datetime) -> Saved:
    """Make a workflow. Raises BadParameter with every problem; a draft may have those of its graph."""
    definition, warnings = _checked(con, principal, sent)
    workflow_id, at = new_id(), now.timestamp()
    values = {
        "workflow_id": workflow_id,
        "account_id": principal.account_id,
        "revision": 1,
        "created_at": at,
        "updated_at": at,
        **_own_fields(principal, definition),
    }
    _refuse_taken_name(con, principal, definition.body.name, workflow_id)
    try:
        con.execute(sa.insert(workflows).values(values))
    except IntegrityError:
        raise BadParameter([_name_taken()]) from None
    _keep(con, principal, workflow_id, revision=1, sent=sent, at=at)
    return Saved(get(con, principal, workflow_id), warnings)


def get(con: Connection, principal: Principal, workflow_id: str) -> Workflow:
    """A workflow that is not deleted. Raises NotFound."""
    found = con.execute(_workflows(principal).where(workflows.c.workflow_id == workflow_id)).first()
    if found is None:
        raise NotFound("workflow", workflow_id)
    return _read_all(con, principal, [found])[0]


def list(con: Connection, principal: Principal, *, name: str, page: Page) -> tuple[tuple[Workflow, ...], int]:
    """The workflows of a page whose name contains a text, the newest first, and how many there are in all."""
    wanted = _workflows(principal)
    if name and not (name.isprintable() and name.isascii()):
        wanted = wanted.where(sa.false())  # names have no such signs, and not every database may be asked for them
    elif name:
        wanted = wanted.where(workflows.c.name.icontains(name, autoescape=True))
    count = con.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    ordered = wanted.order_by(workflows.c.created_at.desc(), workflows.c.workflow_id)
    rows = con.execute(ordered.limit(page.rows).offset(page.first)).all() if page.rows else ()
    return _read_all(con, principal, rows), count


def update(
    con: Connection,
    principal: Principal,
    workflow_id: str,
    sent: Mapping[str, Any],
    *,
    if_match: int | None,
    now: datetime,
) -> Saved:
    """Replace a workflow. Runs that have begun go on as they began. Raises BadParameter with every problem."""
    row = locked(con, principal, workflow_id)
    if if_match is not None and if_match != row.revision:
        told = f"the workflow is at revision {row.revision}, not {if_match}: somebody changed it meanwhile"
        raise Conflict(told, hint="read it again, and send the change with its revision")
    definition, warnings = _checked(con, principal, sent)
    _refuse_taken_name(con, principal, definition.body.name, workflow_id)
    at, revision = now.timestamp(), row.revision + 1
    values = {**_own_fields(principal, definition), "revision": revision, "updated_at": at}
    try:
        con.execute(sa.update(workflows).where(workflows.c.workflow_id == workflow_id).values(values))
    except IntegrityError:
        raise BadParameter([_name_taken()]) from None
    _keep(con, principal, workflow_id, revision=revision, sent=sent, at=at)
    return Saved(get(con, principal, workflow_id), warnings)


def delete(con: Connection, principal: Principal, workflow_id: str, *, now: datetime) -> None:
    """Delete a workflow; what its runs did stays. Raises BadState while one of them waits or runs."""
    locked(con, principal, workflow_id)
    unended = and_(workflow_runs.c.workflow_id == workflow_id, workflow_runs.c.ended_at.is_(None))
    if count := con.scalar(select(func.count()).where(unended)):
        raise BadState(f"{count} runs of the workflow wait or run", hint="wait for them, or cancel them")
    values = {"deleted_at": now.timestamp(), "updated_at": now.timestamp()}
    con.execute(sa.update(workflows).where(workflows.c.workflow_id == workflow_id).values(values))


def definition(con: Connection, workflow_id: str, *, revision: int) -> WorkflowDefinition:
    """What a workflow was at that revision, also when it is deleted since. Raises NotFound."""
    r = workflow_revisions.c
    text = con.scalar(select(r.definition).where(r.workflow_id == workflow_id, r.revision == revision))
    if text is None:
        raise NotFound("workflow", workflow_id)
    return read(json.loads(text))


def locked(con: Connection, principal: Principal, workflow_id: str) -> Row[Any]:
    """The row of a workflow, so that nobody else changes it or its runs until the transaction ends. Raises NotFound."""
    this = and_(workflows.c.account_id == principal.account_id, workflows.c.workflow_id == workflow_id)
    found = con.execute(select(workflows).where(this).with_for_update(key_share=True)).first()
    if found is None or found.deleted_at is not None:
        raise NotFound("workflow", workflow_id)
    return found


def of_trigger(con: Connection, account_id: str, trigger_id: str) -> tuple[tuple[str, str], ...]:
    """The id and the name of each workflow that a trigger starts, drafts among them, in the order of their ids."""
    w = workflows.c
    this = and_(w.account_id == account_id, w.trigger_id == trigger_id, w.deleted_at.is_(None))
    rows = con.execute(select(w.workflow_id, w.name).where(this).order_by(w.workflow_id))
    return tuple((row.workflow_id, row.name) for row in rows)


def trigger(con: Connection, row: Row[Any]) -> Row[Any] | None:
    """The trigger of a workflow; None when it has none, or it was deleted."""
    found = known(con, row.account_id, [(row.trigger_id or "", "TRIGGER")])
    return found.triggers.get(row.trigger_id or "")


def rule_of(trigger: Row[Any]) -> str:
    """By what kind of rule a trigger starts workflows."""
    return str(trigger.rule.get("type", "NONE")) if trigger.type == "SCHEDULED" else str(trigger.type)


def known(con: Connection, account_id: str, nodes: Iterable[tuple[str, str]]) -> Known:
    """The jobs and triggers behind nodes, which are given by id and type."""
    ids: dict[str, set[str]] = {"JOB": set(), "TRIGGER": set()}
    for node_id, kind in nodes:
        ids.setdefault(kind, set()).add(node_id)
    j, t = jobs.c, triggers.c
    live_jobs = and_(j.account_id == account_id, j.deleted_at.is_(None))
    live_triggers = and_(t.account_id == account_id, t.deleted_at.is_(None))
    of_jobs = select(j.job_id, j.name, j.status).where(live_jobs)
    of_triggers = select(t.trigger_id, t.name, t.type, t.rule).where(live_triggers)
    found_jobs: tuple[Row[Any], ...] = ()
    for few in _few(ids["JOB"]):
        found_jobs += (*con.execute(of_jobs.where(j.job_id.in_(few))),)
    found_triggers: tuple[Row[Any], ...] = ()
    for few in _few(ids["TRIGGER"]):
        found_triggers += (*con.execute(of_triggers.where(t.trigger_id.in_(few))),)
    return Known({row.job_id: row for row in found_jobs}, {row.trigger_id: row for row in found_triggers})


def _few(ids: set[str]) -> Iterator[tuple[str, ...]]:
    """No database takes any number of values at once."""
    ordered = sorted(ids)
    for first in range(0, len(ordered), _LOOKED_UP_AT_ONCE):
        yield tuple(ordered[first : first + _LOOKED_UP_AT_ONCE])


def _checked(
    con: Connection, principal: Principal, sent: Mapping[str, Any]
) -> tuple[WorkflowDefinition, tuple[Problem, ...]]:
    """What was sent, and warnings. Raises BadParameter with every problem that it may not have."""
    definition = read(sent)
    found = known(con, principal.account_id, ((node.id, node.type) for node in definition.nodes))
    problems = (*definition.problems, *_conditions(definition), *_gone(con, principal, definition, found))
    if problems and not definition.body.is_temp:
        raise BadParameter(problems)
    for row in found.jobs.values():  # or who may not execute a job would do it by way of a workflow
        rights.permit_named(principal, "Change/executeJob", row.job_id, row.name)
    return definition, (*definition.warnings, *_differences(definition, found))


def _conditions(definition: WorkflowDefinition) -> Iterator[Problem]:
    for node in definition.jobs:
        try:
            merged_condition(Condition(), node)
        except BadParameter as error:
            for problem in error.problems:
                yield about(node, problem.field, problem.message, problem.hint, code=problem.code)


def merged_condition(stored: Condition, node: WorkflowNode) -> Condition:
    """How a job is run in its workflow: what the node says, over what is stored. Raises BadParameter."""
    return conditions.merged(stored, sent_condition(node))


def sent_condition(node: WorkflowNode) -> dict[str, Any]:
    """The condition of a node as it was sent, without what was left out."""
    return {} if node.job_condition is None else node.job_condition.model_dump(by_alias=True, exclude_unset=True)


def _gone(con: Connection, principal: Principal, definition: WorkflowDefinition, found: Known) -> Iterator[Problem]:
    """Nodes whose job or trigger is not there; what stands under the other type is told so."""
    absent = [node for node in definition.nodes if not found.has(node.id, node.type)]
    other = {"JOB": "TRIGGER", "TRIGGER": "JOB"}
    swapped = known(con, principal.account_id, ((node.id, other[node.type]) for node in absent)) if absent else found
    for node in absent:
        kind = node.type.lower()
        hint = "it was deleted, or never was"
        if swapped.has(node.id, other[node.type]):
            hint = f"it is a {other[node.type].lower()}: give the node the type {other[node.type]}"
        yield about(node, "id", f"there is no {kind} {node.id!r}", hint, code=f"unknown-{kind}")


def _differences(definition: WorkflowDefinition, found: Known) -> Iterator[Problem]:
    """What a node says of its job or trigger, and is not so: it has no effect."""
    for node in definition.nodes:
        row = (found.triggers if node.type == "TRIGGER" else found.jobs).get(node.id)
        if row is None:
            continue
        if node.name != row.name:
            yield about(node, "name", f"the {node.type.lower()} is called {row.name!r}", code="other-name")
        if node.type == "TRIGGER" and node.trigger_rule not in (None, rule_of(row)):
            yield about(node, "triggerRule", f"the trigger's rule is {rule_of(row)}", code="other-rule")
        if node.type == "JOB" and row.status != "RUNNABLE":
            yield about(node, "id", f"the job is {row.status}, and can't be run so", code="not-runnable")


def _own_fields(principal: Principal, definition: WorkflowDefinition) -> dict[str, object]:
    """The fields that stand in columns of their own."""
    trigger = definition.trigger
    return {
        "name": definition.body.name,
        "is_temp": definition.body.is_temp,
        "trigger_id": None if trigger is None else trigger.id,
        **rights.kept(principal),
    }


def _keep(
    con: Connection, principal: Principal, workflow_id: str, *, revision: int, sent: Mapping[str, Any], at: float
) -> None:
    of = {"account_id": principal.account_id, "created_at": at, "created_by": principal.name}
    row = {"workflow_id": workflow_id, "revision": revision, "definition": json.dumps(sent), **of}
    con.execute(sa.insert(workflow_revisions).values(row))


def _workflows(principal: Principal) -> Select[Any]:
    w, r = workflows.c, workflow_revisions.c
    last = and_(r.workflow_id == w.workflow_id, r.revision == w.revision)
    return (
        select(workflows, r.definition)
        .join(workflow_revisions, last)
        .where(w.account_id == principal.account_id, w.deleted_at.is_(None))
    )


def _read_all(con: Connection, principal: Principal, rows: Iterable[Row[Any]]) -> tuple[Workflow, ...]:
    """Workflows from their rows; what their nodes stand for is looked up for all at once."""
    read_rows = [(row, json.loads(row.definition)) for row in rows]
    nodes = {node for _, sent in read_rows for node in _ids(sent)}
    found = known(con, principal.account_id, nodes)
    return tuple(_workflow(row, sent, found) for row, sent in read_rows)


def _workflow(row: Row[Any], sent: Mapping[str, Any], found: Known) -> Workflow:
    trigger = found.triggers.get(row.trigger_id or "")
    made: dict[str, Any] = {name: getattr(row, name) for name in Workflow.__slots__ if name in row._fields}
    made |= {name: moment(made[name]) for name in ("created_at", "updated_at", "last_run_at")}
    missing = frozenset(node_id for node_id, kind in _ids(sent) if not found.has(node_id, kind))
    rule = None if trigger is None else rule_of(trigger)
    return Workflow(**{**made, "definition": sent, "missing": missing, "rule": rule})


def _ids(sent: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The id and the type of each node; a draft may have nodes that are none."""
    nodes = sent.get("nodes")
    for node in nodes if isinstance(nodes, Iterable) else ():
        if isinstance(node, Mapping):
            node_id, kind = node.get("id"), node.get("type")
            if isinstance(node_id, str) and kind in ("JOB", "TRIGGER"):
                yield node_id, str(kind)


def _refuse_taken_name(con: Connection, principal: Principal, name: str, workflow_id: str) -> None:
    w = workflows.c
    same = and_(w.account_id == principal.account_id, w.name == name, w.deleted_at.is_(None))
    if con.scalar(select(w.workflow_id).where(same, w.workflow_id != workflow_id)) is not None:
        raise BadParameter([_name_taken()])


def _name_taken() -> Problem:
    told = "another workflow of the account has this name"
    return Problem("name-taken", told, field="name", subject="workflow")
