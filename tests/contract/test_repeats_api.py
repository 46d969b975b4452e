"""Requests that come twice: a change under a key of its own is done once, and a signature stands for one body."""

import pytest
from httpx import Response

from headrace.api.changes import REPLAYED
from tests.support.server import Server, documented_job

JOBS = "/api/v1/jobs"


def count(server: Server) -> int:
    return int(server.ask("GET", f"{JOBS}?limit=0").json()["count"])


def create(server: Server, key: str, role: str = "manager", **changes: object) -> Response:
    return server.ask("POST", JOBS, documented_job(**changes), role=role, headers={"idempotency-key": key})


def test_a_change_that_is_asked_for_again_under_its_key_is_answered_again_and_not_done(server: Server) -> None:
    first, again = create(server, "k1", odd=1), create(server, "k1", odd=1)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    kept = ("etag", "x-headrace-warnings", "content-type")
    assert {name: again.headers[name] for name in kept} == {name: first.headers[name] for name in kept}
    assert (first.headers.get(REPLAYED), again.headers[REPLAYED]) == (None, "true")
    assert again.headers["x-ncp-trace-id"] != first.headers["x-ncp-trace-id"]
    assert count(server) == 1
    assert server.ask("GET", "/api/v1/audit").json()["count"] == 1


def test_an_execution_is_begun_once_and_a_bare_true_is_answered_again(server: Server) -> None:
    job = server.made()["jobId"]
    headers = {"idempotency-key": "once"}
    runs = [server.ask("POST", f"{JOBS}/{job}/executions", {}, headers=headers).json() for _ in range(2)]
    assert runs[0] == runs[1]
    assert server.ask("GET", f"{JOBS}/{job}/executions").json()["count"] == 1
    at = f"{JOBS}/{job}/executions/{runs[0]['jobExecutionId']}/cancel"
    assert [server.ask("POST", at, headers={"idempotency-key": "c"}).text for _ in range(2)] == ["true", "true"]


def test_another_request_under_the_same_key_is_a_bad_parameter(server: Server) -> None:
    create(server, "k1")
    other = create(server, "k1", name="job002")
    assert (other.status_code, other.json()["errorType"]) == (400, "bad-parameter")
    assert [problem["field"] for problem in other.json()["problems"]] == ["Idempotency-Key"]
    assert count(server) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_key_that_can_not_be_is_a_bad_parameter(server: Server, key: str) -> None:
    answer = create(server, key)
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad-parameter")
    assert count(server) == 0


def test_what_was_refused_is_not_kept_and_may_be_sent_again_corrected(server: Server) -> None:
    assert create(server, "k1", name="1").status_code == 400
    assert create(server, "k1").status_code == 201


def test_a_key_is_its_callers_own_and_is_forgotten_after_a_day(server: Server) -> None:
    create(server, "k1")
    server.held["other"] = server.new_key("manager")
    assert create(server, "k1", role="other", name="job002").status_code == 201
    server.clock.move(24 * 3600 + 1)
    assert create(server, "k1", name="job003").status_code == 201
    assert count(server) == 3


def test_a_signature_stands_for_one_body(server: Server) -> None:
    signed = server.signature("POST", JOBS, server.held["manager"])
    first = server.send("POST", JOBS, content=b'{"name": "job", "isTemp": true}', headers=signed)
    assert first.status_code == 201
    forged = server.send("POST", JOBS, content=b'{"name": "evil", "isTemp": true}', headers=signed)
    assert (forged.status_code, forged.json()["error"]["errorCode"]) == (401, "200")
    assert "used before" in forged.json()["error"]["details"]
    retried = server.send("POST", JOBS, content=b'{"name": "job", "isTemp": true}', headers=signed)
    assert retried.json()["errorType"] == "bad-parameter"  # done again: the name is taken
    assert count(server) == 1


def test_the_signature_of_a_request_that_was_refused_stands_for_its_body_too(server: Server) -> None:
    signed = server.signature("POST", JOBS, server.held["manager"])
    assert server.send("POST", JOBS, content=b"{", headers=signed).status_code == 400
    forged = server.send("POST", JOBS, content=b'{"name": "evil", "isTemp": true}', headers=signed)
    assert forged.status_code == 401
    assert count(server) == 0


def test_reading_with_one_signature_as_often_as_one_likes_is_allowed(server: Server) -> None:
    signed = server.signature("GET", JOBS, server.held["manager"])
    assert [server.send("GET", JOBS, headers=signed).status_code for _ in range(3)] == [200, 200, 200]
