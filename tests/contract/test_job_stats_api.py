"""The statistics of single jobs."""

from typing import Any

import pytest

from headrace.auth.policy import Policy
from headrace.core import job_figures
from headrace.execution.queue import Outcome
from tests.support.server import Server

STATS = "/api/v1/stats/jobs"
DAY = "startDate=2025-03-21T00:00:00&endDate=2025-03-21T23:59:59"
NOTHING = {
    "totalCount": 0,
    "completedCount": 0,
    "failedCount": 0,
    "canceledCount": 0,
    "rowsRead": 0,
    "rowsWritten": 0,
    "runningTime": None,
    "waitingTime": None,
}


def around(seconds: float) -> Any:
    return {name: pytest.approx(seconds, rel=0.05) for name in ("p50", "p95", "p99")}


@pytest.fixture
def busy(server: Server) -> Server:
    """A server with executions of `one`, which waited for 2 s and ran for 10 but for the last, and one of `two`."""
    one, two = (server.made(name=name)["jobId"] for name in ("one", "two"))
    report = {"sources": [{"rows": 5}, {"rows": 2}], "targets": [{"rows": 6}]}
    for status in ("COMPLETED", "COMPLETED", "FAILED", "CANCELED"):
        server.executed(one)
        server.clock.move(2)
        token = server.claim().lease_token
        server.clock.move(10)
        good = status == "COMPLETED"
        failure = None if good else {"code": "bad-data", "message": "no"}
        server.finish(token, Outcome(status, failure=failure, report=report if good else {}))
    server.executed(one)
    server.executed(two)
    return server


WANTED = {
    "totalCount": 5,
    "completedCount": 2,
    "failedCount": 1,
    "canceledCount": 1,
    "rowsRead": 14,
    "rowsWritten": 12,
    "runningTime": around(10),
    "waitingTime": around(2),
}


def named(server: Server) -> dict[str, str]:
    return {job["name"]: job["jobId"] for job in server.ask("GET", "/api/v1/jobs").json()["list"]}


@pytest.mark.parametrize("kept", [False, True])
def test_jobs_are_told_with_how_they_ended_their_times_and_their_rows(busy: Server, kept: bool) -> None:
    ids = named(busy)
    if kept:
        with busy.database.transaction() as con:
            assert job_figures.sum_up(con, now=busy.clock.at.timestamp() + 1000)
    answer = busy.ask("GET", f"{STATS}?{DAY}")
    one = {"jobId": ids["one"], "jobName": "one", **WANTED}
    two = {"jobId": ids["two"], "jobName": "two", **NOTHING, "totalCount": 1}
    assert answer.status_code == 200
    assert answer.json() == {"list": [one, two], "count": 2, "page": 0, "limit": 1000}
    assert busy.ask("GET", f"{STATS}?{DAY}&page=1&limit=1").json() == {"list": [two], "count": 2, "page": 1, "limit": 1}


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(
    ("query", "points", "first", "last"),
    [
        (DAY, 1, "2025-03-21T00:00:01", "2025-03-22T00:00:00"),
        (f"{DAY}&interval=HOUR", 24, "2025-03-21T00:00:01", "2025-03-22T00:00:00"),
        (
            "startDate=2025-03-20T12:00:00&endDate=2025-03-22T00:00:00&interval=DAY",
            2,
            "2025-03-20T00:00:01",
            "2025-03-22T00:00:00",
        ),
    ],
)
def test_a_job_is_told_by_days_and_by_hours(
    busy: Server, kept: bool, query: str, points: int, first: str, last: str
) -> None:
    job_id = named(busy)["one"]
    if kept:
        with busy.database.transaction() as con:
            assert job_figures.sum_up(con, now=busy.clock.at.timestamp() + 1000)
    told = busy.ask("GET", f"{STATS}/{job_id}?{query}").json()
    result = told.pop("result")
    assert told == {"jobId": job_id, "jobName": "one", **WANTED}
    assert (len(result), result[0]["startDate"], result[-1]["endDate"]) == (points, first, last)
    full = [each for each in result if each["totalCount"]]
    dates = ("startDate", "endDate")
    assert [{name: value for name, value in each.items() if name not in dates} for each in full] == [WANTED]
    empty = next((each for each in result if not each["totalCount"]), NOTHING)
    assert {name: value for name, value in empty.items() if name not in dates} == NOTHING


def test_a_period_of_one_moment_at_midnight_is_in_the_day_that_begins(busy: Server) -> None:
    job_id = named(busy)["one"]
    query = "startDate=2025-03-21T00:00:00&endDate=2025-03-21T00:00:00"
    (day,) = busy.ask("GET", f"{STATS}/{job_id}?{query}").json()["result"]
    assert (day["startDate"], day["totalCount"]) == ("2025-03-21T00:00:01", 5)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ["startDate", "endDate"]),
        ("startDate=yesterday&endDate=2025-03-21", ["startDate", "endDate"]),
        ("startDate=2025-03-21T00:00:01&endDate=2025-03-21T00:00:00", ["endDate"]),
        (f"{DAY}&limit=-1", ["limit"]),
        (f"{DAY}&page=x", ["page"]),
    ],
)
def test_what_can_not_be_asked_is_told_by_its_fields(server: Server, query: str, fields: list[str]) -> None:
    answer = server.ask("GET", f"{STATS}?{query}".rstrip("?"))
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad-parameter")
    assert [problem["field"] for problem in answer.json()["problems"]] == fields


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (f"{DAY}&interval=WEEK", "interval"),
        ("startDate=2020-01-01T00:00:00&endDate=2022-09-27T23:59:59", "endDate"),
        ("startDate=2025-01-01T00:00:00&endDate=2025-03-21T00:00:00&interval=HOUR", "endDate"),
    ],
)
def test_intervals_that_can_not_be_told_are_refused(busy: Server, query: str, field: str) -> None:
    answer = busy.ask("GET", f"{STATS}/{named(busy)['one']}?{query}")
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["problems"]] == [field]


def test_a_job_that_is_not_there_is_not_found_and_a_deleted_one_is_told(busy: Server) -> None:
    assert busy.ask("GET", f"{STATS}/nothing?{DAY}").status_code == 404
    job_id = named(busy)["one"]
    for _ in range(2):
        busy.finish(busy.claim().lease_token, Outcome("CANCELED"))
    assert busy.ask("DELETE", f"/api/v1/jobs/{job_id}").status_code == 200
    assert busy.ask("GET", f"{STATS}/{job_id}?{DAY}").json()["totalCount"] == 5
    assert {job["jobName"] for job in busy.ask("GET", f"{STATS}?{DAY}").json()["list"]} == {"one", "two"}


def test_a_key_without_the_right_is_refused(busy: Server) -> None:
    job_id = named(busy)["one"]
    rules = {"allow": ["View/*"], "deny": ["View/getJobStats", f"View/getJobStatsByInterval@{job_id}"]}
    busy.held["shut"] = busy.new_key("viewer", policy=Policy.of(rules))
    assert busy.ask("GET", f"{STATS}?{DAY}", role="shut").status_code == 401
    assert busy.ask("GET", f"{STATS}/{job_id}?{DAY}", role="shut").status_code == 401
    assert busy.ask("GET", f"{STATS}/{named(busy)['two']}?{DAY}", role="shut").status_code == 200
