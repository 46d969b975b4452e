"""Queries and paths that mean nothing, or something odd: told at their place, and never a failure of the server."""

import pytest

from tests.support.jobs import Json
from tests.support.proving import proves
from tests.support.server import Server

JOBS = "/api/v1/jobs"


@proves("getJobs.query.*", "getJobExecutions.query.*", "Paging.query.*")
@pytest.mark.parametrize("name", ["page", "limit"])
@pytest.mark.parametrize(
    "value", ["-1", "x", "1.5", "1e3", "%2B1", "%201", "0x10", "%EC%9D%BC", "9" * 19, "9" * 400, "1;2"]
)
def test_a_page_or_limit_that_is_no_number_is_told_in_every_list(
    kept: tuple[Server, Json], name: str, value: str
) -> None:
    server, job = kept
    for path in (JOBS, f"{JOBS}/{job['jobId']}/executions"):
        answer = server.ask("GET", f"{path}?{name}={value}")
        assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, name)
        assert answer.json()["detail"].startswith(f"Check the parameters. {name}: ")


@proves("getJobs.query.status", "getJobs.query.name")
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("name=JOB", 1),
        ("name=job001", 1),
        ("name=job002", 0),
        ("name=%EC%9E%91%EC%97%85", 0),
        ("name=%FF", 0),
        ("name=_", 0),
        ("name=%25", 0),
        ("name=%5C", 0),
        ("name=" + "x" * 5_000, 0),
        ("name=", 1),
        ("status=", 1),
        ("status=UNKNOWN", 0),
        ("%EC%9E%91=1", 1),
        ("page=", 1),
    ],
)
def test_a_filter_finds_what_it_means_whatever_its_signs(kept: tuple[Server, Json], query: str, count: int) -> None:
    answer = kept[0].ask("GET", f"{JOBS}?{query}")
    assert (answer.status_code, answer.json()["count"]) == (200, count)


@proves("getJobs.query.status")
@pytest.mark.parametrize("query", ["status=runnable", "status=%EC%9E%91", "status=" + "X" * 5_000, "name=%00"])
def test_a_filter_that_means_nothing_is_told(kept: tuple[Server, Json], query: str) -> None:
    answer = kept[0].ask("GET", f"{JOBS}?{query}")
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, query.partition("=")[0])
    assert len(answer.content) < 1_000


PATHS = [
    pytest.param("getJob", "GET", "", marks=proves("getJob.path.jobId")),
    pytest.param("updateJob", "PUT", "", marks=proves("updateJob.path.jobId")),
    pytest.param("patchJob", "PATCH", "", marks=proves("patchJob.path.jobId")),
    pytest.param("deleteJob", "DELETE", "", marks=proves("deleteJob.path.jobId")),
    pytest.param("getJobExecutions", "GET", "/executions", marks=proves("getJobExecutions.path.jobId")),
    pytest.param("createJobExecution", "POST", "/executions", marks=proves("createJobExecution.path.jobId")),
    pytest.param("updateJobExecutionConfig", "PUT", "/executions", marks=proves("updateJobExecutionConfig.path.jobId")),
    pytest.param("getJobExecution", "GET", "/executions/x", marks=proves("getJobExecution.path.*")),
]
NO_IDS = [
    *("aa", "%2e%2e", "%00", "%20", "%EC%9E%91%EC%97%85", "%FF", "%F0%9F%98%80", "verify", "a" * 5_000, "..%5C"),
    *("'%20OR%201=1", "%7BjobId%7D", "null", "0"),
]


@proves("ServiceError.errors.resource-not-found/JOB", "ServiceError.errors.resource-not-found/JOB_EXECUTION")
@pytest.mark.parametrize(("operation", "method", "tail"), PATHS)
def test_an_id_that_nothing_has_is_not_found(kept: tuple[Server, Json], operation: str, method: str, tail: str) -> None:
    server, job = kept
    body = {"jobCondition": {}, "name": "another", "type": "DATAFLOW"}
    for id_ in (*NO_IDS, job["jobId"].swapcase(), f"{job['jobId']}%20"):
        answer = server.ask(method, f"{JOBS}/{id_}{tail}", None if method in ("GET", "DELETE") else body)
        told = answer.json()
        assert (answer.status_code, told["title"]) == (404, "Not Found"), (id_, told)
        assert told["errorType"].startswith("resource-not-found/JOB")
        assert told["detail"].endswith("}: Unable to find.")
        assert told["instance"].startswith("/dataflow/api/jobs/")
