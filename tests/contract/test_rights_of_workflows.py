"""Rules and the audit log are about workflows and triggers as they are about jobs."""

from typing import Any

import pytest

from headrace.auth.policy import Policy
from headrace.core import workflow_advance
from headrace.stores.grants import Grants
from tests.support.server import Server

TRIGGER = {"name": "by-hand", "type": "NONE", "triggerRule": {"type": "NONE"}}


@pytest.fixture
def flow(server: Server) -> dict[str, str]:
    """The ids of a job, of a trigger and of a workflow of both."""
    job_id = server.made()["jobId"]
    trigger_id = server.ask("POST", "/api/v1/triggers", TRIGGER).json()["triggerId"]
    nodes = [
        {"id": trigger_id, "name": "by-hand", "type": "TRIGGER", "parentNodeIds": []},
        {"id": job_id, "name": "job001", "type": "JOB", "parentNodeIds": [trigger_id]},
    ]
    made = server.ask("POST", "/api/v1/workflows", {"name": "nightly", "nodes": nodes}).json()
    return {"job": job_id, "trigger": trigger_id, "workflow": made["workflowId"]}


def audited(server: Server) -> list[tuple[str, str, str]]:
    rows: list[Any] = server.ask("GET", "/api/v1/audit").json()["list"]
    return [(row["action"], row["resource"], row["result"]) for row in rows]


def test_changes_of_workflows_and_triggers_stand_in_the_audit_log(server: Server, flow: dict[str, str]) -> None:
    path = f"/api/v1/workflows/{flow['workflow']}"
    run_id = server.ask("POST", f"{path}/executions").json()["runId"]
    server.ask("POST", f"/api/v1/triggers/{flow['trigger']}/pause")
    server.ask("DELETE", path, role="viewer")
    assert audited(server)[:5] == [
        ("Change/deleteWorkflow", f"workflows/{flow['workflow']}", "denied"),
        ("Change/updateTrigger", f"triggers/{flow['trigger']}", "done"),
        ("Change/executeWorkflow", f"workflows/{flow['workflow']}/runs/{run_id}", "done"),
        ("Change/createWorkflow", f"workflows/{flow['workflow']}", "done"),
        ("Change/createTrigger", f"triggers/{flow['trigger']}", "done"),
    ]


def test_a_key_that_may_not_view_one_sees_its_name_in_lists_and_nothing_else(
    server: Server, flow: dict[str, str]
) -> None:
    hidden = ("View/getWorkflowDetail@nightly", "View/getTriggerDetail@by-hand")
    server.held["narrow"] = server.new_key("manager", policy=Policy.of({"deny": hidden}))
    (row,) = server.ask("GET", "/api/v1/workflows", role="narrow").json()["list"]
    told = {"workflowId": flow["workflow"], "name": "nightly", "resourceId": flow["workflow"], "disabled": True}
    assert row == told
    (row,) = server.ask("GET", "/api/v1/triggers", role="narrow").json()["list"]
    assert row == {"triggerId": flow["trigger"], "name": "by-hand", "disabled": True}
    for path in (f"/api/v1/workflows/{flow['workflow']}", f"/api/v1/triggers/{flow['trigger']}"):
        assert server.ask("GET", path, role="narrow").status_code == 401


def test_a_run_touches_no_more_than_the_key_that_started_it_may(server: Server, flow: dict[str, str]) -> None:
    server.held["narrow"] = server.new_key(
        "manager", grants=Grants.of({"read": ["elsewhere/"], "write": ["elsewhere/"]})
    )
    path = f"/api/v1/workflows/{flow['workflow']}"
    begun = server.ask("POST", f"{path}/executions", role="narrow")
    assert begun.status_code == 202
    with server.database.transaction() as con:
        workflow_advance.advance(con, str(begun.json()["runId"]), now=1.0)
    (run,) = server.ask("GET", f"{path}/runs").json()["list"]
    (job,) = server.ask("GET", f"{path}/runs/{run['runId']}").json()["jobs"]
    assert (run["status"], job["status"], job["failure"]["code"]) == ("FAILED", "FAILED", "not-granted")
