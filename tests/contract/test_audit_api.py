"""Who changed what, as the server tells it."""

from typing import Any

import pytest

from tests.support.server import Server, documented_job

JOBS, AUDIT = "/api/v1/jobs", "/api/v1/audit"
DATE = "2025-03-21T10:02:02+09:00"


def rows(server: Server, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.ask("GET", f"{AUDIT}{query}").json()["list"]
    return found


def test_every_change_is_written_down_with_who_what_when_and_from_where(server: Server) -> None:
    made = server.ask("POST", JOBS, documented_job())
    at = f"{JOBS}/{made.json()['jobId']}"
    (row,) = rows(server)
    assert row == {
        "id": 1,
        "date": DATE,
        "principal": "manager",
        "accessKey": server.held["manager"].access_key,
        "action": "Change/createJob",
        "resource": at.removeprefix("/api/v1/"),
        "result": "done",
        "source": "127.0.0.1",
        "traceId": made.headers["x-ncp-trace-id"],
        "detail": {"name": "job001"},
    }
    server.ask("PATCH", at, {"description": "a"})
    server.ask("PUT", f"{at}/executions", {"jobCondition": {"timeout": 5}})
    run = server.executed(made.json()["jobId"])["jobExecutionId"]
    server.ask("POST", f"{at}/executions/{run}/cancel")
    server.ask("POST", f"{at}/revisions/1/restore")
    server.ask("DELETE", at)
    assert [(row["action"], row["detail"]) for row in reversed(rows(server))] == [
        ("Change/createJob", {"name": "job001"}),
        ("Change/updateJob", {"revision": 2}),
        ("Change/updateJobExecutionConfig", {"revision": 3}),
        ("Change/executeJob", {}),
        ("Change/cancelJobExecution", {}),
        ("Change/restoreJobRevision", {"revision": 4, "restored": 1}),
        ("Change/deleteJob", {}),
    ]


def test_what_somebody_was_not_let_change_is_written_down_and_what_was_wrong_is_not(server: Server) -> None:
    answer = server.ask("DELETE", f"{JOBS}/abc", role="viewer")
    assert server.ask("POST", JOBS, {}).status_code == 400
    assert server.ask("GET", AUDIT, role="viewer").status_code == 401
    (row,) = rows(server)
    assert (row["principal"], row["action"], row["resource"], row["result"], row["traceId"]) == (
        "viewer",
        "Change/deleteJob",
        "jobs/abc",
        "denied",
        answer.headers["x-ncp-trace-id"],
    )


def test_rows_are_found_by_who_what_and_when_in_pages(server: Server) -> None:
    job = server.made()["jobId"]
    server.clock.move(60)
    run = server.executed(job)["jobExecutionId"]
    server.ask("DELETE", f"{JOBS}/{job}", role="viewer")

    def actions(query: str) -> list[str]:
        return [row["action"].removeprefix("Change/") for row in rows(server, f"?{query}")]

    assert actions(f"resource=jobs/{job}") == ["deleteJob", "executeJob", "createJob"]
    assert actions(f"resource=jobs/{job}/executions/{run}") == ["executeJob"]
    assert actions("resource=jobs/") == []
    assert actions("action=Change/createJob") == ["createJob"]
    assert actions("result=denied") == actions("principal=viewer") == ["deleteJob"]
    assert actions(f"principal={server.held['manager'].access_key}") == ["executeJob", "createJob"]
    assert actions("startDate=2025-03-21T10:03:02") == ["deleteJob", "executeJob"]
    assert actions("endDate=2025-03-21T01:03:00%2B00:00") == ["createJob"]
    told = server.ask("GET", f"{AUDIT}?page=1&limit=2").json()
    assert ([row["action"] for row in told["list"]], told["count"]) == (["Change/createJob"], 3)


@pytest.mark.parametrize("query", ["result=maybe", "startDate=yesterday", "page=-1", "endDate=99999-01-01"])
def test_a_filter_that_can_not_be_is_a_bad_parameter(server: Server, query: str) -> None:
    answer = server.ask("GET", f"{AUDIT}?{query}")
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad-parameter")


def test_no_secret_is_written_down(server: Server) -> None:
    server.made()
    server.ask("DELETE", f"{JOBS}/abc", role="viewer")
    text = server.ask("GET", AUDIT).text
    assert all(key.secret not in text for key in server.held.values())
