"""The built-in issuer, the gate of NexusOne's dialect, and keys in `Authorization-PSK`, as programs see them."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from httpx import Response
from sqlalchemy import select

from headrace.auth.tokens import claims, new_key, sign
from headrace.core import audit, clients, psks
from headrace.core.audit import AuditFilter
from headrace.core.paging import Page
from headrace.db.tables import psks as psk_table
from headrace.db.tables import signing_keys
from headrace.service.tokens import Issuer
from tests.support.proving import proves
from tests.support.server import SECRETS, Server

WHO = "/api/user/psk"
ISSUER = "http://127.0.0.1:8080"
OPEN = {("GET", "/api/health/ping")}


class Program:
    """A client of the built-in issuer."""

    def __init__(self, server: Server, *roles: str, name: str = "ann@example.org") -> None:
        self.server = server
        with server.database.transaction() as con:
            made, self.secret = clients.create(
                con, account_id="main", name=name, roles=roles or ("nx1_ingest",), now=server.clock.now()
            )
        self.client_id = made.client_id

    def asks(self, form: str | None = None, *, path: str = "/oauth/token", **headers: str) -> Response:
        usual = f"grant_type=client_credentials&client_id={self.client_id}&client_secret={self.secret}"
        body = (usual if form is None else form).encode()
        return self.server.send("POST", path, content=body, headers=headers)

    def token(self) -> str:
        return str(self.asks().json()["access_token"])

    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token()}"}


@pytest.fixture
def program(server: Server) -> Program:
    return Program(server, "nx1_ingest", "nx1_monitor")


def told(answer: Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("detail")


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@proves("nexusone-access.token-endpoint")
def test_a_client_gets_a_token_for_its_secret(program: Program) -> None:
    for answer in (
        program.asks(),
        program.asks(path="/realms/main/protocol/openid-connect/token"),
        program.asks("grant_type=client_credentials", authorization=basic(program.client_id, program.secret)),
    ):
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found.pop("access_token").count(".") == 2
        assert found == {
            "expires_in": 600,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "profile",
        }
        assert answer.headers["cache-control"] == "no-store"


def test_a_token_can_be_checked_with_what_the_issuer_publishes(server: Server, program: Program) -> None:
    found = server.send("GET", "/.well-known/openid-configuration").json()
    assert (found["issuer"], found["token_endpoint"]) == (ISSUER, f"{ISSUER}/oauth/token")
    sent = program.token()
    keys = jwt.PyJWKSet.from_dict(server.send("GET", found["jwks_uri"].removeprefix(ISSUER)).json())
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    found = jwt.decode(sent, keys.keys[0], algorithms=["RS256"], audience="headrace", issuer=ISSUER, options=options)
    assert found["preferred_username"] == "ann@example.org"
    assert found["realm_access"] == {"roles": ["nx1_ingest", "nx1_monitor"]}
    assert found["exp"] - found["iat"] == 600


def test_the_private_key_is_neither_published_nor_plain_in_the_database(server: Server, program: Program) -> None:
    program.token()
    published = server.send("GET", "/.well-known/jwks.json").json()["keys"]
    assert [sorted(key) for key in published] == [["alg", "e", "kid", "kty", "n", "use"]]
    with server.database.reading() as con:
        (row,) = con.execute(select(signing_keys)).all()
    assert row.private.startswith("v1.")
    assert "PRIVATE KEY" not in repr(row)


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ("", 400, "invalid_request"),
        ("grant_type=password&username=a&password=b", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=nobody&client_secret=x", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=a&client_id=b", 400, "invalid_request"),
        ('{"grant_type": "client_credentials"}', 400, "invalid_request"),
        ("grant_type=client_credentials&client_id=%00&client_secret=%ff", 400, "invalid_request"),
        ("grant_type=client_credentials&client_id=%00&client_secret=%00", 401, "invalid_client"),
        ("&".join(f"a{number}=b" for number in range(50)), 400, "invalid_request"),
        ("x" * 20_000, 413, "invalid_request"),
    ],
)
def test_a_form_that_is_wrong_is_told_in_the_words_of_the_standard(
    program: Program, form: str, status: int, error: str
) -> None:
    answer = program.asks(form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_client_that_does_not_prove_itself_gets_nothing(server: Server, program: Program) -> None:
    ours = f"grant_type=client_credentials&client_id={program.client_id}&client_secret"
    wrong = [program.asks(f"{ours}={program.secret[:-1]}"), program.asks(f"{ours}=")]
    wrong.append(program.asks("grant_type=client_credentials", authorization=basic(program.client_id, "no")))
    wrong.append(program.asks("grant_type=client_credentials", authorization="Basic ???"))
    with server.database.transaction() as con:
        clients.revoke(con, program.client_id, account_id="main", now=server.clock.now())
    wrong.append(program.asks())
    for answer in wrong:
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert program.asks(authorization=basic(program.client_id, program.secret)).json()["error"] == "invalid_request"


def test_a_new_key_signs_after_some_months_and_the_tokens_of_the_old_one_live_on(
    server: Server, program: Program
) -> None:
    program.token()
    server.clock.move(90 * 86_400 - 100)
    old = program.token()
    server.clock.move(200)
    new = program.token()
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    for sent in (old, new):
        assert told(server.send("GET", WHO, headers={"authorization": f"Bearer {sent}"}))[0] == 404
    server.clock.move(2 * 86_400)
    assert len(server.send("GET", "/.well-known/jwks.json").json()["keys"]) == 1


@proves("nexusone-access.token-and-key")
@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "no credentials"),
        ({"authorization": "Bearer"}, "is not Bearer"),
        ({"authorization": "Basic YTpi"}, "is not Bearer"),
        ({"authorization": "Bearer a.b.c"}, "no signed JWT"),
        ({"authorization": "Bearer a.b.c", "authorization-psk": "hrk_x"}, "not both"),
        ({"authorization-psk": "hrk_x"}, "unknown or revoked"),
        ({"authorization-psk": "\u00e9"}, "unknown or revoked"),
    ],
)
def test_without_right_credentials_nothing_behind_the_gate_is_reached(
    server: Server, headers: dict[str, str], detail: str
) -> None:
    sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    for method, path in (("GET", WHO), ("POST", WHO), ("DELETE", WHO), ("GET", "/api/user/nothing")):
        answer = server.send(method, path, headers=sent)  # type: ignore[arg-type]  # httpx takes bytes
        status, said = told(answer)
        assert (status, detail in said) == (401, True)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@proves("nexusone-access.tokens")
def test_a_token_that_is_not_of_now_or_not_of_here_is_refused(server: Server, program: Program, tmp_path: Path) -> None:
    sent = program.bearer()
    assert told(server.send("GET", WHO, headers=sent))[0] == 404
    server.clock.move(-31)
    assert told(server.send("GET", WHO, headers=sent)) == (401, "the token is not valid yet")
    server.clock.move(31 + 630)
    assert told(server.send("GET", WHO, headers=sent)) == (401, "the token has expired")
    (tmp_path / "other").mkdir()
    other = Server.start(tmp_path / "other", public_url="https://other.example.org")
    theirs = Program(other).bearer()
    status, _ = told(server.send("GET", WHO, headers=theirs))
    assert status == 401
    other.database.dispose()


def test_a_token_that_was_changed_or_is_not_signed_is_refused(server: Server, program: Program) -> None:
    head, body, signature = program.token().split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    said["realm_access"]["roles"] = ["nx1_monitor_admin"]
    better = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for sent in (f"{head}.{better}.{signature}", f"{unsigned}.{better}.", f"{head}.{body}.", f"{head}.{body}"):
        assert told(server.send("GET", WHO, headers={"authorization": f"Bearer {sent}"}))[0] == 401


def wrong_tokens(server: Server) -> dict[str, str]:
    """Each is wrong in one thing alone."""
    now, hour = server.clock.now(), timedelta(hours=1)
    with server.database.transaction() as con:
        client, _ = clients.create(con, account_id="main", name="ann", roles=["nx1_monitor_admin"], now=now)
    right = Issuer(server.database, SECRETS, ISSUER, "headrace")
    stranger, said = new_key(), claims(issuer=ISSUER, audience="headrace", client_id="a", name="a", roles=("nx1_ask",))
    said["exp"] = int(now.timestamp()) + 600
    head, body, signature = right.token(client, now=now).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return {
        "expired": right.token(client, now=now - hour),
        "not yet valid": right.token(client, now=now + hour),
        "for others": Issuer(server.database, SECRETS, ISSUER, "elsewhere").token(client, now=now),
        "of others": Issuer(server.database, SECRETS, "https://sso.example.org", "headrace").token(client, now=now),
        "by an unknown key": sign(said, kid=stranger.kid, private=stranger.private),
        "by another key under the right name": sign(said, kid=_kid(head), private=stranger.private),
        "unsigned": f"{head}.{body}.",
        "none": f"{none}.{body}.",
        "changed": f"{head}.{body[:-4]}AAAA.{signature}",
        "half": f"{head}.{body}",
    }


def _kid(head: str) -> str:
    return str(json.loads(base64.urlsafe_b64decode(head + "=="))["kid"])


@proves("nexusone-access.tokens", "nexusone-access.rights-of-roles")
def test_every_route_refuses_every_wrong_token_and_who_has_no_role(server: Server) -> None:
    described = server.send("GET", "/docs/nexusone.json").json()["paths"]
    routes = {(method.upper(), path) for path, item in described.items() for method in item} - OPEN
    assert ("POST", WHO) in routes
    strangers = Program(server, "offline_access").token()
    wrong = wrong_tokens(server)
    for method, path in sorted(routes):
        asked = path.replace("{", "").replace("}", "")
        assert server.send(method, asked).status_code == 401
        for kind, sent in wrong.items():
            status, detail = told(server.send(method, asked, headers={"authorization": f"Bearer {sent}"}))
            assert (status, type(detail)) == (401, str), (method, path, kind)
        assert told(server.send(method, asked, headers={"authorization": f"Bearer {strangers}"}))[0] == 403


def test_a_token_without_a_role_of_ours_opens_nothing(server: Server) -> None:
    stranger = Program(server, "offline_access")
    status, detail = told(server.send("GET", WHO, headers=stranger.bearer()))
    assert (status, "nx1_ingest" in detail) == (403, True)


def test_a_caller_that_asks_too_much_waits(tmp_path: Path) -> None:
    server = Server.start(tmp_path, rate_limit="1", rate_burst="3")
    sent = Program(server).bearer()
    answers = [server.send("GET", WHO, headers=sent).status_code for _ in range(4)]
    assert answers == [404, 404, 404, 429]
    server.database.dispose()


@proves("nexusone-access.personal-keys")
def test_a_key_is_shown_once_and_opens_what_its_owner_may(server: Server, program: Program) -> None:
    made = server.send("POST", WHO, content=b'{"description": "nightly"}', headers=program.bearer())
    assert made.status_code == 200
    key = made.json()["psk"]
    assert sorted(made.json()) == ["created_at", "description", "id", "message", "psk"]
    answer = server.send("GET", WHO, headers={"authorization-psk": key})
    assert key not in answer.text
    assert answer.json() == {
        "id": made.json()["id"],
        "user_id": "ann@example.org",
        "created_at": "2025-03-21T01:02:02.345678Z",
        "updated_at": "2025-03-21T01:02:02.345678Z",
        "is_active": True,
        "description": "nightly",
        "last_used_at": "2025-03-21T01:02:02.345678Z",
    }


@proves("nexusone-access.personal-keys")
def test_a_key_makes_no_key(server: Server, program: Program) -> None:
    key = server.send("POST", WHO, headers=program.bearer()).json()["psk"]
    for path in (WHO, f"{WHO}/regenerate"):
        assert told(server.send("POST", path, headers={"authorization-psk": key}))[0] == 403
    assert told(server.send("POST", WHO, headers=program.bearer()))[0] == 409
    new = server.send("POST", f"{WHO}/regenerate", headers=program.bearer()).json()["psk"]
    assert server.send("GET", WHO, headers={"authorization-psk": key}).status_code == 401
    assert server.send("DELETE", WHO, headers={"authorization-psk": new}).json() == "deleted"
    assert server.send("GET", WHO, headers={"authorization-psk": new}).status_code == 401
    assert told(server.send("POST", f"{WHO}/regenerate", headers=program.bearer()))[0] == 404


def test_what_is_wrong_with_a_description_is_told_with_its_place(server: Server, program: Program) -> None:
    for body in ({"description": 5}, {"description": "x" * 1001}, {"description": "a\0b"}):
        answer = server.send("POST", WHO, content=json.dumps(body).encode(), headers=program.bearer())
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "description"])


def test_a_body_that_is_too_large_is_not_read(server: Server, program: Program) -> None:
    body = b'"' + b"x" * 5_300_000 + b'"'
    answer = server.send("POST", WHO, content=body, headers=program.bearer())
    assert told(answer) == (413, "a body has at most 5242880 bytes")
    assert "connection" not in answer.headers
    # Who asks before sending sends none of it: the connection can't be used again.
    answer = server.send("POST", WHO, content=body, headers={**program.bearer(), "expect": "100-continue"})
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


def test_the_key_of_a_job_opens_nothing_else(server: Server) -> None:
    with server.database.transaction() as con:
        key = psks.create_for_job(con, account_id="main", owner_id="ann", job_id="7", now=server.clock.now())
    for method in ("GET", "POST", "DELETE"):
        assert told(server.send(method, WHO, headers={"authorization-psk": key}))[0] == 403


def test_keys_that_are_made_and_ended_are_written_down_without_what_opens(server: Server, program: Program) -> None:
    key = server.send("POST", WHO, headers=program.bearer()).json()["psk"]
    server.send("DELETE", WHO, headers=program.bearer())
    with server.database.reading() as con:
        entries, _ = audit.list(con, "main", filter=AuditFilter(who="ann@example.org"), page=Page(0, 10))
        rows = con.execute(select(psk_table)).all()
    assert [entry.action for entry in entries] == ["Change/revokePsk", "Change/createPsk"]
    assert key not in repr((entries, rows))


@proves("nexusone-access.token-endpoint")
def test_with_an_issuer_of_others_there_is_no_built_in_one(tmp_path: Path) -> None:
    server = Server.start(tmp_path, oidc_issuer="https://sso.example.org/realms/main")
    for method, path in (("POST", "/oauth/token"), ("GET", "/.well-known/jwks.json")):
        assert server.send(method, path).status_code == 404
    server.database.dispose()


@proves("nexusone-access.issuer-away")
def test_an_issuer_that_can_not_be_asked_is_told(tmp_path: Path, program: Program) -> None:
    server = Server.start(tmp_path, oidc_issuer="http://192.0.2.1/realms/main")
    answer = server.send("GET", WHO, headers=program.bearer())
    status, detail = told(answer)
    assert (status, "would be asked without TLS" in detail) == (503, True)
    assert "retry-after" in answer.headers
    server.database.dispose()
