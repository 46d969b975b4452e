"""The operations on workflows, as they are documented: shapes, order of keys, dates, paging, what is wrong."""

import json
from typing import Any

import pytest

from tests.support.flows import (
    DAILY,
    WORKFLOWS,
    job_node,
    new_trigger,
    new_workflow,
    small_workflow,
    trigger_node,
)
from tests.support.jobs import Json
from tests.support.proving import proves
from tests.support.server import Server

DATE = "2025-03-21T10:02:02+09:00"
KEYS = ["workflowId", "name", "nodes", "createdDate", "updatedDate", "isTemp"]
CONDITION = {
    "workerType": "DEFAULT",
    "numWorker": 3,
    "timeout": 360,
    "nrn": "nrn:PUB:IAM::1234567:Role/00000000-0000-0000-0000-000000000000",
    "scriptPath": "dataflow-bucket/scripts/",
    "logPath": "dataflow-bucket/sparkHistoryLogs/",
}


def problems(server: Server, nodes: object, **more: Any) -> set[tuple[str, str, str]]:
    """What is wrong with a workflow: code, node and field of each problem."""
    answer = server.ask("POST", WORKFLOWS, {"name": "flow001", "nodes": nodes, **more})
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad-parameter"), answer.text
    return {(told["code"], told.get("nodeId", ""), told.get("field", "")) for told in answer.json()["problems"]}


@proves(
    "createWorkflow",
    "createWorkflow.body.*",
    "getWorkflow",
    "getWorkflow.path.workflowId",
    "Workflow.workflowId",
    "Workflow.name",
    "Workflow.nodes",
    "Workflow.createdDate",
    "Workflow.updatedDate",
    "Workflow.isTemp",
    "WorkflowNode.*",
    "WorkflowNode.type=TRIGGER",
    "WorkflowNode.type=JOB",
    "workflows.draft-of-a-workflow",
)
def test_the_documented_create_workflow_is_answered_as_documented(server: Server) -> None:
    trigger = new_trigger(server, name="every-night", type_="SCHEDULED", rule=DAILY)
    job = server.made(name="clean-orders")["jobId"]
    # As the page of createWorkflow has it: a curl that calls its body a form.
    sent = {
        "name": "nightly-load",
        "isTemp": False,
        "nodes": [
            trigger_node(trigger, name="every-night", triggerRule="RECURRING"),
            job_node(job, trigger, name="clean-orders", jobCondition=CONDITION),
        ],
    }
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = server.ask("POST", WORKFLOWS, json.dumps(sent).encode(), headers=form)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    assert json.dumps({**told, "workflowId": ""}) == json.dumps(
        {
            "workflowId": "",
            "name": "nightly-load",
            "nodes": [
                {
                    "id": trigger,
                    "name": "every-night",
                    "type": "TRIGGER",
                    "parentNodeIds": [],
                    "triggerRule": "RECURRING",
                    "isValid": True,
                },
                {
                    "id": job,
                    "name": "clean-orders",
                    "type": "JOB",
                    "parentNodeIds": [trigger],
                    "jobCondition": CONDITION,
                    "isValid": True,
                },
            ],
            "createdDate": DATE,
            "updatedDate": DATE,
            "isTemp": False,
        }
    )
    assert server.ask("GET", f"{WORKFLOWS}/{told['workflowId']}").json() == told
    assert "x-headrace-warnings" not in answer.headers


@proves(
    "getWorkflows",
    "Workflow.lastExecutionDate",
    "Workflow.resourceId",
    "Workflow.disabled",
    "Workflow.triggerRuleType",
    "Workflow.triggerRuleType=NONE",
)
def test_a_list_has_the_fields_of_lists(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    row: Json = {
        **server.ask("GET", f"{WORKFLOWS}/{workflow}").json(),
        "triggerRuleType": "NONE",
        "resourceId": workflow,
        "disabled": False,
    }
    told = server.ask("GET", WORKFLOWS).json()
    assert told == {"list": [row], "count": 1, "page": 0, "limit": 1000}
    assert list(told["list"][0]) == [*KEYS, "triggerRuleType", "resourceId", "disabled"]
    assert server.ask("POST", f"{WORKFLOWS}/{workflow}/executions").status_code == 202
    told = server.ask("GET", f"{WORKFLOWS}?page=0&limit=4").json()
    assert told["list"] == [{**row, "lastExecutionDate": DATE}]
    assert list(told["list"][0])[6] == "lastExecutionDate"
    assert (trigger, job) == tuple(node["id"] for node in row["nodes"])


@proves(
    "getWorkflows.query.*",
)
def test_lists_come_in_pages_the_newest_first(server: Server) -> None:
    trigger, job = new_trigger(server), server.made()["jobId"]
    for name in ("flow-a", "flow-b", "flow-c"):
        new_workflow(server, trigger_node(trigger), job_node(job, trigger), name=name)
        server.clock.move(1)

    def names(query: str) -> tuple[list[str], int]:
        told = server.ask("GET", f"{WORKFLOWS}?{query}").json()
        return [row["name"] for row in told["list"]], told["count"]

    assert names("limit=2") == (["flow-c", "flow-b"], 3)
    assert names("limit=2&page=1") == (["flow-a"], 3)
    assert names("limit=0") == ([], 3)
    assert names("page=9") == ([], 3)
    assert names("name=LOW-B") == (["flow-b"], 1)
    assert server.ask("GET", f"{WORKFLOWS}?limit=-1").status_code == 400


@proves(
    "updateWorkflow",
    "updateWorkflow.path.workflowId",
    "updateWorkflow.body.name",
    "updateWorkflow.body.nodes",
    "deleteWorkflow",
    "deleteWorkflow.path.workflowId",
    "ServiceError.errors.resource-not-found/WORKFLOW",
    "workflows.jobs-of-a-workflow",
)
def test_update_replaces_and_delete_answers_true(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    server.clock.move(60)
    other = server.made(name="job002")["jobId"]
    nodes = [trigger_node(trigger), job_node(job, trigger), job_node(other, job, name="job002", runOn="FAILED")]
    answer = server.ask("PUT", f"{WORKFLOWS}/{workflow}", {"name": "flow002", "nodes": nodes})
    told = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert (told["name"], told["createdDate"], told["updatedDate"]) == ("flow002", DATE, "2025-03-21T10:03:02+09:00")
    assert [node.get("runOn") for node in told["nodes"]] == [None, None, "FAILED"]
    assert server.ask("DELETE", f"{WORKFLOWS}/{workflow}").json() is True
    for method, tail in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/executions")):
        body = {"name": "flow001", "nodes": nodes} if method == "PUT" else None
        answer = server.ask(method, f"{WORKFLOWS}/{workflow}{tail}", body)
        assert (answer.status_code, answer.json()["errorType"]) == (404, "resource-not-found/WORKFLOW")
        assert answer.json()["detail"] == f"{{workflowId={workflow}}}: Unable to find."
        assert answer.json()["instance"] == f"/dataflow/api/workflows/{workflow}{tail}"
    # What it executed stays readable.
    assert server.ask("GET", f"{WORKFLOWS}/{workflow}/executions").json()["count"] == 0


@proves(
    "updateWorkflow.body.isTemp",
)
def test_what_was_read_can_be_sent_again(server: Server) -> None:
    workflow, _, _ = small_workflow(server)
    told = server.ask("GET", f"{WORKFLOWS}/{workflow}").json()
    again = server.ask("PUT", f"{WORKFLOWS}/{workflow}", told)
    assert again.json() == told


def test_an_update_of_a_revision_that_is_gone_is_refused(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    body = {"name": "flow001", "nodes": [trigger_node(trigger), job_node(job, trigger)]}
    url = f"{WORKFLOWS}/{workflow}"
    assert server.ask("PUT", url, body, headers={"if-match": '"1"'}).status_code == 200
    answer = server.ask("PUT", url, body, headers={"if-match": '"1"'})
    assert (answer.status_code, answer.json()["errorType"]) == (412, "bad-state")


def test_a_name_is_taken_once(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    nodes = [trigger_node(trigger), job_node(job, trigger)]
    assert problems(server, nodes) == {("name-taken", "", "name")}
    assert server.ask("DELETE", f"{WORKFLOWS}/{workflow}").status_code == 200
    new_workflow(server, *nodes)


@proves(
    "workflows.jobs-of-a-workflow",
)
def test_all_that_is_wrong_with_a_graph_is_told_at_once(server: Server) -> None:
    trigger, second = new_trigger(server), new_trigger(server, name="second")
    a, b = (server.made(name=f"job-{name}")["jobId"] for name in "ab")
    nodes = [
        trigger_node(trigger, parentNodeIds=[a]),
        trigger_node(second, name="second"),
        job_node(a, trigger),
        job_node(b, "nowhere", trigger, trigger),
        job_node("gone12345678", a, jobCondition={"numWorker": 3}),
        job_node("gone12345678", a),
    ]
    assert problems(server, nodes) == {
        ("job-before-trigger", trigger, "parentNodeIds"),
        ("two-triggers", second, ""),
        ("unknown-parent", b, "parentNodeIds"),
        ("wrong-parents", b, "parentNodeIds"),
        ("unknown-job", "gone12345678", "id"),
        ("duplicate-id", "gone12345678", "id"),
    }


def test_a_job_or_trigger_that_is_not_there_is_a_problem_and_one_under_the_other_type_too(server: Server) -> None:
    trigger, job, gone = new_trigger(server), server.made()["jobId"], server.made(name="gone")["jobId"]
    assert server.ask("DELETE", f"/api/v1/jobs/{gone}").status_code == 200
    assert problems(server, [trigger_node("nowhere"), job_node(gone, "nowhere")]) == {
        ("unknown-trigger", "nowhere", "id"),
        ("unknown-job", gone, "id"),
    }
    sent = {"name": "flow001", "nodes": [trigger_node(job), job_node(trigger, job)]}
    told = server.ask("POST", WORKFLOWS, sent).json()["detail"]
    assert "it is a job: give the node the type JOB" in told
    assert "it is a trigger: give the node the type TRIGGER" in told


@proves(
    "WorkflowNode.*",
)
@pytest.mark.parametrize(
    ("nodes", "wrong"),
    [
        ([], {("no-trigger", "", "nodes"), ("no-job", "", "nodes")}),
        ([5, "x", None], {("bad-node", "", f"nodes[{index}]") for index in range(3)}),
        (
            [{}],
            {("bad-field", "", f"nodes[0].{field}") for field in ("id", "name", "type", "parentNodeIds")},
        ),
        ([trigger_node("x", type="EVENT")], {("bad-field", "", "nodes[0].type")}),
        ([trigger_node("x", id=5)], {("bad-field", "", "nodes[0].id")}),
        ([trigger_node("x", name="")], {("bad-field", "", "nodes[0].name")}),
        ([trigger_node("x", name="n" * 101)], {("bad-field", "", "nodes[0].name")}),
        ([trigger_node("x", parentNodeIds="y")], {("bad-field", "", "nodes[0].parentNodeIds")}),
        ([trigger_node("x", parentNodeIds=[5])], {("bad-field", "", "nodes[0].parentNodeIds[0]")}),
        ([trigger_node("x", triggerRule={"type": "NONE"})], {("bad-field", "", "nodes[0].triggerRule")}),
        ([job_node("x", runOn="ALWAYS")], {("bad-field", "", "nodes[0].runOn")}),
        ([job_node("x", parameters=["a"])], {("bad-field", "", "nodes[0].parameters")}),
        ([job_node("x", parameters={"a": 1.5, "b": 1})], {("bad-field", "", "nodes[0].parameters.a")}),
        (
            [job_node("x", jobCondition={"numWorker": 1, "timeout": 1441})],
            {("bad-field", "", f"nodes[0].jobCondition.{field}") for field in ("numWorker", "timeout")},
        ),
    ],
)
def test_a_bad_field_of_a_node_is_named(server: Server, nodes: object, wrong: set[tuple[str, str, str]]) -> None:
    assert problems(server, nodes) == wrong
    # A draft may be so; whatever it is, it is read again as it was sent.
    answer = server.ask("POST", WORKFLOWS, {"name": "draft", "nodes": nodes, "isTemp": True})
    assert answer.status_code == 201, answer.text
    assert server.ask("GET", f"{WORKFLOWS}/{answer.json()['workflowId']}").json() == answer.json()
    assert server.ask("GET", WORKFLOWS).json()["count"] == 1


@proves(
    "createWorkflow.body.*",
)
@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"nodes": []}, "name"),
        ({"name": "ab", "nodes": []}, "name"),
        ({"name": "작업흐름", "nodes": []}, "name"),
        ({"name": 5, "nodes": []}, "name"),
        ({"name": "flow001"}, "nodes"),
        ({"name": "flow001", "nodes": {}}, "nodes"),
        ({"name": "flow001", "nodes": None}, "nodes"),
        ({"name": "flow001", "nodes": [], "isTemp": "true"}, "isTemp"),
        ({"name": "flow001", "nodes": [{}] * 1001, "isTemp": True}, "nodes"),
    ],
)
def test_a_bad_field_of_a_workflow_is_named_and_no_draft_may_have_it(server: Server, sent: Json, field: str) -> None:
    answer = server.ask("POST", WORKFLOWS, {"isTemp": True, **sent})
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad-parameter")
    assert field in {problem.get("field") for problem in answer.json()["problems"]}
    assert f"{field}: " in answer.json()["detail"]


def test_what_has_no_effect_is_told(server: Server) -> None:
    trigger, job = new_trigger(server), server.made()["jobId"]
    nodes = [trigger_node(trigger, triggerRule="RECURRING", colour="red"), job_node(job, trigger, name="other")]
    answer = server.ask("POST", WORKFLOWS, {"name": "flow001", "nodes": nodes, "owner": "me"})
    assert answer.status_code == 201
    told = json.loads(answer.headers["x-headrace-warnings"])
    assert {(warning["code"], warning["field"]) for warning in told} == {
        ("unknown-field", "owner"),
        ("unknown-field", "colour"),
        ("other-rule", "triggerRule"),
        ("other-name", "name"),
    }
    assert answer.json()["nodes"][0]["triggerRule"] == "NONE"


@proves(
    "WorkflowNode.isValid",
    "workflows.valid-nodes",
)
def test_is_valid_says_whether_a_job_is_still_there(server: Server) -> None:
    workflow, _, job = small_workflow(server)
    assert server.ask("DELETE", f"/api/v1/jobs/{job}").status_code == 200
    told = server.ask("GET", f"{WORKFLOWS}/{workflow}").json()
    assert [node["isValid"] for node in told["nodes"]] == [True, False]


def test_a_trigger_that_a_workflow_uses_is_not_deleted(server: Server) -> None:
    workflow, trigger, _ = small_workflow(server)
    answer = server.ask("DELETE", f"/api/v1/triggers/{trigger}")
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad-state")
    assert "flow001" in answer.json()["detail"]
    assert server.ask("DELETE", f"{WORKFLOWS}/{workflow}").status_code == 200
    assert server.ask("DELETE", f"/api/v1/triggers/{trigger}").json() is True


def test_a_viewer_looks_and_changes_nothing(server: Server) -> None:
    workflow, trigger, job = small_workflow(server)
    assert server.ask("GET", f"{WORKFLOWS}/{workflow}", role="viewer").status_code == 200
    assert server.ask("GET", f"{WORKFLOWS}/{workflow}/runs", role="viewer").status_code == 200
    body = {"name": "flow002", "nodes": [trigger_node(trigger), job_node(job, trigger)]}
    for method, tail in (("PUT", ""), ("DELETE", ""), ("POST", "/executions"), ("POST", "/runs/x/cancel")):
        answer = server.ask(method, f"{WORKFLOWS}/{workflow}{tail}", body, role="viewer")
        assert (answer.status_code, answer.json()["error"]["errorCode"]) == (401, "210")


@pytest.mark.parametrize("id_", ["%00", "%EC%9E%91", "%FF", "a" * 5000, "'%20OR%201=1", "%F0%9F%98%80"])
def test_an_id_that_can_not_be_one_is_not_found(server: Server, id_: str) -> None:
    for method, tail in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/executions"),
        ("GET", "/runs/x"),
        ("POST", "/executions"),
    ):
        answer = server.ask(method, f"{WORKFLOWS}/{id_}{tail}")
        assert answer.status_code == 404, answer.text
        assert answer.json()["errorType"].startswith("resource-not-found/")
