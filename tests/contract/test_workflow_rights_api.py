"""What a key may do to workflows and triggers, whose rights their runs have, and what is written down of it."""

from typing import Any

import pytest

from headrace.api.gateway import Operation
from headrace.api.naver.operations import OPERATIONS
from headrace.auth.policy import Policy
from headrace.core import outbox, workflow_advance
from headrace.execution.queue import OF_WORKFLOWS
from headrace.stores.grants import Grants
from tests.support.flows import TRIGGERS, WORKFLOWS, job_node, new_trigger, new_workflow, small_workflow, trigger_node
from tests.support.proving import proves
from tests.support.server import Server

GRANTS = Grants(read=("nothing",), write=("nothing",))


def key(server: Server, *allow: str, deny: tuple[str, ...] = (), grants: Grants | None = None) -> str:
    """A manager's key with these rules, by the name that it is asked with."""
    policy = Policy.of({"allow": allow or None, "deny": deny})
    server.held["own"] = server.new_key("manager", policy=policy, grants=grants)
    return "own"


def refused(server: Server, method: str, path: str, body: object = None) -> bool:
    answer = server.ask(method, path, body, role="own")
    return answer.status_code == 401 and answer.json()["error"]["errorCode"] == "210"


def hear(server: Server) -> None:
    with server.database.transaction() as con:
        now = server.database.now(con)
        for event in outbox.take(con, OF_WORKFLOWS, now=now, limit=1):
            workflow_advance.heard(con, event, now)
            outbox.done(con, [event.id], now=now)


def test_a_key_may_do_what_its_rules_allow_to_the_workflows_that_they_name(server: Server) -> None:
    trigger, job = new_trigger(server), server.made()["jobId"]
    nodes = [trigger_node(trigger), job_node(job, trigger)]
    mine, other = (new_workflow(server, *nodes, name=name)["workflowId"] for name in ("team-load", "other-load"))
    key(server, "View/*", "Change/*@team-*", "Change/executeJob")
    for method, tail, body in (
        ("PUT", "", {"name": "team-new", "nodes": nodes}),
        ("POST", "/executions", None),
        ("POST", "/runs/aaaaaaaaaaaa/cancel", None),
        ("POST", "/runs/aaaaaaaaaaaa/rerun", None),
    ):
        assert not refused(server, method, f"{WORKFLOWS}/{mine}{tail}", body), tail
        assert refused(server, method, f"{WORKFLOWS}/{other}{tail}", body), tail
    assert refused(server, "DELETE", f"{WORKFLOWS}/{other}")
    assert refused(server, "POST", WORKFLOWS, {"name": "new-load", "nodes": nodes})
    assert refused(server, "PUT", f"{WORKFLOWS}/{mine}", {"name": "new-load", "nodes": nodes})
    assert refused(server, "DELETE", f"{TRIGGERS}/{trigger}")
    assert refused(server, "POST", f"{TRIGGERS}/{trigger}/pause")


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if "{" in each.path], ids=lambda each: f"{each.method} {each.path}"
)
def test_no_operation_on_a_thing_is_open_to_a_key_that_may_not_do_it_there(
    server: Server, operation: Operation
) -> None:
    workflow, trigger, job = small_workflow(server)
    ids = {"jobId": job, "workflowId": workflow, "triggerId": trigger, "revision": "1", "runId": "aaaaaaaaaaaa"}
    path = operation.path.format(**ids, executionId=server.executed(job)["jobExecutionId"])
    thing = ids[operation.path.partition("{")[2].partition("}")[0]]
    key(server, deny=(f"{operation.action}@{thing}",))
    body: object = None if operation.method == "GET" else {"jobCondition": {}}
    assert refused(server, operation.method, path, body)


@proves("Workflow.disabled", "Common.resource-types")
def test_a_workflow_and_a_trigger_that_the_caller_may_not_view_are_only_named_in_lists(server: Server) -> None:
    workflow, trigger, _ = small_workflow(server)
    key(server, deny=("View/*@flow001", "View/*@by-hand"))
    assert server.ask("GET", WORKFLOWS, role="own").json()["list"] == [
        {"workflowId": workflow, "name": "flow001", "resourceId": workflow, "disabled": True}
    ]
    assert server.ask("GET", TRIGGERS, role="own").json()["list"] == [
        {"triggerId": trigger, "name": "by-hand", "disabled": True}
    ]
    for path in (f"{WORKFLOWS}/{workflow}", f"{WORKFLOWS}/{workflow}/runs", f"{WORKFLOWS}/{workflow}/executions"):
        assert refused(server, "GET", path)
    assert refused(server, "GET", f"{TRIGGERS}/{trigger}")


def test_who_may_not_execute_a_job_puts_it_into_no_workflow(server: Server) -> None:
    _, trigger, job = small_workflow(server)
    key(server, deny=("Change/executeJob@job001",))
    nodes = [trigger_node(trigger), job_node(job, trigger)]
    assert refused(server, "POST", WORKFLOWS, {"name": "flow002", "nodes": nodes})
    assert refused(server, "POST", WORKFLOWS, {"name": "flow002", "nodes": nodes, "isTemp": True})


def test_a_run_touches_no_data_that_is_not_granted_to_who_asked_for_it(server: Server) -> None:
    workflow, _, job = small_workflow(server)
    key(server, grants=GRANTS)
    answer = server.ask("POST", f"{WORKFLOWS}/{workflow}/executions", role="own")
    assert answer.status_code == 202, answer.text
    hear(server)
    run = server.ask("GET", f"{WORKFLOWS}/{workflow}/runs/{answer.json()['runId']}").json()
    assert (run["status"], run["jobs"][0]["failure"]["code"]) == ("FAILED", "not-granted")
    assert server.ask("GET", f"/api/v1/jobs/{job}/executions").json()["count"] == 0
    # Taken up again by who may, it goes on.
    assert server.ask("POST", f"{WORKFLOWS}/{workflow}/runs/{run['runId']}/rerun").status_code == 202
    hear(server)
    assert server.claim().grants is None


def test_every_change_of_a_workflow_is_written_down(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    run = server.ask("POST", f"{WORKFLOWS}/{workflow}/executions").json()["runId"]
    server.ask("POST", f"{WORKFLOWS}/{workflow}/runs/{run}/cancel")
    hear(server)
    hear(server)
    body: dict[str, Any] = {"name": "flow002", "nodes": [trigger_node(trigger), job_node(job, trigger)]}
    server.ask("PUT", f"{WORKFLOWS}/{workflow}", body)
    server.ask("POST", f"{WORKFLOWS}/{workflow}/runs/{run}/rerun")
    rows = server.ask("GET", "/api/v1/audit").json()["list"]
    told = [(row["action"], row["resource"], row["result"]) for row in reversed(rows)]
    assert told == [
        ("Change/createTrigger", f"triggers/{trigger}", "done"),
        ("Change/createJob", f"jobs/{job}", "done"),
        ("Change/createWorkflow", f"workflows/{workflow}", "done"),
        ("Change/executeWorkflow", f"workflows/{workflow}/runs/{run}", "done"),
        ("Change/cancelWorkflowRun", f"workflows/{workflow}/runs/{run}", "done"),
        ("Change/updateWorkflow", f"workflows/{workflow}", "done"),
        ("Change/executeWorkflow", f"workflows/{workflow}/runs/{run}", "done"),
    ]


def test_a_request_that_is_sent_again_with_its_key_runs_the_workflow_once(server: Server) -> None:
    workflow, _, _ = small_workflow(server)
    again = {"idempotency-key": "one"}
    answers = [server.ask("POST", f"{WORKFLOWS}/{workflow}/executions", headers=again) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert server.ask("GET", f"{WORKFLOWS}/{workflow}/runs").json()["count"] == 1
    # The same key with another payload is another request.
    other = server.ask(
        "POST", f"{WORKFLOWS}/{workflow}/executions", headers={**again, "x-ncp-dataflow-payload": "e30="}
    )
    assert (other.status_code, other.json()["errorType"]) == (400, "bad-parameter")
