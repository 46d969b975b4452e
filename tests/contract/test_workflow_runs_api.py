"""Executing a workflow, and what there is to be read of it: as documented, and what we add."""

import base64
import json
from typing import Any

import pytest

from headrace.core import outbox, workflow_advance
from headrace.execution.queue import OF_WORKFLOWS, Outcome
from tests.support.flows import DAILY, WORKFLOWS, job_node, new_trigger, new_workflow, small_workflow, trigger_node
from tests.support.proving import proves
from tests.support.server import Server

DATE = "2025-03-21T10:02:02+09:00"
DONE = Outcome("COMPLETED", report={})
FAILED = Outcome("FAILED", failure={"code": "engine-failed", "message": "it broke"})
# What the vendor's own sample action sends.
NAMED = {"cloudFunctions": {"actionName": "my-action", "activationId": "0123456789abcdef0123456789abcdef"}}


def coded(payload: object) -> dict[str, str]:
    text = json.dumps(payload, separators=(",", ":"))
    return {"x-ncp-dataflow-payload": base64.b64encode(text.encode()).decode()}


def executed(server: Server, workflow: str, **headers: str) -> str:
    """The id of a run that is under way."""
    answer = server.ask("POST", f"{WORKFLOWS}/{workflow}/executions", headers=headers)
    assert answer.status_code == 202, answer.text
    hear(server)
    return str(answer.json()["runId"])


def hear(server: Server) -> None:
    """What the server's loop does."""
    while True:
        with server.database.transaction() as con:
            now = server.database.now(con)
            taken = outbox.take(con, OF_WORKFLOWS, now=now, limit=1)
            for event in taken:
                workflow_advance.heard(con, event, now)
                outbox.done(con, [event.id], now=now)
        if not taken:
            return


def end(server: Server, outcome: Outcome = DONE) -> None:
    """A worker does what waits, and ends it so."""
    server.finish(server.claim().lease_token, outcome)
    hear(server)


def run_of(server: Server, workflow: str, run: str) -> Any:
    answer = server.ask("GET", f"{WORKFLOWS}/{workflow}/runs/{run}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(server: Server, url: str, error: str, *, headers: dict[str, str] | None = None) -> str:
    """What a call that is refused is told."""
    answer = server.ask("POST", url, headers=headers)
    assert (answer.status_code, answer.json()["errorType"]) == (400, error), answer.text
    return str(answer.json()["detail"])


@proves(
    "executeWorkflow",
    "executeWorkflow.path.workflowId",
    "executeWorkflow.answer.*",
    "Signature.headers.x-ncp-dataflow-payload",
    "Status.202",
)
def test_execute_workflow_is_accepted_as_documented(server: Server) -> None:
    workflow, trigger, _ = small_workflow(server)
    # The sample sends no body, and says that it is JSON.
    headers = {"content-type": "application/json", **coded(NAMED)}
    answer = server.ask("POST", f"{WORKFLOWS}/{workflow}/executions", b"", headers=headers)
    assert answer.status_code == 202
    run = answer.json()["runId"]
    told = {"workflowId": workflow, "triggerId": trigger, "status": "ACCEPTED", "runId": run}
    assert answer.text == json.dumps(told, separators=(",", ":"))
    assert answer.headers["location"] == f"{WORKFLOWS}/{workflow}/runs/{run}"
    assert run_of(server, workflow, run)["payload"] == NAMED


@proves(
    "workflows.start-of-a-scheduled-workflow",
    "workflows.event-triggers",
)
def test_a_workflow_that_waits_for_an_event_can_be_executed_and_a_scheduled_one_only_when_asked_so(
    server: Server,
) -> None:
    job = server.made()["jobId"]
    event = new_trigger(server, name="on-event", type_="EVENT")
    daily = new_trigger(server, name="daily", type_="SCHEDULED", rule=DAILY)
    flow = new_workflow(server, trigger_node(event, name="on-event"), job_node(job, event), name="on-event")
    executed(server, flow["workflowId"])
    flow = new_workflow(server, trigger_node(daily, name="daily"), job_node(job, daily), name="daily")
    url = f"{WORKFLOWS}/{flow['workflowId']}/executions"
    assert "A schedule starts the workflow" in refused(server, url, "bad-state")
    assert server.ask("POST", f"{url}?runNow=true").status_code == 202
    assert server.ask("POST", f"{url}?runNow=perhaps").status_code == 400


def test_a_draft_is_not_executed(server: Server) -> None:
    _, trigger, job = small_workflow(server)
    nodes = (trigger_node(trigger), job_node(job, trigger))
    draft = new_workflow(server, *nodes, name="draft", isTemp=True)["workflowId"]
    assert "the workflow is a draft" in refused(server, f"{WORKFLOWS}/{draft}/executions", "bad-state").lower()
    empty = new_workflow(server, name="empty", isTemp=True)["workflowId"]
    refused(server, f"{WORKFLOWS}/{empty}/executions", "bad-state")


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("{}", "is not Base64"),
        ("e30", "is not Base64"),
        ("%7B%7D", "is not Base64"),
        (base64.b64encode(b"{").decode(), "not JSON"),
        (base64.b64encode(b"[]").decode(), "should be a JSON object"),
        (base64.b64encode(b"5").decode(), "should be a JSON object"),
        (base64.b64encode(b"\xff").decode(), "is not UTF-8"),
        (base64.b64encode(b'{"a": 1, "a": 2}').decode(), "stands twice"),
        (base64.b64encode(b'{"a": "\\u0000"}').decode(), "NUL"),
        (base64.b64encode(b'{"a": "\\ud800"}').decode(), "surrogate"),
        (base64.b64encode(b'{"a": NaN}').decode(), "NaN"),
        (base64.b64encode(b'{"a": ' + b"[" * 5000).decode(), "nested too deeply"),
        (base64.b64encode(b'{"a": "' + b"x" * 20_000 + b'"}').decode(), "may have 16,384"),
    ],
)
def test_a_payload_that_can_not_be_one_is_refused(server: Server, payload: str, told: str) -> None:
    workflow, _, _ = small_workflow(server)
    url = f"{WORKFLOWS}/{workflow}/executions"
    detail = refused(server, url, "bad-parameter", headers={"x-ncp-dataflow-payload": payload})
    assert (told in detail, "x-ncp-dataflow-payload" in detail) == (True, True), detail
    assert server.ask("GET", f"{WORKFLOWS}/{workflow}/runs").json()["count"] == 0


def test_a_payload_may_stand_in_the_body(server: Server) -> None:
    workflow, _, _ = small_workflow(server)
    url = f"{WORKFLOWS}/{workflow}/executions"
    run = server.ask("POST", url, {"payload": NAMED}).json()["runId"]
    assert run_of(server, workflow, run)["payload"] == NAMED
    for body, headers in (({"payload": []}, {}), ({"payload": {"a": "x" * 20_000}}, {}), ({"payload": {}}, coded({}))):
        assert server.ask("POST", url, body, headers=headers).json()["errorType"] == "bad-parameter"


@proves(
    "getWorkflowExecutions",
    "getWorkflowExecutions.path.workflowId",
    "Execution.triggerId",
    "Execution.triggerName",
    "Execution.type=WORKFLOW",
)
def test_the_executions_of_a_workflow_are_listed_as_documented(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    executed(server, workflow)
    end(server)
    told = server.ask("GET", f"{WORKFLOWS}/{workflow}/executions?page=0&limit=4").json()
    (row,) = told["list"]
    assert {**told, "list": []} == {"list": [], "count": 1, "page": 0, "limit": 4}
    wanted = ["jobExecutionId", "jobId", "jobCondition", "status", "startDate", "endDate", "createdDate", "triggerId"]
    wanted += ["triggerName", "jobName", "waitingTime", "runningTime", "parsedParameters", "type"]
    assert [key for key in row if key in wanted] == wanted
    assert (row["status"], row["type"], row["createdDate"], row["parsedParameters"]) == (
        "COMPLETED",
        "WORKFLOW",
        DATE,
        [],
    )
    assert (row["jobId"], row["triggerId"], row["triggerName"]) == (job, trigger, "by-hand")
    alone = server.ask("GET", f"/api/v1/jobs/{job}/executions/{row['jobExecutionId']}").json()
    assert alone == row


@proves(
    "getWorkflowExecutions.query.*",
    "workflows.filter-of-executions",
)
def test_executions_are_filtered_by_the_name_of_the_workflow_or_of_the_job(server: Server) -> None:
    trigger, a, b = new_trigger(server), server.made(name="clean")["jobId"], server.made(name="load")["jobId"]
    nodes = (trigger_node(trigger), job_node(a, trigger, name="clean"), job_node(b, trigger, name="load"))
    workflow = new_workflow(server, *nodes, name="nightly")["workflowId"]
    executed(server, workflow)

    def count(query: str) -> tuple[int, int]:
        told = server.ask("GET", f"{WORKFLOWS}/{workflow}/executions?{query}").json()
        return told["count"], len(told["list"])

    assert count("page=0") == (2, 2)
    assert count("filter=IGHT") == (2, 2)
    assert count("filter=cLe") == (1, 1)
    assert count("filter=%25") == (0, 0)
    assert count("filter=%EC%9E%91") == (0, 0)
    assert count("limit=1") == (2, 1)
    assert count("limit=1&page=2") == (2, 0)


def test_a_run_is_read_with_its_jobs_and_listed_without(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    run = executed(server, workflow)
    head = {
        "runId": run,
        "workflowId": workflow,
        "workflowName": "flow001",
        "workflowRevision": 1,
        "status": "RUNNING",
        "cancelRequested": False,
        "attempt": 1,
        "triggerId": trigger,
        "triggerName": "by-hand",
        "createdBy": "manager",
        "createdDate": DATE,
        "startDate": DATE,
    }
    (execution,) = server.ask("GET", f"{WORKFLOWS}/{workflow}/executions").json()["list"]
    waits = {
        "jobId": job,
        "jobName": "job001",
        "parentJobIds": [],
        "runOn": "SUCCEEDED",
        "status": "READY",
        "jobExecutionId": execution["jobExecutionId"],
        "attempt": 1,
    }
    assert run_of(server, workflow, run) == {**head, "jobs": [waits]}
    assert server.ask("GET", f"{WORKFLOWS}/{workflow}/runs").json() == {
        "list": [head],
        "count": 1,
        "page": 0,
        "limit": 1000,
    }
    assert server.ask("GET", f"{WORKFLOWS}/{workflow}/runs?status=FAILED").json()["count"] == 0
    assert server.ask("GET", f"{WORKFLOWS}/{workflow}/runs?status=WAITING").status_code == 400
    answer = server.ask("GET", f"{WORKFLOWS}/{workflow}/runs/{job}")
    assert (answer.status_code, answer.json()["errorType"]) == (404, "resource-not-found/WORKFLOW_RUN")


def test_a_run_is_cancelled_and_goes_on_again(server: Server) -> None:
    workflow, _, _ = small_workflow(server)
    run = executed(server, workflow)
    url = f"{WORKFLOWS}/{workflow}/runs/{run}"
    refused(server, f"{url}/rerun", "bad-state")
    assert server.ask("POST", f"{url}/cancel").json() is True
    hear(server)
    assert [run_of(server, workflow, run)[key] for key in ("status", "cancelRequested")] == ["CANCELED", True]
    refused(server, f"{url}/cancel", "bad-state")
    again = server.ask("POST", f"{url}/rerun")
    assert (again.status_code, again.json()["status"], again.json()["attempt"]) == (202, "RUNNING", 2)
    hear(server)
    end(server, FAILED)
    told = run_of(server, workflow, run)
    assert (told["status"], told["jobs"][0]["failure"]["code"]) == ("FAILED", "engine-failed")


def test_a_run_goes_on_as_it_began_when_its_workflow_is_changed(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    run = executed(server, workflow)
    other = server.made(name="job002")["jobId"]
    nodes = [trigger_node(trigger), job_node(other, trigger, name="job002")]
    assert server.ask("PUT", f"{WORKFLOWS}/{workflow}", {"name": "flow002", "nodes": nodes}).status_code == 200
    end(server)
    told = run_of(server, workflow, run)
    assert (told["status"], told["workflowRevision"], [each["jobId"] for each in told["jobs"]]) == (
        "COMPLETED",
        1,
        [job],
    )


@proves(
    "createJobExecution.query.*",
    "ServiceError.errors.resource-not-found/TRIGGER",
    "ServiceError.errors.resource-not-found/WORKFLOW",
)
def test_an_execution_of_a_job_may_name_its_workflow_and_trigger_when_they_are_there(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    url = f"/api/v1/jobs/{job}/executions"
    told = server.ask("POST", f"{url}?triggerId={trigger}&workflowId={workflow}", {}).json()
    found = server.ask("GET", f"{url}/{told['jobExecutionId']}").json()
    assert (found["type"], found["triggerId"], found["triggerName"]) == ("JOB", trigger, "by-hand")
    assert server.ask("GET", f"{WORKFLOWS}/{workflow}/executions").json()["count"] == 0
    for query, error in (("triggerId=none", "TRIGGER"), ("workflowId=none", "WORKFLOW")):
        answer = server.ask("POST", f"{url}?{query}", {})
        assert (answer.status_code, answer.json()["errorType"]) == (404, f"resource-not-found/{error}")
