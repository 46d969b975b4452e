"""What every route refuses, and how: the gateway's own errors."""

from pathlib import Path
from typing import cast

import pytest
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Router

from headrace.api.gateway import Operation
from headrace.api.naver.contract import BODIES
from headrace.api.naver.operations import OPERATIONS
from headrace.api.naver.service import service
from headrace.api.nx1.middleware import Gate
from headrace.auth.signature_v2 import SIGNATURE
from headrace.core import keys
from tests.support.flows import small_workflow
from tests.support.proving import proves
from tests.support.server import Key, Server, documented_job

MISSING = "Authentication information are missing."
INVALID = "Invalid authentication information."
every_route = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.path}")


def path(operation: Operation) -> str:
    return operation.path.replace("{", "").replace("}", "")


def failed(details: str) -> dict[str, object]:
    return {"error": {"errorCode": "200", "message": "Authentication Failed", "details": details}}


# The figures have a word of their own that lets in, and tests of it.
OPEN = {"/", "/livez", "/readyz", "/openapi.json", "/docs", "/metrics"}
# Where the built-in issuer of NexusOne's dialect gives tokens for a secret, and tells how they are checked.
ISSUER = {
    "/oauth/token",
    "/realms/{realm}/protocol/openid-connect/token",
    "/.well-known/openid-configuration",
    "/.well-known/jwks.json",
}


def test_every_route_is_an_operation_or_open_to_all(server: Server) -> None:
    # NexusOne's dialect has a gate of its own; what that refuses is tested with it.
    outside = {
        getattr(route, "path", None)
        for route in server.app.routes
        if not isinstance(getattr(route, "endpoint", None), Gate)
    }
    assert {path for path in outside if path and not path.startswith("/docs/")} == OPEN | ISSUER
    routes = cast(Router, cast(ExceptionMiddleware, service()).app).routes
    inside = {
        (method, getattr(route, "path", None))
        for route in routes
        for method in getattr(route, "methods", None) or ("", "not a route")
        if method != "HEAD"  # the gateway lets none through
    }
    assert inside == {(operation.method, operation.path) for operation in OPERATIONS}


@proves(
    "Signature.headers.x-ncp-apigw-timestamp",
    "Signature.headers.x-ncp-iam-access-key",
    "Signature.headers.x-ncp-apigw-signature-v2",
    "GatewayError.error",
    "GatewayError.error.*",
    "GatewayError.errors.200",
    "refusals.type-of-error-code",
    "refusals.which-shape",
)
@every_route
def test_every_route_refuses_the_anonymous_and_the_forged(server: Server, operation: Operation) -> None:
    method, at = operation.method, path(operation)
    anonymous = server.send(method, at)
    assert (anonymous.status_code, anonymous.json()) == (401, failed(MISSING))
    forged = server.ask(method, at, headers={SIGNATURE: "Zm9yZ2Vk"})
    assert (forged.status_code, forged.json()) == (401, failed(INVALID))
    unknown = server.send(method, at, headers=server.signature(method, at, Key("NOBODY", "s")))
    assert (unknown.status_code, unknown.json()) == (401, failed(INVALID))


@proves(
    "Signature.five-minutes",
    "refusals.words-of-a-stale-clock",
)
@every_route
def test_every_route_refuses_a_stale_clock_and_a_revoked_key(server: Server, operation: Operation) -> None:
    method, at, key = operation.method, path(operation), server.held["manager"]
    signed = server.signature(method, at, key)
    server.clock.move(301)
    stale = server.send(method, at, headers=signed)
    assert stale.status_code == 401
    assert "clock" in stale.json()["error"]["details"]
    with server.database.transaction() as con:
        keys.revoke(con, key.access_key, account_id="main", now=server.clock.now())
    revoked = server.ask(method, at)
    assert (revoked.status_code, revoked.json()) == (401, failed(INVALID))


@proves(
    "GatewayError.errors.210",
)
@every_route
def test_a_viewer_may_look_and_not_write(server: Server, operation: Operation) -> None:
    answer = server.ask(operation.method, path(operation), role="viewer")
    if operation.action.startswith("Change/") or operation.name == "getAuditList":
        assert (answer.status_code, answer.json()["error"]["errorCode"]) == (401, "210")
    else:
        assert answer.status_code in (200, 400, 404, 501)


@proves(
    "GatewayError.errors.300",
    "refusals.unknown-url",
)
@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/"),
        ("GET", "/api/v1/jobz"),
        ("GET", "/api/v1/jobs/"),
        ("DELETE", "/api/v1/jobs"),
        ("POST", "/api/v1/jobs/a%2Fb"),
        ("GET", "/api/v1/작업"),
    ],
)
def test_an_unknown_url_is_told_before_anybody_asks_who_it_is(server: Server, method: str, target: str) -> None:
    answer = server.send(method, target)
    error = {"errorCode": "300", "message": "Not Found Exception", "details": "There is no such URL."}
    assert (answer.status_code, answer.json()) == (404, {"error": error})


@proves(
    "GatewayError.headers.x-ncp-trace-id",
)
def test_every_answer_has_a_trace_id_of_its_own(server: Server) -> None:
    ids = [server.ask("GET", at).headers["x-ncp-trace-id"] for at in ("/api/v1/jobs", "/nowhere", "/livez", "/readyz")]
    assert len(set(ids)) == 4


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_whoever_balances_load_may_ask_with_head(server: Server, path: str) -> None:
    answer = server.send("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")


@proves(
    "Signature.query-as-sent",
)
def test_the_signature_covers_the_query_as_it_was_sent(server: Server) -> None:
    assert server.ask("GET", "/api/v1/jobs?name=a%2db&limit=1").status_code == 200
    signed = server.signature("GET", "/api/v1/jobs?name=a%2db", server.held["manager"])
    assert server.send("GET", "/api/v1/jobs?name=a-b", headers=signed).status_code == 401


@proves(
    "GatewayError.errors.430",
    "requests.sizes",
)
def test_a_body_that_is_too_large_is_refused(tmp_path: Path) -> None:
    server = Server.start(tmp_path, body_limit="2KB")
    answer = server.ask("POST", "/api/v1/jobs", documented_job(description="x" * 2048))
    assert (answer.status_code, answer.json()["error"]["errorCode"]) == (413, "430")
    assert "connection" not in answer.headers
    server.database.dispose()


@proves(
    "GatewayError.errors.410",
)
def test_a_key_that_asks_too_often_has_to_wait(tmp_path: Path) -> None:
    server = Server.start(tmp_path, rate_limit="1", rate_burst="2")
    codes = [server.ask("GET", "/api/v1/jobs").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert server.ask("GET", "/api/v1/jobs").json()["error"]["errorCode"] == "410"
    assert server.ask("GET", "/api/v1/jobs", role="viewer").status_code == 200
    server.clock.move(1)
    assert server.ask("GET", "/api/v1/jobs").status_code == 200
    server.database.dispose()


TAKE_ALL = ("createJobExecution", "executeWorkflow", "patchTrigger")
BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"true",
    b'"text"',
    b"\xff\xfe",
    b"NaN",
    b'{"name": "a", "name": "b"}',
    b'{"a": ' + b"[" * 100_000,
    b'{"name": "job001", "nodes": [], "description": "\\ud800"}',
    b'{"name": "job001", "nodes": [], "description": "\\u0000", "isTemp": true}',
    b'{"name": {}, "nodes": {}, "type": 5, "isTemp": "yes", "jobCondition": []}',
    b'{"name": "\\uc791\\uc5c5", "nodes": [null, 5, "x", {}]}',
    b'{"name": "job001", "nodes": [' + b"1," * 5000 + b"1]}",
    b'{"jobCondition": {"numWorker": 1e400}}',
    b'{"jobCondition": {"timeout": "360", "scriptPath": 5}}',
    b'{"parameters": [1]}',
    b'{"parameters": {"a": {"b": 1}}}',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:40]))
def test_a_bad_body_is_a_bad_parameter_and_never_a_failure_of_the_server(server: Server, body: bytes) -> None:
    workflow, trigger, job = small_workflow(server)
    for operation in OPERATIONS:
        if operation.name not in BODIES:
            continue
        path = operation.path.format(jobId=job, workflowId=workflow, triggerId=trigger)
        answer = server.ask(operation.method, path, body)
        # These need nothing of a body, and what they do not know of one they only name.
        takes_all = operation.name in TAKE_ALL and answer.status_code in (200, 202)
        assert takes_all or answer.status_code == 400, (operation.name, answer.text[:500])
        assert takes_all or answer.json()["errorType"] == "bad-parameter"


@pytest.mark.parametrize(
    "id_", ["%00", "%0A", "a%0Ab", "%EC%9E%91", "%FF", "a" * 5000, "..%5C", "'%20OR%201=1", "%F0%9F%98%80"]
)
def test_an_id_that_can_not_be_one_is_not_found(server: Server, id_: str) -> None:
    for method, tail in (("GET", ""), ("DELETE", ""), ("GET", "/executions"), ("GET", "/executions/x/log")):
        answer = server.ask(method, f"/api/v1/jobs/{id_}{tail}")
        assert answer.status_code == 404, answer.text
        assert answer.json()["errorType"].startswith("resource-not-found/")


def test_whoever_guesses_signatures_has_to_wait_and_good_clients_of_the_address_do_not(server: Server) -> None:
    assert server.ask("GET", "/api/v1/jobs").status_code == 200
    forged = {SIGNATURE: "Zm9yZ2Vk"}
    codes = [server.ask("GET", "/api/v1/jobs", role="viewer", headers=forged).status_code for _ in range(101)]
    assert codes == [401] * 100 + [429]
    answer = server.ask("GET", "/api/v1/jobs", role="viewer")
    assert (answer.status_code, answer.json()["error"]["errorCode"]) == (429, "420")
    assert server.ask("GET", "/api/v1/jobs").status_code == 200
    server.clock.move(1)
    assert server.ask("GET", "/api/v1/jobs", role="viewer").status_code == 200
