"""The server's HTTP edge: what is open to all, and behind the gateway the vendor's API."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from starlette.routing import Mount

from headrace import __version__
from headrace.api import gateway
from headrace.api.call import Server
from headrace.api.gateway import Refusal
from headrace.api.keyring import Keyring, Opened
from headrace.api.metrics import PATH as METRICS
from headrace.api.metrics import Queue, metrics
from headrace.api.middleware import Ahead, Gateway, Limits, Prefixed, Traced
from headrace.api.naver.operations import find
from headrace.api.naver.service import service
from headrace.api.nx1.entrance import add_nx1
from headrace.api.page import add_page
from headrace.api.throttle import Throttle
from headrace.api.watching import Watch
from headrace.auth import signature_v2
from headrace.auth.principal import Principal
from headrace.auth.secrets import Secrets
from headrace.clock import Clock
from headrace.core import keys
from headrace.db.session import Database
from headrace.errors import DatabaseFailed, SchemaMismatch, StoreError
from headrace.execution.machine import check_room
from headrace.settings import Settings, parse_size
from headrace.stores.access import mapped_nrns


def create_app(
    database: Database,
    settings: Settings,
    *,
    clock: Clock,
    secrets: Secrets,
    registry: CollectorRegistry | None = None,
    address: str = "",
) -> FastAPI:
    """The whole API over one database; it starts nothing and reads nothing until it is asked.

    `registry` has the figures of the rest of the process; they are told at /metrics, with those of the API.
    `address` is where the server listens.
    """
    server = Server(database, clock, settings, frozenset(mapped_nrns(settings)))
    figures = registry or CollectorRegistry()
    figures.register(Queue(database))
    app = FastAPI(title="Headrace", version=__version__, openapi_url=None, docs_url=None, redoc_url=None)
    app.add_api_route("/livez", livez, methods=["GET", "HEAD"])
    app.add_api_route("/readyz", partial(readyz, database, settings.data), methods=["GET", "HEAD"])
    app.add_api_route(METRICS, partial(metrics, figures, settings["metrics_token"]), methods=["GET"])
    add_page(app, prefix=settings["path_prefix"])
    add_nx1(app, server, settings, secrets=secrets, address=address)
    gate = Gateway(
        service(),
        server=server,
        find=find,
        authenticate=Authentication(server, secrets),
        throttle=Throttle(settings["rate_limit"], burst=settings["rate_burst"]),
        limits=Limits(body_bytes=parse_size(settings["body_limit"])),
    )
    rest = Mount("", app=gate)
    rest.path_regex = re.compile("/(?P<path>.*)", re.DOTALL)  # by itself it passes over a path with a line break
    app.router.routes.append(rest)
    app.add_middleware(Ahead, prefix="/api/v1/", to=gate)
    app.add_middleware(Traced, clock=clock, watch=Watch(figures))
    if settings["path_prefix"]:
        app.add_middleware(Prefixed, prefix=settings["path_prefix"])
    return app


def livez() -> JSONResponse:
    """Whether the process answers at all."""
    return JSONResponse({"status": "live"})


def readyz(database: Database, data: Path) -> JSONResponse:
    """Whether requests can be answered: the database and the data folder are there, and they can be used."""
    try:
        database.check_version()
        check_room(data)
    except (DatabaseFailed, SchemaMismatch, StoreError) as error:
        return JSONResponse({"status": "not ready", "reason": error.code}, 503)
    return JSONResponse({"status": "ready"})


class Authentication:
    """Who signed a request, or why it is refused; an unknown key and a revoked one are told the same."""

    def __init__(self, server: Server, secrets: Secrets) -> None:
        self._server = server
        self._secrets = secrets
        changes = partial(server.database.changes, keys.CHANGED)
        self._keyring = Keyring(self._read, seconds=server.clock.seconds, changes=changes)

    def at_once(self, headers: Mapping[str, str], method: str, target: str) -> Principal | Refusal | None:
        """The same without waiting; None when the key has to be read first."""
        signed = signature_v2.read(headers)
        if signed is None:
            return gateway.MISSING
        key = self._keyring.at_hand(signed.access_key)
        return None if key is None else self._judged(key, headers, method, target)

    def __call__(self, headers: Mapping[str, str], method: str, target: str) -> Principal | Refusal:
        """The caller, or the refusal."""
        signed = signature_v2.read(headers)
        if signed is None:
            return gateway.MISSING
        is_key = signed.access_key.isascii() and signed.access_key.isalnum()
        return self._judged(self._keyring.find(signed.access_key) if is_key else None, headers, method, target)

    def _judged(self, key: Opened | None, headers: Mapping[str, str], method: str, target: str) -> Principal | Refusal:
        now_ms = int(self._server.now().timestamp() * 1000)
        secret = None if key is None else key.secret
        reason = signature_v2.verify(headers, method, target=target, secret=secret, now_ms=now_ms)
        if reason is not None:
            return gateway.of_reason(reason, now_ms)
        return gateway.INVALID if key is None else key.principal

    def _read(self, access_key: str) -> Opened | None:
        with self._server.database.reading() as con:
            key = keys.find(con, access_key)
        if key is None or key.revoked_at is not None:
            return None
        return Opened(key.principal, self._secrets.open(key.secret, owner=key.access_key))
