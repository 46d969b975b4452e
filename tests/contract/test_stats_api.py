"""The three statistics, as the documentation of 2025 has them."""

import pytest
from sqlalchemy import update

from headrace.db.tables import executions
from headrace.execution.queue import Outcome
from tests.support.proving import proves
from tests.support.server import Server

STATS = "/api/v1/stats"
DAY = "startDate=2025-03-21T00:00:00&endDate=2025-03-21T23:59:59"


@pytest.fixture
def busy(server: Server) -> Server:
    """A server with four executions: one completed, one failed, one cancelled, one that waits, at ten o'clock."""
    job_id = server.made()["jobId"]
    for status in ("COMPLETED", "FAILED", "CANCELED"):
        server.executed(job_id)
        failure = None if status == "COMPLETED" else {"code": "bad-data", "message": "no"}
        server.finish(server.claim().lease_token, Outcome(status, failure=failure))
    server.executed(job_id)
    return server


def at(server: Server, moment: float) -> None:
    """Let all executions be of that moment."""
    with server.database.transaction() as con:
        con.execute(update(executions).values(created_at=moment))


@proves(
    "getExecutionCount",
    "getExecutionCount.answer.*",
    "workflows.dates-of-statistics",
)
def test_executions_are_counted_by_how_they_ended(busy: Server) -> None:
    answer = busy.ask("GET", f"{STATS}/executions?{DAY}")
    assert (answer.status_code, answer.json()) == (200, {"totalCount": 4, "completedCount": 1, "failedCount": 1})


@proves(
    "getExecutionCount.query.*",
)
@pytest.mark.parametrize(("second", "count"), [("10:02:01", 0), ("10:02:02", 4), ("10:02:03", 0)])
def test_both_ends_of_a_period_are_in_it(busy: Server, second: str, count: int) -> None:
    query = f"startDate=2025-03-21T{second}&endDate=2025-03-21T{second}"
    assert busy.ask("GET", f"{STATS}/executions?{query}").json()["totalCount"] == count


@proves(
    "getExecutionCountByInterval",
    "getExecutionCountByInterval.answer.*",
    "workflows.days-of-statistics",
    "workflows.dates-of-statistics",
)
def test_days_run_from_their_first_second_to_midnight(busy: Server) -> None:
    query = "startDate=2025-03-20T00:00:00&endDate=2025-03-22T00:00:00"
    assert busy.ask("GET", f"{STATS}/executions-interval?{query}").json() == {
        "result": [
            {"totalCount": 0, "startDate": "2025-03-20T00:00:01", "endDate": "2025-03-21T00:00:00"},
            {"totalCount": 4, "startDate": "2025-03-21T00:00:01", "endDate": "2025-03-22T00:00:00"},
        ]
    }
    at(busy, 1742482800.0)  # midnight between the two
    result = busy.ask("GET", f"{STATS}/executions-interval?{query}").json()["result"]
    assert [day["totalCount"] for day in result] == [4, 0]


@proves(
    "getExecutionTimes",
    "getExecutionTimes.answer.*",
    "workflows.path-of-execution-times",
    "workflows.width-of-slots",
)
@pytest.mark.parametrize("path", ["executions-times", "execution-times"])
def test_times_are_told_by_two_hours_with_zeros_under_both_spellings(busy: Server, path: str) -> None:
    query = "startDate=2025-03-21T07:30:00&endDate=2025-03-21T12:30:00"
    assert busy.ask("GET", f"{STATS}/{path}?{query}").json() == {
        "result": [
            {"time": 1742504400000, "value": 0},
            {"time": 1742511600000, "value": 0},
            {"time": 1742518800000, "value": 4},
            {"time": 1742526000000, "value": 0},
        ]
    }


@proves(
    "workflows.width-of-slots",
)
def test_a_long_period_has_wider_slots(busy: Server) -> None:
    query = "startDate=2024-01-01T00:00:00&endDate=2025-12-31T23:59:59"
    result = busy.ask("GET", f"{STATS}/executions-times?{query}").json()["result"]
    assert 500 <= len(result) <= 1001
    assert sum(point["value"] for point in result) == 4


@proves(
    "getExecutionCount.query.*",
    "getExecutionCountByInterval.query.*",
    "getExecutionTimes.query.*",
)
@pytest.mark.parametrize("path", ["executions", "executions-interval", "executions-times", "execution-times"])
@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ["startDate", "endDate"]),
        ("startDate=2025-03-21T00:00:00", ["endDate"]),
        ("startDate=yesterday&endDate=2025-03-21", ["startDate", "endDate"]),
        ("startDate=2025-02-30T00:00:00&endDate=2025-03-21T24:00:00", ["startDate", "endDate"]),
        ("startDate=2025-03-21T00:00:00%2B09:00&endDate=9999-12-31T23:59:59", ["startDate", "endDate"]),
        ("startDate=2025-03-21T00:00:01&endDate=2025-03-21T00:00:00", ["endDate"]),
    ],
)
def test_a_period_that_is_none_is_told_by_its_fields(server: Server, path: str, query: str, fields: list[str]) -> None:
    answer = server.ask("GET", f"{STATS}/{path}?{query}".rstrip("?"))
    told = answer.json()
    assert (answer.status_code, told["errorType"]) == (400, "bad-parameter")
    assert [problem["field"] for problem in told["problems"]] == fields


def test_a_thousand_days_are_told_and_no_more(server: Server) -> None:
    def asked(end: str) -> tuple[int, int]:
        answer = server.ask("GET", f"{STATS}/executions-interval?startDate=2020-01-01T00:00:00&endDate={end}")
        return answer.status_code, len(answer.json().get("result", ()))

    assert asked("2022-09-26T23:59:59") == (200, 1000)
    assert asked("2022-09-27T23:59:59") == (400, 0)
