"""NexusOne's dialect described as OpenAPI, with the ways to come in."""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from headrace.api.nx1.files import DESCRIBED, UPLOAD
from headrace.api.nx1.issuer import TOKEN
from headrace.api.nx1.models import PROPERTIES

Json = dict[str, Any]
_TOKEN, _KEY = "OAuth2", "AuthorizationPSK"
_HEADER = "Authorization-PSK"


def described(service: FastAPI, *, issuer: str, prefix: str) -> Json:
    """The endpoints of the service. Without an issuer the page gets tokens from the server itself."""
    found = service.openapi()
    found["info"]["description"] = "Send a bearer token, or a key that was made with one at /api/user/psk."
    schemes = {_TOKEN: _of_others(issuer) if issuer else _of_our_own(prefix)}
    schemes[_KEY] = {"type": "apiKey", "in": "header", "name": _HEADER}
    own = found.get("components", {})
    components = {**own, "schemas": {**own.get("schemas", {}), **properties()}, "securitySchemes": schemes}
    found["paths"][UPLOAD] = {"post": DESCRIBED}
    told = {**found, "components": components, "security": [{_TOKEN: []}, {_KEY: []}]}
    return {**told, "servers": [{"url": prefix}]} if prefix else told


def properties() -> Json:
    """The JSON Schemas of what `properties_json` holds, which no endpoint names: it is sent as a text."""
    kinds = [(kind, "validation") for kind in PROPERTIES.values()]
    _, found = models_json_schema(kinds, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]  # a Literal
    return dict(found["$defs"])


def _of_our_own(prefix: str) -> Json:
    flow = {"tokenUrl": prefix + TOKEN, "scopes": {"profile": "what every token has"}}
    said = "The built-in issuer: `headrace clients create` makes a client."
    return {"type": "oauth2", "description": said, "flows": {"clientCredentials": flow}}


def _of_others(issuer: str) -> Json:
    said = f"A token of {issuer}."
    return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": said}
