"""The server's HTTP edge: what is open to all, and behind the gateway the vendor's API."""

from collections.abc import Mapping
from functools import partial

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from starlette.routing import Mount

from headrace import __version__
from headrace.api import gateway
from headrace.api.call import Server
from headrace.api.gateway import Refusal
from headrace.api.metrics import PATH as METRICS
from headrace.api.metrics import Queue, metrics
from headrace.api.middleware import Gateway, Limits, Prefixed, Traced
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
from headrace.errors import DatabaseFailed, SchemaMismatch
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
    app.add_api_route("/livez", livez, methods=["GET"])
    app.add_api_route("/readyz", partial(readyz, database), methods=["GET"])
    app.add_api_route(METRICS, partial(metrics, figures, settings["metrics_token"]), methods=["GET"])
    add_page(app, prefix=settings["path_prefix"])
    add_nx1(app, server, settings, secrets=secrets, address=address)
    gate = Gateway(
        service(),
        server=server,
        find=find,
        authenticate=partial(authenticate, server, secrets),
        throttle=Throttle(settings["rate_limit"], burst=settings["rate_burst"]),
        limits=Limits(body_bytes=parse_size(settings["body_limit"])),
    )
    app.router.routes.append(Mount("", app=gate))
    app.add_middleware(Traced, clock=clock, watch=Watch(figures))
    if settings["path_prefix"]:
        app.add_middleware(Prefixed, prefix=settings["path_prefix"])
    return app


def livez() -> JSONResponse:
    """Whether the process answers at all."""
    return JSONResponse({"status": "live"})


def readyz(database: Database) -> JSONResponse:
    """Whether requests can be answered: the database is there, and its tables are this program's."""
    try:
        database.check_version()
    except (DatabaseFailed, SchemaMismatch) as error:
        return JSONResponse({"status": "not ready", "reason": error.code}, 503)
    return JSONResponse({"status": "ready"})


def authenticate(
    server: Server, secrets: Secrets, headers: Mapping[str, str], method: str, target: str
) -> Principal | Refusal:
    """Who signed a request, or why it is refused; an unknown key and a revoked one are told the same."""
    now_ms = int(server.now().timestamp() * 1000)
    signed = signature_v2.read(headers)
    if signed is None:
        return gateway.MISSING
    key = None
    if signed.access_key.isascii() and signed.access_key.isalnum():
        with server.database.reading() as con:
            key = keys.find(con, signed.access_key)
    if key is not None and key.revoked_at is not None:
        key = None
    secret = None if key is None else secrets.open(key.secret, owner=key.access_key)
    reason = signature_v2.verify(headers, method, target=target, secret=secret, now_ms=now_ms)
    if reason is not None:
        return gateway.of_reason(reason, now_ms)
    return gateway.INVALID if key is None else key.principal
