"""The gateway as ASGI: a trace id on every answer, then URL, signature, rate, right and size, in this order.

The body is read here, since a signature does not cover it and no endpoint should wait for it in its thread.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headrace.api import gateway
from headrace.api.call import STATE, Call, Server
from headrace.api.changes import denied
from headrace.api.gateway import TRACE_ID, Operation, Refusal
from headrace.api.guesses import Guesses
from headrace.api.throttle import Throttle
from headrace.api.watching import Answered
from headrace.auth.principal import Principal
from headrace.auth.signature_v2 import ACCESS_KEY
from headrace.clock import Clock
from headrace.ids import new_id

PREFIX, OPERATION = "prefix", "operation"
# The client had left before there was an answer.
_LEFT = 499

log = logging.getLogger(__name__)


class Authenticate(Protocol):
    """Who signed a request, or why it is refused."""

    def at_once(self, headers: Mapping[str, str], method: str, target: str, /) -> Principal | Refusal | None:
        """The caller, or the refusal; None when that can't be told without waiting."""

    def __call__(self, headers: Mapping[str, str], method: str, target: str, /) -> Principal | Refusal:
        """The caller, or the refusal. Blocks: it reads the key."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may weigh."""

    body_bytes: int


class Prefixed:
    """Take away what a proxy puts before all paths, if it did not do so itself. Clients sign it in either case."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "http":
            scope.setdefault("state", {})[PREFIX] = self._prefix
            if scope["path"] == self._prefix or scope["path"].startswith(f"{self._prefix}/"):
                # No sign of the prefix is ever encoded, so that it is as long in both.
                raw: bytes = scope.get("raw_path") or b""
                scope["path"] = scope["path"][len(self._prefix) :] or "/"
                scope["raw_path"] = raw[len(self._prefix) :] or (raw and b"/")
        await self._app(scope, receive, send)


class Ahead:
    """Hand on what begins with `prefix` at once: to look through all routes takes longer than many a request."""

    def __init__(self, app: ASGIApp, *, prefix: str, to: ASGIApp) -> None:
        self._app = app
        self._prefix = prefix
        self._to = to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        ahead = scope["type"] == "http" and scope["path"].startswith(self._prefix)
        await (self._to if ahead else self._app)(scope, receive, send)


class Traced:
    """Give every answer a trace id, answer for what nobody caught, and tell of each request when it is over."""

    def __init__(self, app: ASGIApp, *, clock: Clock, watch: Callable[[Answered], None]) -> None:
        self._app = app
        self._clock = clock
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace, status, since = new_id(), 0, self._clock.seconds()
        scope.setdefault("state", {})["trace_id"] = trace

        async def traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[TRACE_ID] = trace
            await send(message)

        try:
            await self._app(scope, receive, traced)
        except Exception as error:
            log.error("request failed", extra={"trace": trace, "path": scope["path"]}, exc_info=error)
            if not status:
                await refuse(gateway.of_failure(error), scope, receive, traced)
        finally:
            self._watch(_answered(scope, trace, status, self._clock.seconds() - since))


class Gateway:
    """Let through what is signed, allowed and small enough; refuse all else in the gateway's own shape."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        server: Server,
        find: Callable[[str, str], Operation | None],
        authenticate: Authenticate,
        throttle: Throttle,
        limits: Limits,
    ) -> None:
        self._app = app
        self._server = server
        self._find = find
        self._authenticate = authenticate
        self._throttle = throttle
        self._limits = limits
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request that is for no open page."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        operation = self._find(scope["method"], scope["path"])
        scope.setdefault("state", {})[OPERATION] = "" if operation is None else operation.name
        answer = gateway.NO_URL if operation is None else await self._admit(operation, scope, receive)
        if isinstance(answer, Refusal):
            await refuse(answer, scope, receive, send)
            return
        scope["state"][STATE] = answer
        await self._app(scope, receive, send)

    async def _admit(self, operation: Operation, scope: Scope, receive: Receive) -> Call | Refusal:
        headers = header_texts(scope)
        principal = await self._signed(scope, headers)
        if isinstance(principal, Refusal):
            return principal
        if not self._throttle.admits(principal.access_key, seconds=self._server.clock.seconds()):
            return gateway.THROTTLED
        call = Call(
            server=self._server,
            principal=principal,
            operation=operation,
            headers=headers,
            body=b"",
            target=target(scope),
            peer=peer(scope),
            trace_id=scope["state"]["trace_id"],
        )
        if not principal.may(operation.action):
            told = f"The key's rights do not allow {operation.action}."
            if operation.changes:
                await run_in_threadpool(denied, call, told)
            return gateway.DENIED.saying(told)
        body = await read_body(headers, receive, self._limits.body_bytes)
        if body is None:
            return gateway.TOO_LARGE.saying(f"A body has at most {self._limits.body_bytes} bytes.")
        return replace(call, body=body)

    async def _signed(self, scope: Scope, headers: Mapping[str, str]) -> Principal | Refusal:
        """Who signed it; who may be guessing is not even looked at."""
        seconds, key = self._server.clock.seconds(), headers.get(ACCESS_KEY, "")
        if self._guesses.hold_back(peer(scope), key, seconds=seconds):
            return gateway.GUESSED
        asked = headers, scope["method"], target(scope)
        principal = self._authenticate.at_once(*asked)
        if principal is None:
            principal = await run_in_threadpool(self._authenticate, *asked)
        if principal is gateway.INVALID:
            self._guesses.failed(peer(scope), seconds=seconds)
        elif isinstance(principal, Principal):
            self._guesses.proven(peer(scope), key, seconds=seconds)
        return principal


def header_texts(scope: Scope) -> dict[str, str]:
    """The headers by their names in small letters; of one sent twice the first counts."""
    texts: dict[str, str] = {}
    for name, value in scope["headers"]:
        texts.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return texts


def target(scope: Scope) -> str:
    """Path and query as the client sent them, which is what is signed."""
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    query: bytes = scope["query_string"]
    sent = (path + b"?" + query if query else path).decode("utf-8", "surrogateescape")
    return f"{scope.get('state', {}).get(PREFIX, '')}{sent}"


def _answered(scope: Scope, trace: str, status: int, seconds: float) -> Answered:
    state = scope["state"]
    client, call = scope.get("client"), state.get(STATE)
    return Answered(
        trace=trace,
        method=scope["method"],
        target=target(scope),
        operation=state.get(OPERATION, ""),
        status=status or _LEFT,
        seconds=seconds,
        peer=str(client[0]) if client else "",
        access_key=call.principal.access_key if isinstance(call, Call) else "",
    )


def peer(scope: Scope) -> str:
    """The address that a request came from."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


async def read_body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes | None:
    """The whole body, or None when it is larger than it may be; then the rest is left unread."""
    told = headers.get("content-length", "0")
    if not (told.isascii() and told.isdecimal() and len(told) < 20 and int(told) <= most):
        return None
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > most:
            return None
        pieces.append(piece)
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return b"".join(pieces)


def unread(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of an answer to a request whose body was not read to its end.

    The web server throws the rest away as it comes: were the connection closed, who still sends it would never see the
    answer. Who asked before sending it (`Expect`) sends none now, and the next request must not be taken for it.
    """
    return {"connection": "close"} if "expect" in headers else {}


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a refusal."""
    headers = unread(header_texts(scope))
    answer = Response(refusal.body(), refusal.status, headers, media_type="application/json")
    await answer(scope, receive, send)
