"""What we chose where the documentation contradicts itself or is silent, as far as no other test shows it."""

from typing import Any, Literal

import pytest

from headrace.api.naver.operations import OPERATIONS, named
from headrace.core import jobs
from headrace.errors import DatabaseFailed
from headrace.execution import queue
from headrace.execution.queue import Outcome
from tests.support.proving import proves
from tests.support.server import Server, documented_job

JOBS = "/api/v1/jobs"


def shown(server: Server, job: dict[str, Any]) -> tuple[str, str | None]:
    told = server.ask("GET", f"{JOBS}/{job['jobId']}").json()
    row = next(row for row in server.ask("GET", JOBS).json()["list"] if row["jobId"] == job["jobId"])
    assert (row["status"], row.get("lastExecutionStatus")) == (told["status"], told.get("lastExecutionStatus"))
    return told["status"], told.get("lastExecutionStatus")


def cancel(server: Server, execution_id: str) -> None:
    with server.database.transaction() as con:
        assert queue.cancel(con, execution_id, now=server.clock.now().timestamp())


@proves(
    *("answers.running-jobs", "Job.status=RUNNING", "Job.status=STOPPED", "Execution.status=READY"),
    *("Execution.status=RUNNING", "Job.lastExecutionStatus=READY", "Job.lastExecutionStatus=RUNNING"),
    *("Job.lastExecutionStatus=CANCELED", "getJobs.query.status=RUNNING", "getJobs.query.status=STOPPED"),
)
def test_a_job_is_running_while_it_runs_and_stopped_while_its_runs_are_being_cancelled(server: Server) -> None:
    job = server.made()
    run = server.executed(job["jobId"])["jobExecutionId"]
    at = f"{JOBS}/{job['jobId']}/executions/{run}"
    assert shown(server, job) == ("RUNNABLE", "READY")
    assert server.ask("GET", at).json()["status"] == "READY"
    token = server.claim().lease_token
    assert shown(server, job) == ("RUNNING", "RUNNING")
    assert server.ask("GET", at).json()["status"] == "RUNNING"
    assert server.ask("GET", f"{JOBS}?status=RUNNING").json()["count"] == 1
    cancel(server, run)
    assert shown(server, job) == ("STOPPED", "RUNNING")
    assert server.ask("GET", f"{JOBS}?status=STOPPED").json()["count"] == 1
    server.finish(token, Outcome("CANCELED"))
    assert shown(server, job) == ("RUNNABLE", "CANCELED")


@proves(
    *("Job.lastExecutionStatus=COMPLETED", "Job.lastExecutionStatus=FAILED", "Job.lastExecutionStatus=CANCELED"),
    *("getJobs.answer.lastExecutionStatus", "getJobs.answer.lastExecutionDate", "Execution.status=CANCELED"),
    *("Execution.status=COMPLETED", "Execution.status=FAILED"),
)
@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELED"])
def test_a_job_tells_how_and_when_it_was_last_executed(
    server: Server, status: Literal["COMPLETED", "FAILED", "CANCELED"]
) -> None:
    job = server.made()
    run = server.executed(job["jobId"])
    server.finish(server.claim().lease_token, Outcome(status, failure={"code": "x"} if status == "FAILED" else None))
    assert shown(server, job)[1] == status
    (row,) = server.ask("GET", JOBS).json()["list"]
    assert list(row) == [
        *("jobId", "name", "type", "status", "lastExecutionStatus", "createdDate", "updatedDate"),
        *("lastExecutionDate", "resourceId", "disabled"),
    ]
    assert row["lastExecutionDate"] == run["createdDate"]
    (listed,) = server.ask("GET", f"{JOBS}/{job['jobId']}/executions").json()["list"]
    assert listed["status"] == status


@proves(
    *("requests.executing-with-problems", "Job.status=EDITING", "Job.status=DRAFT", "updateJob.body.isTemp"),
    *("getJobs.query.status=EDITING", "getJobs.query.status=DRAFT"),
)
def test_a_job_that_could_run_may_be_left_with_problems_only_as_a_draft(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}"
    wrong = documented_job(type="DATAFLOW", nodes=[])
    assert server.ask("PUT", at, wrong).json()["errorType"] == "bad-parameter"
    assert shown(server, job)[0] == "RUNNABLE"
    assert server.ask("PUT", at, {**wrong, "isTemp": True}).json()["status"] == "EDITING"
    assert server.ask("POST", f"{at}/executions", {}).json()["errorType"] == "bad-state"
    assert server.ask("GET", f"{JOBS}?status=EDITING").json()["count"] == 1
    assert server.ask("PUT", at, documented_job(type="DATAFLOW")).json()["status"] == "RUNNABLE"
    draft = server.made(name="draft", nodes=[], isTemp=True)
    assert draft["status"] == "DRAFT"


@proves("generations.nodes-of-2026")
def test_a_job_without_nodes_can_only_be_a_draft(server: Server) -> None:
    sent = {"name": "job001", "type": "VISUAL"}
    answer = server.ask("POST", JOBS, sent)
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, "nodes")
    assert server.ask("POST", JOBS, {**sent, "isTemp": True}).json()["nodes"] == []


@proves("generations.answer-of-a-job", "patchJob.body.type=VISUAL", "patchJob.body.nodes")
@pytest.mark.parametrize(("made", "sent"), [("DATAFLOW", "VISUAL"), ("VISUAL", "DATAFLOW")])
def test_a_job_keeps_the_words_of_its_generation_whatever_an_update_sends(server: Server, made: str, sent: str) -> None:
    job = server.made(type=made)
    body = {"type": sent, "nodes": documented_job()["nodes"], "jobCondition": {"numWorker": 4}}
    answer = server.ask("PATCH", f"{JOBS}/{job['jobId']}", body)
    told = answer.json()
    condition = "runCondition" if made == "DATAFLOW" else "jobCondition"
    assert (answer.status_code, list(told), told["type"]) == (200, list(job), made)
    assert told[condition] == {**job[condition], "numWorker": 4}


@proves(
    "patchJob.body.maxConcurrentRuns", "patchJob.body.jobCondition", "patchJob.body.nodes", "generations.verb-of-update"
)
def test_a_patch_of_one_field_leaves_the_others(server: Server) -> None:
    job = server.made(type="VISUAL", jobCondition={"numWorker": 4, "timeout": 30})
    at = f"{JOBS}/{job['jobId']}"
    assert server.ask("PATCH", at, {"maxConcurrentRuns": 5}).json() == {**job, "maxConcurrentRuns": 5}
    told = server.ask("PATCH", at, {"jobCondition": {"timeout": 60}}).json()
    assert told["jobCondition"] == {**job["jobCondition"], "timeout": 60}
    assert told["nodes"] == job["nodes"]


@proves("generations.operation-names", "Common.path-prefix")
def test_paths_decide_and_names_are_those_of_2026() -> None:
    assert all(operation.path.startswith("/api/v1/") for operation in OPERATIONS)
    assert named("getExecutionCount").path == "/api/v1/stats/executions"
    assert named("createJobExecution").path == "/api/v1/jobs/{jobId}/executions"


@proves("Common.ids", "Job.jobId", "Execution.jobExecutionId")
def test_ids_are_twelve_letters_and_digits(server: Server) -> None:
    job = server.made()
    for made in (job["jobId"], server.executed(job["jobId"])["jobExecutionId"]):
        assert len(made) == 12
        assert made.isascii()
        assert made.isalnum()


@proves("Signature.body-unsigned")
def test_the_body_is_not_signed(server: Server) -> None:
    signed = server.signature("POST", f"{JOBS}/verify", server.held["manager"])
    assert server.send("POST", f"{JOBS}/verify", content=b"{}", headers=signed).status_code == 400
    good = documented_job()
    assert server.ask("POST", f"{JOBS}/verify", good, headers=signed).text == "true"


@proves("requests.default-update-type")
def test_what_a_target_does_by_default_destroys_nothing(server: Server) -> None:
    sent = documented_job()
    del sent["nodes"][2]["updateType"]
    sent["nodes"][2]["prefix"] = ""
    # Neither is allowed of a whole bucket: the refusal names the one that was meant.
    assert "APPEND of a whole bucket" in server.ask("POST", f"{JOBS}/verify", sent).json()["detail"]


@proves("GatewayError.errors.500", "GatewayError.errors.900")
@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (DatabaseFailed("it is gone"), 503, "500", "Endpoint Error"),
        (RuntimeError("a secret"), 500, "900", "Unexpected Error"),
    ],
)
def test_what_nobody_foresaw_is_told_by_the_gateway_and_tells_nothing_of_the_inside(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str, message: str
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(jobs, "list", failing)
    answer = server.ask("GET", JOBS)
    told = answer.json()["error"]
    assert (answer.status_code, told["errorCode"], told["message"]) == (status, code, message)
    assert str(error) not in answer.text
    assert answer.headers["x-ncp-trace-id"]
