"""The way into NexusOne's dialect: the built-in issuer or the one that is set, and the gate before all endpoints."""

from functools import partial

from fastapi import FastAPI
from starlette.routing import Route

from headrace import __version__
from headrace.api.call import Server
from headrace.api.nx1 import contract
from headrace.api.nx1.admission import Admission, of_issuer, of_our_own
from headrace.api.nx1.faults import add_faults
from headrace.api.nx1.files import UPLOAD, file_routes
from headrace.api.nx1.ingestion import ingestion_routes
from headrace.api.nx1.issuer import add_issuer
from headrace.api.nx1.jobs import Jobs, job_routes
from headrace.api.nx1.middleware import Gate
from headrace.api.nx1.planned import AREAS, planned_routes
from headrace.api.nx1.psks import psk_routes
from headrace.api.nx1.receiving import ROUND_BYTES
from headrace.api.throttle import Throttle
from headrace.auth.secrets import Secrets
from headrace.errors import SettingInvalid
from headrace.execution.places import Stores
from headrace.service.tokens import Issuer
from headrace.settings import Settings, parse_size

_OURS = ("user", "jobs", "files", "health", *AREAS)
_OPEN = frozenset({("GET", "/api/health/ping")})


def add_nx1(app: FastAPI, server: Server, settings: Settings, *, secrets: Secrets, address: str) -> None:
    """The dialect, before what takes all other paths. `address` is where the server listens."""
    if settings["uploads"] == settings["warehouse"]:
        raise SettingInvalid("uploads and warehouse are the same bucket", hint="files would stand among the tables")
    service = _service(server, settings)
    described = partial(contract.described, service, issuer=settings["oidc_issuer"], prefix=settings["path_prefix"])
    app.add_api_route("/docs/nexusone.json", described, methods=["GET"])
    admission = _admission(app, server, settings, secrets=secrets, address=address)
    body_bytes, form_bytes = parse_size(settings["body_limit"]), parse_size(settings["upload_limit"]) + ROUND_BYTES
    gate = Gate(
        service,
        admit=admission,
        throttle=Throttle(settings["rate_limit"], burst=settings["rate_burst"]),
        clock=server.clock,
        most=lambda method, path: form_bytes if (method, path) == ("POST", UPLOAD) else body_bytes,
        open_paths=_OPEN,
    )
    for path in (path for area in _OURS for path in (f"/api/{area}", f"/api/{area}/{{rest:path}}")):
        app.router.routes.append(Route(path, endpoint=gate))


def _admission(app: FastAPI, server: Server, settings: Settings, *, secrets: Secrets, address: str) -> Admission:
    if settings["oidc_issuer"]:
        return of_issuer(server, settings)
    base = settings["public_url"] or address or f"http://{settings['host']}:{settings['port']}"
    issuer = Issuer(server.database, secrets, base, settings["oidc_audience"] or "headrace")
    add_issuer(app, server, issuer, base=base)
    return of_our_own(server, issuer)


def _service(server: Server, settings: Settings) -> FastAPI:
    app = FastAPI(
        title="Headrace: NexusOne's dialect",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
    )
    add_faults(app)
    app.include_router(psk_routes(server))
    jobs = Jobs(server, Stores(settings), settings)
    app.include_router(job_routes(jobs))
    app.include_router(ingestion_routes(jobs, settings))
    app.include_router(file_routes(server, settings))
    app.include_router(planned_routes())
    return app
