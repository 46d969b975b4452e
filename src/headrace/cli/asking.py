"""Asking the API: of a server by signed requests, or of the database of this machine, by the same endpoints."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from headrace.errors import HeadraceError, JobInvalid, Problem, SettingInvalid

if TYPE_CHECKING:
    from headrace.settings import Settings

_PROBLEM = {"code": "code", "message": "message", "hint": "hint", "nodeId": "node_id", "node": "node", "field": "field"}

_THINGS = ("workflow", "trigger")


class Ask(Protocol):
    """Something that answers as the API does. `is_local` says that it is the database, asked without a server."""

    is_local: bool

    def __call__(self, method: str, target: str, body: object = None, /) -> Any:
        """What is answered, as JSON values. Raises Refused, or JobInvalid with every problem."""


class Refused(HeadraceError):
    """The API refused; `code` is its word for the kind, `status` the HTTP status."""

    code = "refused"

    def __init__(self, message: str, *, code: str, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status


@contextmanager
def asking(settings: "Settings") -> Iterator[Ask]:
    """A server when the settings have its `url`, else the database. Raises SettingInvalid without a key for a url."""
    if settings["url"]:
        from headrace.cli.remote import Remote

        if not (settings["access_key"] and settings["access_secret"]):
            hint = "set HEADRACE_ACCESS_KEY, and HEADRACE_ACCESS_SECRET or HEADRACE_ACCESS_SECRET_FILE"
            raise SettingInvalid(f"there is no key for {settings['url']}", hint=hint)
        yield Remote(
            settings["url"],
            access_key=settings["access_key"],
            secret=settings["access_secret"],
            ca_file=settings["ca_file"],
        )
        return
    from headrace.cli.local import local

    with local(settings) as ask:
        yield ask


def read(status: int, body: bytes) -> Any:
    """An answer's JSON. Raises what it says when it is a refusal."""
    try:
        answer = json.loads(body)
    except ValueError:
        hint = "is the url that of a Headrace server, with its path prefix?"
        raise Refused(f"the answer {status} is not JSON", code="no-answer", status=status, hint=hint) from None
    if status < 400:
        return answer
    raise _refusal(status, answer if isinstance(answer, dict) else {})


def _refusal(status: int, answer: Mapping[str, Any]) -> HeadraceError:
    gateway = answer.get("error")
    if isinstance(gateway, dict):
        code = f"gateway-{gateway.get('errorCode')}"
        return Refused(f"{gateway.get('message')}: {gateway.get('details')}", code=code, status=status)
    about = next((thing for thing in _THINGS if f"/{thing}s" in str(answer.get("instance"))), "job")
    problems = [_problem(each, about) for each in answer.get("problems", ())]
    if problems:
        return JobInvalid(problems)
    return Refused(str(answer.get("detail", status)), code=str(answer.get("errorType", "refused")), status=status)


def _problem(told: Mapping[str, Any], about: str) -> Problem:
    return Problem(**{ours: told[theirs] for theirs, ours in _PROBLEM.items() if theirs in told}, subject=about)
