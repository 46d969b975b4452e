"""The operations on workflows and their runs. What has a run's id is ours: read, cancel, go on from what failed."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, get_args

from fastapi import Request, Response

from headrace.api.call import Call, call_of
from headrace.api.changes import PAYLOAD, Changed, changed
from headrace.api.naver.answers import answered, listed, of_execution
from headrace.api.naver.reading import (
    body_of,
    flag_of,
    if_match_of,
    json_of,
    page_of,
    text_of,
    unknown_keys,
    unknown_query,
)
from headrace.api.naver.workflow_answers import of_run, of_run_in_full, of_workflow, of_workflow_row
from headrace.auth.policy import Action
from headrace.core import executions, rights, workflow_runs, workflows
from headrace.core.workflow_steps import RunStatus
from headrace.core.workflows import Saved, Workflow
from headrace.db import Connection
from headrace.errors import BadParameter, Problem

MOST_PAYLOAD = 16_384
STATUSES = get_args(RunStatus)


def get_workflows(request: Request) -> Response:
    """View the list of workflows, the newest first."""
    call, page = call_of(request), page_of(request)
    with call.server.database.reading() as con:
        rows, count = workflows.list(con, call.principal, name=text_of(request, "name") or "", page=page)
    shown = [of_workflow_row(row, hidden=not call.principal.may(*_seen(row))) for row in rows]
    found = listed(shown, count=count, page=page)
    return answered(found, warnings=unknown_query(request, ("name", "page", "limit")))


def get_workflow(request: Request, workflowId: str) -> Response:
    """View a workflow."""
    call = call_of(request)
    with call.server.database.reading() as con:
        permit_workflow(con, call, workflowId)
        found = workflows.get(con, call.principal, workflowId)
    return workflow_answer(Saved(found, ()), request)


def create_workflow(request: Request) -> Response:
    """Create a workflow."""
    call = call_of(request)
    sent = body_of(call)
    rights.permit_name(call.principal, call.operation.action, sent.get("name"))

    def change(con: Connection) -> Changed:
        saved = workflows.create(con, call.principal, sent, now=call.server.now())
        _refuse_unmapped(call, saved.workflow)
        response = workflow_answer(saved, request, status=201)
        return Changed(f"workflows/{saved.workflow.workflow_id}", response, {"name": saved.workflow.name})

    return changed(call, change)


def update_workflow(request: Request, workflowId: str) -> Response:
    """Replace a workflow; runs that have begun go on as they began."""
    call = call_of(request)
    sent, if_match = body_of(call), if_match_of(call)

    def change(con: Connection) -> Changed:
        permit_workflow(con, call, workflowId)
        rights.permit_name(call.principal, call.operation.action, sent.get("name"))
        saved = workflows.update(con, call.principal, workflowId, sent, if_match=if_match, now=call.server.now())
        _refuse_unmapped(call, saved.workflow)
        return Changed(
            f"workflows/{workflowId}", workflow_answer(saved, request), {"revision": saved.workflow.revision}
        )

    return changed(call, change)


def delete_workflow(request: Request, workflowId: str) -> Response:
    """Delete a workflow; what it executed stays readable."""
    call = call_of(request)

    def change(con: Connection) -> Changed:
        permit_workflow(con, call, workflowId)
        workflows.delete(con, call.principal, workflowId, now=call.server.now())
        return Changed(f"workflows/{workflowId}", answered(True, warnings=unknown_query(request, ())))

    return changed(call, change)


def get_workflow_executions(request: Request, workflowId: str) -> Response:
    """View what the runs of a workflow executed, the newest first."""
    call, page = call_of(request), page_of(request)
    wanted = text_of(request, "filter") or ""
    with call.server.database.reading() as con:
        permit_workflow(con, call, workflowId)
        rows, count = executions.of_workflow(con, call.principal, workflowId, filter=wanted, page=page)
    now = call.server.now()
    found = listed([of_execution(row, now=now) for row in rows], count=count, page=page)
    return answered(found, warnings=unknown_query(request, ("filter", "page", "limit")))


def execute_workflow(request: Request, workflowId: str) -> Response:
    """Start a run: it is accepted, and what becomes of it is to be read elsewhere."""
    call = call_of(request)
    sent, now_too = body_of(call, optional=True), flag_of(request, "runNow")
    payload = _payload(call, sent)
    warnings = [*unknown_query(request, ("runNow",)), *unknown_keys(sent, ("payload",))]

    def change(con: Connection) -> Changed:
        permit_workflow(con, call, workflowId)
        trigger_id, run_id = workflow_runs.execute(
            con, call.principal, workflowId, payload=payload, scheduled_too=now_too, now=call.server.now()
        )
        told = {"workflowId": workflowId, "triggerId": trigger_id, "status": "ACCEPTED", "runId": run_id}
        run = f"workflows/{workflowId}/runs/{run_id}"
        return Changed(run, answered(told, status=202, warnings=warnings, headers={"location": f"/api/v1/{run}"}))

    return changed(call, change)


def get_workflow_runs(request: Request, workflowId: str) -> Response:
    """View the runs of a workflow, the newest first."""
    call, page = call_of(request), page_of(request)
    status = text_of(request, "status") or ""
    if status and status not in STATUSES:
        told = f"{status[:40]!r} is not a status; there is {', '.join(STATUSES)}"
        raise BadParameter([Problem("bad-value", told, field="status", subject="workflow")])
    with call.server.database.reading() as con:
        permit_workflow(con, call, workflowId)
        rows, count = workflow_runs.list(con, call.principal, workflowId, status=status, page=page)
    found = listed([of_run(row) for row in rows], count=count, page=page)
    return answered(found, warnings=unknown_query(request, ("status", "page", "limit")))


def get_workflow_run(request: Request, workflowId: str, runId: str) -> Response:
    """View a run with its jobs."""
    call = call_of(request)
    with call.server.database.reading() as con:
        permit_workflow(con, call, workflowId)
        run = workflow_runs.get(con, call.principal, workflowId, runId)
    return answered(of_run_in_full(run), warnings=unknown_query(request, ()))


def cancel_workflow_run(request: Request, workflowId: str, runId: str) -> Response:
    """Stop a run: what waits never starts, what runs is stopped."""
    call = call_of(request)

    def change(con: Connection) -> Changed:
        permit_workflow(con, call, workflowId)
        workflow_runs.cancel(con, call.principal, workflowId, runId, now=call.server.now())
        return Changed(f"workflows/{workflowId}/runs/{runId}", answered(True, warnings=unknown_query(request, ())))

    return changed(call, change)


def rerun_workflow_run(request: Request, workflowId: str, runId: str) -> Response:
    """Go on with a run from what failed; what completed stays as it is."""
    call = call_of(request)

    def change(con: Connection) -> Changed:
        permit_workflow(con, call, workflowId)
        run = workflow_runs.rerun(con, call.principal, workflowId, runId, now=call.server.now())
        response = answered(of_run_in_full(run), status=202, warnings=unknown_query(request, ()))
        return Changed(f"workflows/{workflowId}/runs/{runId}", response, {"attempt": run.attempt})

    return changed(call, change)


def permit_workflow(con: Connection, call: Call, workflow_id: str) -> None:
    """Raise Denied when the caller may not do to this workflow what the operation does."""
    rights.permit(con, call.principal, call.operation.action, kind="workflow", id=workflow_id)


def _seen(workflow: Workflow) -> tuple[Action, str, str]:
    return "View/getWorkflowDetail", workflow.workflow_id, workflow.name


def _refuse_unmapped(call: Call, workflow: Workflow) -> None:
    """Raise NotGranted for a node whose `nrn` has no credentials, once any has them."""
    for node in workflow.definition["nodes"]:
        condition = node.get("jobCondition") if isinstance(node, dict) else None
        if isinstance(condition, dict):
            rights.refuse_unmapped(str(condition.get("nrn") or ""), call.server.nrns)


def workflow_answer(saved: Saved, request: Request, *, status: int = 200) -> Response:
    """A workflow; its revision is the ETag, which If-Match takes."""
    warnings = (*unknown_query(request, ()), *saved.warnings)
    tag = {"etag": f'"{saved.workflow.revision}"'}
    return answered(of_workflow(saved.workflow), status=status, warnings=warnings, headers=tag)


def _payload(call: Call, sent: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the caller hands to the run: Base64 of a JSON object in the header, or the object itself in the body."""
    text = call.headers.get(PAYLOAD, "").strip()
    given = sent.get("payload")
    if text and given is not None:
        raise _wrong("is given twice", "send the header, or payload in the body")
    if given is not None:
        if not isinstance(given, dict):
            raise BadParameter([Problem("bad-payload", "is an object", field="payload", subject="workflow")])
        if len(json.dumps(given)) > MOST_PAYLOAD:
            told = f"has more than {MOST_PAYLOAD:,} characters"
            raise BadParameter([Problem("bad-payload", told, field="payload", subject="workflow")])
        return given
    if not text:
        return None
    if len(text) > MOST_PAYLOAD:
        raise _wrong(f"has {len(text):,} characters, and may have {MOST_PAYLOAD:,}")
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _wrong("is not Base64", "send the Base64 of a JSON object") from None
    return json_of(found, "the payload", field=PAYLOAD)


def _wrong(message: str, hint: str = "") -> BadParameter:
    return BadParameter([Problem("bad-payload", message, hint, field=PAYLOAD, subject="workflow")])
