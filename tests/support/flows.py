"""Workflows over the API and over the use cases: short to write."""

from collections.abc import Mapping
from typing import Any, cast

from tests.support.jobs import Json
from tests.support.server import Server

WORKFLOWS = "/api/v1/workflows"
TRIGGERS = "/api/v1/triggers"
DAILY = {"type": "RECURRING", "interval": "DAY", "time": "10:00"}


def trigger_node(trigger_id: str, **more: Any) -> Json:
    """The node of a trigger called `by-hand`."""
    return {"id": trigger_id, "name": "by-hand", "type": "TRIGGER", "parentNodeIds": [], **more}


def job_node(job_id: str, *parents: str, name: str = "job001", **more: Any) -> Json:
    """The node of a job that comes after these nodes."""
    return {"id": job_id, "name": name, "type": "JOB", "parentNodeIds": list(parents), **more}


def new_trigger(server: Server, *, name: str = "by-hand", type_: str = "NONE", rule: Json | None = None) -> str:
    """The id of a trigger that was created."""
    sent = {"name": name, "type": type_, "triggerRule": rule or {"type": "NONE"}}
    answer = server.ask("POST", TRIGGERS, sent)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["triggerId"])


def new_workflow(server: Server, *nodes: Mapping[str, Any], name: str = "flow001", **more: Any) -> dict[str, Any]:
    """A workflow that was created."""
    answer = server.ask("POST", WORKFLOWS, {"name": name, "nodes": list(nodes), **more})
    assert answer.status_code == 201, answer.text
    return cast(dict[str, Any], answer.json())


def small_workflow(server: Server) -> tuple[str, str, str]:
    """The ids of a workflow, its trigger and its one job."""
    trigger, job = new_trigger(server), str(server.made()["jobId"])
    made = new_workflow(server, trigger_node(trigger), job_node(job, trigger))
    return str(made["workflowId"]), trigger, job
