"""The API pages, one for each dialect: Swagger UI from a package that has its files, and nobody outside is asked."""

from functools import cache, partial
from importlib.resources import files

from fastapi import FastAPI, Response
from fastapi.responses import RedirectResponse

from headrace.api.naver.contract import Json, described

_OURS, _THEIRS = "headrace.api", "fastapi_offline"
_FILES = {
    "/docs": (_OURS, "pages/docs.html", "text/html"),
    "/docs/docs.js": (_OURS, "pages/docs.js", "text/javascript"),
    "/docs/nexusone": (_OURS, "pages/nexusone.html", "text/html"),
    "/docs/nexusone.js": (_OURS, "pages/nexusone.js", "text/javascript"),
    "/docs/swagger-ui-bundle.js": (_THEIRS, "static/swagger-ui-bundle.js", "text/javascript"),
    "/docs/swagger-ui.css": (_THEIRS, "static/swagger-ui.css", "text/css"),
}
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


def add_page(app: FastAPI, *, prefix: str) -> None:
    """The pages and the description that the first one shows, open to all. Clients put `prefix` before all paths."""
    # Who opens the address that the server says it listens on finds the page.
    app.add_api_route("/", partial(_to_page, prefix), methods=["GET"], response_class=Response)
    app.add_api_route("/openapi.json", partial(_description, prefix), methods=["GET"])
    for path in _FILES:
        app.add_api_route(path, partial(_file, path), methods=["GET"], response_class=Response)


def _to_page(prefix: str) -> Response:
    return RedirectResponse(f"{prefix}/docs")


def _description(prefix: str) -> Json:
    return {**described(), "servers": [{"url": prefix}]} if prefix else described()


def _file(path: str) -> Response:
    package, name, media_type = _FILES[path]
    return Response(_read(package, name), media_type=media_type, headers={"content-security-policy": _POLICY})


@cache
def _read(package: str, name: str) -> bytes:
    return files(package).joinpath(name).read_bytes()
