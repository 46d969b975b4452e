"""What is told when something is wrong: `{"detail": …}`, and of a body each fault with its place."""

import re

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from headrace.errors import (
    BadParameter,
    BadState,
    Conflict,
    HeadraceError,
    NotBuilt,
    NotFound,
    NotGranted,
    Problem,
    StoreError,
)

_STATUS: dict[type[HeadraceError], int] = {
    NotFound: 404,
    BadState: 409,
    Conflict: 409,
    NotBuilt: 501,
    StoreError: 503,
}


def add_faults(app: FastAPI) -> None:
    """Let the application tell our errors in the dialect's shape."""
    app.add_exception_handler(HeadraceError, told)
    app.add_exception_handler(RequestValidationError, invalid)


def told(request: Request, error: Exception) -> Response:
    """An error of ours; what is none of the caller's business goes on to the log."""
    del request
    if isinstance(error, BadParameter):
        return JSONResponse({"detail": [_entry(problem) for problem in error.problems]}, 422)
    if isinstance(error, NotGranted):
        return JSONResponse({"detail": "; ".join(_said(problem) for problem in error.problems)}, 403)
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            return JSONResponse({"detail": str(error)}, status)
    raise error


def invalid(request: Request, error: Exception) -> Response:
    """A body or a query of another form. What was sent is not sent back: it may hold a secret."""
    del request
    assert isinstance(error, RequestValidationError)
    found = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
    return JSONResponse({"detail": found}, 422)


def _entry(problem: Problem) -> dict[str, object]:
    parts = re.findall(r"[^.\[\]]+", problem.field.removeprefix("triggerRule.").replace("timeZone", "schedule"))
    loc = ["schedule" if part == "cron" else int(part) if part.isdecimal() else part for part in parts]
    return {"loc": ["body", *loc], "msg": _said(problem), "type": problem.code}


def _said(problem: Problem) -> str:
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message
