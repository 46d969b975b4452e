"""NexusOne's dialect described as OpenAPI, with the ways to come in."""

from typing import Any

from fastapi import FastAPI

from headrace.api.nx1.files import DESCRIBED, UPLOAD
from headrace.api.nx1.issuer import TOKEN

Json = dict[str, Any]
_TOKEN, _KEY = "OAuth2", "AuthorizationPSK"
_HEADER = "Authorization-PSK"


def described(service: FastAPI, *, issuer: str, prefix: str) -> Json:
    """The endpoints of the service. Without an issuer the page gets tokens from the server itself."""
    found = service.openapi()
    found["info"]["description"] = "Send a bearer token, or a key that was made with one at /api/user/psk."
    schemes = {_TOKEN: _of_others(issuer) if issuer else _of_our_own(prefix)}
    schemes[_KEY] = {"type": "apiKey", "in": "header", "name": _HEADER}
    components = {**found.get("components", {}), "securitySchemes": schemes}
    found["paths"][UPLOAD] = {"post": DESCRIBED}
    told = {**found, "components": components, "security": [{_TOKEN: []}, {_KEY: []}]}
    return {**told, "servers": [{"url": prefix}]} if prefix else told


def _of_our_own(prefix: str) -> Json:
    flow = {"tokenUrl": prefix + TOKEN, "scopes": {"profile": "what every token has"}}
    said = "The built-in issuer: `headrace clients create` makes a client."
    return {"type": "oauth2", "description": said, "flows": {"clientCredentials": flow}}


def _of_others(issuer: str) -> Json:
    said = f"A token of {issuer}."
    return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": said}
