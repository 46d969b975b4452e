"""What a job was before, and how it is that again."""

import pytest

from tests.support.flows import small_workflow
from tests.support.server import Server, documented_job

JOBS = "/api/v1/jobs"
DATE, LATER = "2025-03-21T10:02:02+09:00", "2025-03-21T10:03:02+09:00"


def test_each_change_is_a_revision_that_is_kept_as_it_was_sent(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}"
    server.clock.move(60)
    server.ask("PATCH", at, {"name": "job002"})
    told = server.ask("GET", f"{at}/revisions").json()
    row = {"jobId": job["jobId"], "createdBy": "manager"}
    assert told == {
        "list": [{**row, "revision": 2, "createdDate": LATER}, {**row, "revision": 1, "createdDate": DATE}],
        "count": 2,
        "page": 0,
        "limit": 1000,
    }
    assert [row["revision"] for row in server.ask("GET", f"{at}/revisions?page=1&limit=1").json()["list"]] == [1]
    first = server.ask("GET", f"{at}/revisions/1").json()
    assert first == {**row, "revision": 1, "createdDate": DATE, "definition": documented_job()}


def test_a_job_that_is_restored_is_what_it_was_as_a_new_revision(server: Server) -> None:
    job = server.made(jobCondition={"timeout": 10})
    at = f"{JOBS}/{job['jobId']}"
    server.ask("PATCH", at, {"name": "other", "description": "b", "retries": 3, "jobCondition": {"timeout": 20}})
    server.ask("PUT", f"{at}/executions", {"jobCondition": {"numWorker": 9, "logPath": "own/logs"}})
    restored = server.ask("POST", f"{at}/revisions/1/restore")
    assert (restored.status_code, restored.headers["etag"]) == (200, '"4"')
    assert restored.json() == job
    assert server.ask("GET", f"{at}/revisions").json()["count"] == 4
    again = server.ask("POST", f"{at}/revisions/2/restore").json()
    assert (again["name"], again["description"], again["runCondition"]["timeout"]) == ("other", "b", 20)


def test_an_execution_tells_the_revision_that_it_runs(server: Server) -> None:
    job = server.made()["jobId"]
    first = server.executed(job)["jobExecutionId"]
    server.ask("PATCH", f"{JOBS}/{job}", {"description": "b"})
    second = server.executed(job)["jobExecutionId"]
    found = [server.ask("GET", f"{JOBS}/{job}/executions/{run}").json()["jobRevision"] for run in (first, second)]
    assert found == [1, 2]


def test_a_restore_has_the_problems_of_an_update(server: Server) -> None:
    job = server.made(name="old")
    at = f"{JOBS}/{job['jobId']}"
    server.ask("PATCH", at, {"name": "new"})
    assert server.ask("POST", f"{at}/revisions/1/restore", headers={"if-match": '"1"'}).status_code == 412
    server.made(name="old")
    taken = server.ask("POST", f"{at}/revisions/1/restore")
    assert (taken.status_code, taken.json()["problems"][0]["code"]) == (400, "name-taken")
    assert server.ask("GET", at).json()["name"] == "new"


@pytest.mark.parametrize("revision", ["0", "2", "999999999999", "x", "-1", "1.0"])
def test_a_revision_that_is_not_there_is_not_found(server: Server, revision: str) -> None:
    job = server.made()["jobId"]
    for method, tail in (("GET", ""), ("POST", "/restore")):
        answer = server.ask(method, f"{JOBS}/{job}/revisions/{revision}{tail}")
        assert (answer.status_code, answer.json()["errorType"]) == (404, "resource-not-found/JOB_REVISION")
    assert server.ask("GET", f"{JOBS}/none/revisions").json()["errorType"] == "resource-not-found/JOB"


def test_a_workflow_is_restored_as_a_new_revision(server: Server) -> None:
    workflow_id, trigger_id, _ = small_workflow(server)
    at = f"/api/v1/workflows/{workflow_id}"
    first = server.ask("GET", at).json()
    draft = {"name": "other", "isTemp": True, "nodes": []}
    assert server.ask("PUT", at, draft).status_code == 200
    rows = server.ask("GET", f"{at}/revisions").json()
    assert [(row["workflowId"], row["revision"], row["createdBy"]) for row in rows["list"]] == [
        (workflow_id, 2, "manager"),
        (workflow_id, 1, "manager"),
    ]
    assert server.ask("GET", f"{at}/revisions/2").json()["definition"] == draft
    restored = server.ask("POST", f"{at}/revisions/1/restore")
    assert (restored.status_code, restored.headers["etag"]) == (200, '"3"')
    assert restored.json() == first
    assert server.ask("POST", f"{at}/revisions/1/restore", headers={"if-match": '"1"'}).status_code == 412
    # What it was can be wrong by now.
    assert server.ask("POST", f"{at}/revisions/2/restore").status_code == 200
    assert server.ask("DELETE", f"/api/v1/triggers/{trigger_id}").status_code == 200
    refused = server.ask("POST", f"{at}/revisions/1/restore")
    assert (refused.status_code, refused.json()["errorType"]) == (400, "bad-parameter")
    assert server.ask("GET", at).json()["name"] == "other"


@pytest.mark.parametrize("revision", ["0", "2", "x"])
def test_a_revision_of_a_workflow_that_is_not_there_is_not_found(server: Server, revision: str) -> None:
    workflow_id, _, _ = small_workflow(server)
    for method, tail in (("GET", ""), ("POST", "/restore")):
        answer = server.ask(method, f"/api/v1/workflows/{workflow_id}/revisions/{revision}{tail}")
        assert (answer.status_code, answer.json()["errorType"]) == (404, "resource-not-found/WORKFLOW_REVISION")
    assert server.ask("GET", "/api/v1/workflows/none/revisions").json()["errorType"] == "resource-not-found/WORKFLOW"
