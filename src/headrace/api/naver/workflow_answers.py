"""Workflows and their runs as the vendor writes them, or, where it has nothing of the kind, as it would."""

from collections.abc import Mapping
from typing import Any

from headrace.api.naver.answers import Json
from headrace.api.naver.dates import written
from headrace.core.workflow_runs import Run, RunJob
from headrace.core.workflows import Workflow

_ORDER = ("id", "name", "type", "parentNodeIds", "triggerRule", "jobCondition")


def of_workflow(workflow: Workflow) -> Json:
    """A workflow in full."""
    return {
        "workflowId": workflow.workflow_id,
        "name": workflow.name,
        "nodes": [_node(node, workflow) for node in workflow.definition.get("nodes", ())],
        "createdDate": written(workflow.created_at),
        "updatedDate": written(workflow.updated_at),
        "isTemp": workflow.is_temp,
    }


def of_workflow_row(workflow: Workflow, *, hidden: bool) -> Json:
    """A workflow as a row of a list; of one that the caller may not view only what it is called.

    What it never did, or does not have, is left out.
    """
    if hidden:
        ids = {"workflowId": workflow.workflow_id, "name": workflow.name, "resourceId": workflow.workflow_id}
        return {**ids, "disabled": True}
    return {
        **of_workflow(workflow),
        **({"lastExecutionDate": written(workflow.last_run_at)} if workflow.last_run_at else {}),
        **({"triggerRuleType": workflow.rule} if workflow.rule else {}),
        "resourceId": workflow.workflow_id,
        "disabled": False,
    }


def of_run(run: Run) -> Json:
    """A run, without its jobs."""
    dates = {"scheduledDate": run.scheduled_for, "startDate": run.started_at, "endDate": run.ended_at}
    return {
        "runId": run.run_id,
        "workflowId": run.workflow_id,
        "workflowName": run.workflow_name,
        "workflowRevision": run.workflow_revision,
        "status": run.status,
        "cancelRequested": run.cancel_requested_at is not None,
        "attempt": run.attempt,
        "triggerId": run.trigger_id,
        "triggerName": run.trigger_name,
        "createdBy": run.created_by,
        "createdDate": written(run.created_at),
        **{key: written(at) for key, at in dates.items() if at is not None},
        **({"payload": dict(run.payload)} if run.payload is not None else {}),
    }


def of_run_in_full(run: Run) -> Json:
    """A run with its jobs, in the order of the workflow's nodes."""
    return {**of_run(run), "jobs": [_job(job) for job in run.jobs]}


def _job(job: RunJob) -> Json:
    return {
        "jobId": job.job_id,
        "jobName": job.job_name,
        "parentJobIds": list(job.parents),
        "runOn": job.run_on,
        "status": job.status,
        **({"jobExecutionId": job.execution_id} if job.execution_id else {}),
        "attempt": job.attempt,
        **({"endDate": written(job.ended_at)} if job.ended_at else {}),
        **({"failure": dict(job.failure)} if job.failure else {}),
    }


def _node(node: object, workflow: Workflow) -> object:
    """A node as it was sent, with what is known of its job or trigger now; a draft may have nodes that are none."""
    if not isinstance(node, Mapping):
        return node
    told: dict[str, Any] = {key: node[key] for key in _ORDER if key in node}
    if node.get("type") == "TRIGGER" and workflow.rule is not None:
        told["triggerRule"] = workflow.rule
    told = {key: told[key] for key in _ORDER if key in told}
    rest = {key: value for key, value in node.items() if key not in told and key != "isValid"}
    return {**told, **rest, "isValid": isinstance(node.get("id"), str) and node["id"] not in workflow.missing}
