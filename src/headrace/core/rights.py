"""What a caller may do to a thing, and whether their jobs may touch the data that they name."""

from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import Connection, select

from headrace.auth.policy import Action
from headrace.auth.principal import Principal
from headrace.core import conditions
from headrace.core.conditions import Condition
from headrace.db import tables
from headrace.definition import Definition
from headrace.errors import Denied, NotGranted, Problem
from headrace.graph import Plan
from headrace.stores.grants import EVERYTHING, Grants, ungranted

Kind = Literal["job", "workflow", "trigger"]
_THINGS = {
    "job": (tables.jobs, tables.jobs.c.job_id),
    "workflow": (tables.workflows, tables.workflows.c.workflow_id),
    "trigger": (tables.triggers, tables.triggers.c.trigger_id),
}


def permit(con: Connection, principal: Principal, action: Action, *, kind: Kind, id: str) -> None:
    """Raise Denied when the caller may not do this to the thing of that id, also when it is deleted since.

    What does not exist is permitted: who asks for it is told that it is not there.
    """
    if not principal.may_depends(action):
        return
    table, key = _THINGS[kind]
    name = con.scalar(select(table.c.name).where(table.c.account_id == principal.account_id, key == id))
    if name is not None and not principal.may(action, id, name):
        raise _denied(action, f"{kind} {name}")


def permit_named(principal: Principal, action: Action, id: str, name: str) -> None:
    """Raise Denied when the caller may not do this to the thing of this id and name."""
    if not principal.may(action, id, name):
        raise _denied(action, name)


def permit_name(principal: Principal, action: Action, name: object) -> None:
    """Raise Denied when the caller may not do this to a thing that will have this name."""
    if isinstance(name, str) and principal.may_depends(action) and not principal.may(action, name):
        raise _denied(action, f"the name {name[:100]!r}")


def kept(principal: Principal) -> dict[str, Any]:
    """Who asks, and which data their jobs may touch: what the key could do then counts whenever a run begins."""
    grants = None if principal.data == EVERYTHING else principal.data.as_json()
    return {"requested_by": principal.access_key or None, "grants": grants}


def refuse_data(principal: Principal, read: Definition) -> None:
    """Raise NotGranted with every place of a job's nodes that the caller's jobs may not touch.

    A prefix with a parameter is passed over: it is judged when the job is executed and the parameter has its value. So
    is a draft with problems, which can't be executed.
    """
    if principal.data == EVERYTHING or read.graph.problems:
        return
    later = {node["id"] for node in read.body.nodes if read.body.parameters and "${" in str(node.get("prefix"))}
    ops = [op for op in read.graph.plan().by_node.values() if op.node_id not in later]
    if refused := ungranted(ops, principal.data):
        raise NotGranted(refused)


def refuse_plan(grants: Grants, plan: Plan) -> None:
    """Raise NotGranted with every place of a plan that may not be touched."""
    if refused := ungranted(plan.by_node.values(), grants):
        raise NotGranted(refused)


def refuse_condition(con: Connection, principal: Principal, condition: Condition) -> None:
    """Raise NotGranted when the caller may not use the `nrn`, or not write where script and log go.

    Their usual places, in the account's own bucket, are everybody's.
    """
    grants = principal.data
    if grants == EVERYTHING:
        return
    usual = conditions.usual(con, principal.account_id)
    refused = [
        _refused(field, f"the key has no right to write {path}")
        for field, path in (("scriptPath", condition.script_path), ("logPath", condition.log_path))
        if path and path not in usual and not grants.allow("write", *conditions.place(path))
    ]
    if not grants.allow_nrn(condition.nrn):
        refused.append(_refused("nrn", f"the key has no right to use {condition.nrn}"))
    if refused:
        raise NotGranted(refused)


def refuse_unmapped(nrn: str, mapped: Collection[str]) -> None:
    """Raise NotGranted for an `nrn` without credentials, once any has them."""
    if nrn and mapped and nrn not in mapped:
        hint = "use one that a storage of the server's settings names, or leave it out"
        raise NotGranted([Problem("not-granted", f"no storage is set for {nrn}", hint, field="jobCondition.nrn")])


def _denied(action: Action, thing: str) -> Denied:
    return Denied(f"The key's rights do not allow {action} for {thing}.")


def _refused(field: str, message: str) -> Problem:
    hint = "ask for a key that has it; `headrace keys show` tells what a key may use"
    return Problem("not-granted", message, hint, field=f"jobCondition.{field}")
