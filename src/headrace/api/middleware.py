"""The gateway as ASGI: a trace id on every answer, then URL, signature, rate, right and size, in this order.

The body is read here, since a signature does not cover it and no endpoint should wait for it in its thread.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headrace.api import gateway
from headrace.api.call import STATE, Call, Server
from headrace.api.gateway import TRACE_ID, Operation, Refusal
from headrace.api.throttle import Throttle
from headrace.auth.policy import allows
from headrace.auth.principal import Principal
from headrace.ids import new_id

log = logging.getLogger(__name__)


class Authenticate(Protocol):
    """Who signed a request, or why it is refused. Blocks: it reads the key."""

    def __call__(self, headers: Mapping[str, str], method: str, target: str, /) -> Principal | Refusal:
        """The caller, or the refusal."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may weigh."""

    body_bytes: int


class Traced:
    """Give every answer a trace id, and answer for what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace, begun = new_id(), False
        scope.setdefault("state", {})["trace_id"] = trace

        async def traced(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message)[TRACE_ID] = trace
            await send(message)

        try:
            await self._app(scope, receive, traced)
        except Exception as error:
            log.error("request failed", extra={"trace": trace, "path": scope["path"]}, exc_info=error)
            if not begun:
                await refuse(gateway.of_failure(error), scope, receive, traced)


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request that is for no open page."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        operation = self._find(scope["method"], scope["path"])
        answer = gateway.NO_URL if operation is None else await self._admit(operation, scope, receive)
        if isinstance(answer, Refusal):
            await refuse(answer, scope, receive, send)
            return
        scope.setdefault("state", {})[STATE] = answer
        await self._app(scope, receive, send)

    async def _admit(self, operation: Operation, scope: Scope, receive: Receive) -> Call | Refusal:
        headers = header_texts(scope)
        principal = await run_in_threadpool(self._authenticate, headers, scope["method"], target(scope))
        if isinstance(principal, Refusal):
            return principal
        if not self._throttle.admits(principal.access_key, seconds=self._server.clock.seconds()):
            return gateway.THROTTLED
        if not allows(principal.role, operation.action):
            return gateway.DENIED.saying(f"The role {principal.role} does not allow {operation.action}.")
        body = await read_body(headers, receive, self._limits.body_bytes)
        if body is None:
            return gateway.TOO_LARGE.saying(f"A body has at most {self._limits.body_bytes} bytes.")
        return Call(self._server, principal, headers, body)


def header_texts(scope: Scope) -> dict[str, str]:
    """The headers by their names in small letters; of one sent twice the first counts."""
    texts: dict[str, str] = {}
    for name, value in scope["headers"]:
        texts.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return texts


def target(scope: Scope) -> str:
    """Path and query as they stood in the request line, which is what is signed."""
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("utf-8", "surrogateescape")


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


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a refusal."""
    # What is left of a body that nobody reads must not be taken for the next request.
    headers = {"connection": "close"} if refusal.status == 413 else {}
    answer = Response(refusal.body(), refusal.status, headers, media_type="application/json")
    await answer(scope, receive, send)
