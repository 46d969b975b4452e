"""The built-in issuer's own endpoints: tokens for a client's secret, its keys, and where both are.

NexusOne leaves this to Keycloak; these are Headrace's, for machines without one. The token's address answers at
Keycloak's path, too, so that a client need change the host alone.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.routing import Route

from headrace.api.call import Server
from headrace.api.nx1.gate import AUTHORIZATION
from headrace.api.nx1.middleware import Form
from headrace.auth import discovery
from headrace.auth.tokens import ALGORITHM
from headrace.core import clients
from headrace.service.tokens import LIFE_SECONDS, Issuer

TOKEN = "/oauth/token"
_AT_KEYCLOAKS = "/realms/{realm}/protocol/openid-connect/token"
_KEYS = "/.well-known/jwks.json"
_UNKEPT = {"cache-control": "no-store", "pragma": "no-cache"}
_MOST_FIELDS = 20


class FormWrong(Exception):
    """A form that is not as the standard wants it: `error` is the standard's word for why."""

    def __init__(self, error: str, detail: str, *, status: int = 400) -> None:
        super().__init__(detail)
        self.error, self.detail, self.status = error, detail, status


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Tokens for who knows a client's secret (RFC 6749, section 4.4)."""

    server: Server
    issuer: Issuer

    def __call__(self, headers: Mapping[str, str], body: bytes) -> JSONResponse:
        """The answer to a form."""
        try:
            return JSONResponse(self._granted(headers, body), headers=_UNKEPT)
        except FormWrong as wrong:
            challenge = {"www-authenticate": 'Basic realm="headrace"'} if wrong.status == 401 else {}
            told = {"error": wrong.error, "error_description": wrong.detail}
            return JSONResponse(told, wrong.status, headers={**_UNKEPT, **challenge})

    def _granted(self, headers: Mapping[str, str], body: bytes) -> dict[str, object]:
        form = _read(body)
        client_id, secret = _credentials(headers, form)
        grant = form.get("grant_type", "")
        if not grant:
            raise FormWrong("invalid_request", "grant_type is missing")
        if grant != "client_credentials":
            raise FormWrong("unsupported_grant_type", "this server knows client_credentials only")
        with self.server.database.reading() as con:
            client = clients.proven(con, client_id, secret)
        if client is None:
            raise FormWrong("invalid_client", "the client is unknown or revoked, or its secret is wrong", status=401)
        return {
            "access_token": self.issuer.token(client, now=self.server.now()),
            "expires_in": LIFE_SECONDS,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": form.get("scope", "profile"),
        }


def add_issuer(app: FastAPI, server: Server, issuer: Issuer, *, base: str) -> None:
    """Its endpoints, open to all. `base` is the address that clients know the server by."""
    endpoint = Form(TokenEndpoint(server, issuer))
    for path in (TOKEN, _AT_KEYCLOAKS):
        app.router.routes.append(Route(path, endpoint=endpoint, methods=["POST"]))
    document = {
        "issuer": issuer.address,
        "token_endpoint": base + TOKEN,
        "jwks_uri": base + _KEYS,
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "x_headrace_built_in": True,
    }

    def described() -> JSONResponse:
        return JSONResponse(document)

    def keys() -> JSONResponse:
        return JSONResponse({"keys": [dict(key) for key in issuer.published(server.now())]})

    app.add_api_route(discovery.PATH, described, methods=["GET"])
    app.add_api_route(_KEYS, keys, methods=["GET"])


def _read(body: bytes) -> dict[str, str]:
    """The fields of a form. None may come twice."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, encoding="utf-8", errors="strict"
        )
    except ValueError:
        raise FormWrong("invalid_request", "the body is no form: send name=value&name=value") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise FormWrong("invalid_request", "a field comes twice")
    return form


def _credentials(headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[str, str]:
    """Who asks, and by what secret: from the form, or from HTTP's own header."""
    given = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, rest = headers.get(AUTHORIZATION, "").partition(" ")
    if not scheme:
        return given
    if scheme.lower() != "basic" or given[1]:
        raise FormWrong("invalid_request", "send client_id and client_secret in the form or as HTTP Basic, not both")
    try:
        name, sign, secret = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        name, sign, secret = "", "", ""
    if not sign:
        raise FormWrong("invalid_client", "the header Authorization can't be read", status=401)
    return unquote_plus(name), unquote_plus(secret)
