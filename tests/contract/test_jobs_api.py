"""The operations on jobs, as they are documented: shapes, order of keys, dates, paging, generations."""

import json
from typing import Any

import pytest

from tests.support.proving import proves
from tests.support.server import EXAMPLE, Server, documented_job

JOBS = "/api/v1/jobs"
DATE = "2025-03-21T10:02:02+09:00"
KEYS_2025 = ["jobId", "name", "description", "type", "status", "nodes", "runCondition", "createdDate", "updatedDate"]
KEYS_2026 = [
    *("jobId", "name", "type", "status", "maxConcurrentRuns", "nodes", "jobCondition"),
    *("createdDate", "updatedDate"),
]
ROW = ["jobId", "name", "type", "status", "createdDate", "updatedDate", "resourceId", "disabled"]


def with_properties(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def plain(node: dict[str, Any]) -> dict[str, Any]:
        return (
            {"fieldList": [{**field, "properties": []} for field in node["fieldList"]]} if "fieldList" in node else {}
        )

    return [{**node, **plain(node)} for node in nodes]


@proves(
    "createJob",
    "createJob.body.name",
    "createJob.body.nodes",
    "getJob",
    "Job.jobId",
    "Job.name",
    "Job.description",
    "Job.nodes",
    "Job.nodes.fieldList.properties",
    "Job.runCondition",
    "Job.createdDate",
    "Job.updatedDate",
    "Job.type",
    "Job.type=DATAFLOW",
    "Job.status",
    "Job.status=RUNNABLE",
    "Common.dates",
    "Common.node-ids",
    "Status.201",
    "Status.200",
    "generations.type-of-2025",
    "requests.content-type",
    "answers.status-codes",
    "answers.properties-of-fields",
    "answers.order-of-keys",
    "answers.dates",
    "answers.default-places",
    "Condition.workerType=DEFAULT",
    "Condition.numWorker",
    "Condition.timeout",
    "Condition.nrn",
    "Condition.scriptPath",
    "Condition.logPath",
)
def test_the_documented_create_job_is_answered_as_documented(server: Server) -> None:
    # The documented curl sends no Content-Type of its own: --data makes it this one.
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = server.ask("POST", JOBS, EXAMPLE.read_bytes(), headers=form)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    assert list(told) == KEYS_2025
    bucket = told["runCondition"]["scriptPath"].split("/")[0]
    assert json.dumps({**told, "jobId": ""}) == json.dumps(
        {
            "jobId": "",
            "name": "job001",
            "description": "",
            "type": "DATAFLOW",
            "status": "RUNNABLE",
            "nodes": with_properties(documented_job()["nodes"]),
            "runCondition": {
                "workerType": "DEFAULT",
                "numWorker": 2,
                "timeout": 360,
                "nrn": "",
                "scriptPath": f"{bucket}/scripts/",
                "logPath": f"{bucket}/sparkHistoryLogs/",
            },
            "createdDate": DATE,
            "updatedDate": DATE,
        }
    )
    assert server.ask("GET", f"{JOBS}/{told['jobId']}").json() == told


@proves(
    "Common.body-format",
    "Common.content-type",
    "requests.content-type",
)
@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data", "application/json; charset=utf-8"])
def test_a_body_is_json_whatever_its_type_says(server: Server, content_type: str) -> None:
    answer = server.ask("POST", JOBS, EXAMPLE.read_bytes(), headers={"content-type": content_type})
    assert answer.status_code == 201


@proves(
    "Job.maxConcurrentRuns",
    "Job.jobCondition",
    "Job.type=VISUAL",
    "Job.status=READY",
    "createJob.body.type=VISUAL",
    "createJob.body.maxConcurrentRuns",
    "createJob.body.jobCondition",
    "generations.answer-of-a-job",
    "generations.status-of-2026",
    "generations.name-of-the-condition",
)
def test_a_job_of_2026_is_answered_in_its_own_words(server: Server) -> None:
    told = server.made(type="VISUAL", maxConcurrentRuns=3, jobCondition={"numWorker": 4})
    assert list(told) == KEYS_2026
    assert (told["type"], told["status"], told["maxConcurrentRuns"]) == ("VISUAL", "READY", 3)
    assert told["jobCondition"]["numWorker"] == 4
    row = server.ask("GET", JOBS).json()["list"][0]
    assert (row["type"], row["status"]) == ("VISUAL", "READY")


@proves(
    "getJobs",
    "getJobs.answer.*",
    "Paging.answer.*",
    "answers.never-run",
    "answers.disabled",
)
def test_jobs_are_listed_newest_first_in_the_documented_envelope(server: Server) -> None:
    old = server.made(name="job001")
    server.clock.move(60)
    new = server.made(name="job002")
    told = server.ask("GET", f"{JOBS}?page=0&limit=1000").json()
    assert list(told) == ["list", "count", "page", "limit"]
    assert [row["jobId"] for row in told["list"]] == [new["jobId"], old["jobId"]]
    assert list(told["list"][0]) == ROW
    assert told["list"][0]["resourceId"] == new["jobId"]
    assert told["list"][0]["disabled"] is False
    assert (told["count"], told["page"], told["limit"]) == (2, 0, 1000)


@proves(
    "Paging.query.page",
    "Paging.query.limit",
    "getJobs.query.page",
    "getJobs.query.limit",
    "requests.lower-end-of-limit",
    "requests.upper-end-of-limit",
    "requests.page-past-the-end",
    "requests.count-of-a-list",
)
@pytest.mark.parametrize(
    ("query", "names", "page", "limit"),
    [
        ("", ["c", "b", "a"], 0, 1000),
        ("?limit=0", [], 0, 0),
        ("?limit=2", ["c", "b"], 0, 2),
        ("?page=1&limit=2", ["a"], 1, 2),
        ("?page=9", [], 9, 1000),
        ("?limit=5000", ["c", "b", "a"], 0, 5000),
        ("?page=999999999999999999", [], 999999999999999999, 1000),
    ],
)
def test_pages_and_limits(server: Server, query: str, names: list[str], page: int, limit: int) -> None:
    for name in "abc":
        server.made(name=f"job-{name}")
        server.clock.move(1)
    told = server.ask("GET", f"{JOBS}{query}").json()
    assert [row["name"].removeprefix("job-") for row in told["list"]] == names
    assert (told["count"], told["page"], told["limit"]) == (3, page, limit)


@pytest.mark.parametrize(
    "query", ["page=-1", "limit=-1", "page=x", "limit=1.5", "limit=%EF%BC%91", f"page={'9' * 400}"]
)
def test_a_page_that_is_no_number_is_a_bad_parameter(server: Server, query: str) -> None:
    answer = server.ask("GET", f"{JOBS}?{query}")
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad-parameter")


@proves(
    "getJobs.query.name",
    "getJobs.query.status",
    "getJobs.query.status=DRAFT",
    "getJobs.query.status=RUNNABLE",
    "getJobs.query.status=UNKNOWN",
    "Job.status=DRAFT",
    "requests.name-filter",
    "requests.status-filter",
    "generations.status-of-2026",
    "answers.unknown-status",
)
def test_jobs_are_found_by_a_part_of_their_name_and_by_status(server: Server) -> None:
    server.made(name="Nightly-Load")
    server.made(name="other", isTemp=True)

    def names(query: str) -> list[str]:
        return [row["name"] for row in server.ask("GET", f"{JOBS}?{query}").json()["list"]]

    assert names("name=load") == ["Nightly-Load"]
    assert names("name=%25") == []
    assert names("status=DRAFT") == ["other"]
    assert names("status=RUNNABLE") == names("status=READY") == ["Nightly-Load"]
    assert names("status=UNKNOWN") == []
    assert server.ask("GET", f"{JOBS}?status=ASLEEP").json()["errorType"] == "bad-parameter"


@proves(
    "updateJob",
    "patchJob",
    "updateJob.body.name",
    "updateJob.body.nodes",
    "updateJob.body.description",
    "updateJob.body.type=DATAFLOW",
    "patchJob.body.name",
    "generations.verb-of-update",
)
def test_put_needs_name_and_type_and_patch_changes_one_field(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}"
    server.clock.move(60)
    patched = server.ask("PATCH", at, {"type": "DATAFLOW", "name": "job002"}).json()
    assert patched == {**job, "name": "job002", "updatedDate": "2025-03-21T10:03:02+09:00"}
    assert server.ask("PUT", at, {"name": "job003"}).json()["errorType"] == "bad-parameter"
    put = server.ask("PUT", at, documented_job(name="job003", type="DATAFLOW", description="more"))
    assert (put.status_code, put.json()["name"], put.json()["description"]) == (200, "job003", "more")


@proves(
    "requests.lost-updates",
)
def test_an_update_of_a_revision_that_is_gone_is_refused(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}"
    etag = server.ask("GET", at).headers["etag"]
    assert server.ask("PATCH", at, {"description": "mine"}, headers={"if-match": etag}).status_code == 200
    late = server.ask("PATCH", at, {"description": "yours"}, headers={"if-match": etag})
    assert (late.status_code, late.json()["errorType"]) == (412, "bad-state")
    assert server.ask("GET", at).json()["description"] == "mine"
    assert server.ask("PATCH", at, {}, headers={"if-match": "x"}).json()["errorType"] == "bad-parameter"


@proves(
    "deleteJob",
    "verifyJob",
    "Job.status=DELETED",
    "getJobs.query.status=DELETED",
    "answers.bare-true",
    "answers.deleted-jobs",
    "answers.cancel",
)
def test_delete_verify_and_cancel_answer_the_bare_true(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}"
    run = server.executed(job["jobId"])
    assert server.ask("POST", f"{at}/executions/{run['jobExecutionId']}/cancel").text == "true"
    assert server.ask("POST", f"{JOBS}/verify", documented_job()).text == "true"
    assert server.ask("DELETE", at).text == "true"
    again = server.ask("DELETE", at)
    assert (again.status_code, again.json()["errorType"]) == (404, "resource-not-found/JOB")
    assert server.ask("GET", at).status_code == 404
    assert server.ask("GET", f"{at}/executions").json()["count"] == 1
    assert [row["status"] for row in server.ask("GET", f"{JOBS}?status=DELETED").json()["list"]] == ["DELETED"]


@proves(
    "verifyJob",
    "ServiceError.errors.bad-parameter",
    "answers.failed-verification",
    "refusals.which-shape",
)
def test_what_is_wrong_with_a_job_is_told_all_at_once(server: Server) -> None:
    body = documented_job(name="1")
    body["nodes"][1]["filterConditionList"][0]["name"] = "nam"
    answer = server.ask("POST", f"{JOBS}/verify", body)
    told = answer.json()
    assert answer.status_code == 400
    assert list(told) == ["type", "title", "status", "detail", "instance", "errorType", "problems"]
    assert (told["type"], told["title"], told["status"]) == ("about:blank", "Bad Request", 400)
    assert (told["instance"], told["errorType"]) == ("/dataflow/api/jobs/verify", "bad-parameter")
    assert told["detail"].startswith("Check the parameters. ")
    assert {problem.get("nodeId") for problem in told["problems"]} == {None, 1697770000002}


@proves(
    "ServiceError.type",
    "ServiceError.title",
    "ServiceError.status",
    "ServiceError.detail",
    "ServiceError.instance",
    "ServiceError.errorType",
    "ServiceError.errors.resource-not-found/JOB",
    "refusals.instance",
)
def test_a_missing_job_is_told_in_the_documented_words(server: Server) -> None:
    assert server.ask("GET", f"{JOBS}/aa").json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "{jobId=aa}: Unable to find.",
        "instance": "/dataflow/api/jobs/aa",
        "errorType": "resource-not-found/JOB",
    }


@proves(
    "requests.unknown-fields",
)
def test_what_nobody_knows_is_named_in_a_header_and_ignored(server: Server) -> None:
    answer = server.ask("GET", f"{JOBS}?nmae=x")
    assert answer.json()["count"] == 0
    (told,) = json.loads(answer.headers["x-headrace-warnings"])
    assert (told["code"], told["field"]) == ("unknown-parameter", "nmae")
    made = server.ask("POST", JOBS, documented_job(색="빨강"))
    assert made.status_code == 201
    assert "색" in [warning["field"] for warning in json.loads(made.headers["x-headrace-warnings"])]


@proves(
    "updateJobExecutionConfig",
    "updateJobExecutionConfig.body.jobCondition",
    "requests.parts-of-the-stored-condition",
)
def test_the_settings_of_execution_change_one_by_one(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}/executions"
    told = server.ask("PUT", at, {"jobCondition": {"numWorker": 5, "scriptPath": "own/s"}}).json()
    assert told["runCondition"] == {**job["runCondition"], "numWorker": 5, "scriptPath": "own/s/"}
    for body in ({}, {"jobCondition": 5}, {"jobCondition": {"numWorker": 11}}, {"jobCondition": {"timeout": 1441}}):
        assert server.ask("PUT", at, body).json()["errorType"] == "bad-parameter"


@proves(
    "requests.scripts",
    "refusals.what-is-not-built",
)
def test_scripts_are_not_there_yet(server: Server) -> None:
    answer = server.ask("POST", JOBS, {"name": "script", "type": "SCRIPT"})
    assert (answer.status_code, answer.json()["errorType"]) == (501, "not-implemented/CREATE_JOB")
