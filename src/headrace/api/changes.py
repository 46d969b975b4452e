"""A change that is asked for: one transaction with what is known of its repetition, and with its row of the audit log.

An endpoint that changes something says what it does to the database, and gives the answer with what was done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Response

from headrace.api.call import Call
from headrace.auth.signature_v2 import SIGNATURE
from headrace.core import audit, repeats
from headrace.core.audit import Deed, Origin
from headrace.core.repeats import Answer, Asked
from headrace.db import Connection
from headrace.errors import Denied, HeadraceError, NotGranted, Repeated

IDEMPOTENCY_KEY = "idempotency-key"
REPLAYED = "x-headrace-replayed"
PAYLOAD = "x-ncp-dataflow-payload"
_OWN = ("content-length", "content-type")
_PREFIX = "/api/v1/"
_MOST_SIGNS = 500


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done, to what (`jobs/<id>`), and what is answered."""

    resource: str
    response: Response
    detail: Mapping[str, object] = field(default_factory=dict)


def changed(call: Call, change: Callable[[Connection], Changed]) -> Response:
    """Do the change, or give again what was answered when it was asked for the first time under its own key."""
    asked, now = _asked(call), call.server.now()
    with call.server.database.transaction() as con:
        first = repeats.first_answer(con, call.principal, asked, now=now.timestamp())
        if first is not None:
            return _again(first)
        done = change(con)
        repeats.keep(con, call.principal, asked, _kept(done.response))
        noted(con, call, Deed(call.operation.action, done.resource, "done", done.detail))
    return done.response


def refused(call: Call, error: HeadraceError) -> None:
    """Remember the signature of a change that was not made, and write down when it was not allowed."""
    if not call.operation.changes or isinstance(error, Repeated):
        return
    with call.server.database.transaction() as con:
        repeats.see(con, call.principal, _asked(call), now=call.server.now().timestamp())
        if isinstance(error, Denied | NotGranted):
            _write_denied(con, call, str(error))


def denied(call: Call, reason: str) -> None:
    """Write down that a change was not allowed."""
    with call.server.database.transaction() as con:
        _write_denied(con, call, reason)


def noted(con: Connection, call: Call, deed: Deed) -> None:
    """Write down what a call does, in the transaction that does it."""
    origin = Origin(call.peer, call.trace_id)
    audit.write(con, call.principal, deed, origin=origin, now=call.server.now())


def _write_denied(con: Connection, call: Call, reason: str) -> None:
    resource = call.target.partition("?")[0].partition(_PREFIX)[2]
    noted(con, call, Deed(call.operation.action, resource, "denied", {"reason": reason[:_MOST_SIGNS]}))


def _asked(call: Call) -> Asked:
    signature = call.headers.get(SIGNATURE, "")
    # What a header asks for is as little signed as the body.
    said = call.body + call.headers.get(PAYLOAD, "").encode("latin-1", "replace")
    return Asked(call.operation.method, call.target, signature, said, call.headers.get(IDEMPOTENCY_KEY))


def _kept(response: Response) -> Answer:
    headers = {name: value for name, value in response.headers.items() if name not in _OWN}
    return Answer(response.status_code, headers, bytes(response.body).decode())


def _again(first: Answer) -> Response:
    headers = {**first.headers, REPLAYED: "true"}
    return Response(first.body, first.status, headers, media_type="application/json")
