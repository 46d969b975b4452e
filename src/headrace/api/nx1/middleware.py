"""The gate of NexusOne's dialect as ASGI: nothing behind it is reached by one who was not let in."""

from collections.abc import Callable, Mapping
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headrace.api.middleware import header_texts, read_body, unread
from headrace.api.nx1.gate import CALLER, Admit, Caller, Refused, only_status
from headrace.api.throttle import Throttle
from headrace.clock import Clock

_MOST_OF_A_FORM = 16_384
_THROTTLED = Refused(429, "too many requests by this caller; try again in a moment", {"retry-after": "1"})


class Gate:
    """Let through who is known and not too eager, with the caller beside the request; tell all others why not.

    `most` says how many bytes the body of a request may have, by its method and path. `open_paths` are for everybody:
    the page, and whether the service is there; who asks them sends no body.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        admit: Admit,
        throttle: Throttle,
        clock: Clock,
        most: Callable[[str, str], int],
        open_paths: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self._app = app
        self._admit = admit
        self._throttle = throttle
        self._clock = clock
        self._most = most
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = header_texts(scope)
        if (scope["method"], scope["path"]) in self._open_paths:
            await self._app(scope, _bounded(receive, 0, unread(headers)), send)
            return
        answer = self._admit.at_once(headers) or await run_in_threadpool(self._admit, headers)
        if isinstance(answer, Caller):
            answer = self._refused(answer, scope) or answer
        if isinstance(answer, Refused):
            told = {**answer.headers, **unread(headers)}
            await Response(answer.body(), answer.status, told, media_type="application/json")(scope, receive, send)
            return
        scope.setdefault("state", {})[CALLER] = answer
        most = self._most(scope["method"], scope["path"])
        await self._app(scope, _bounded(receive, most, unread(headers)), send)

    def _refused(self, caller: Caller, scope: Scope) -> Refused | None:
        if not self._throttle.admits(f"{caller.way} {caller.owner_id}", seconds=self._clock.seconds()):
            return _THROTTLED
        return only_status(caller, scope["method"], scope["path"])


def _bounded(receive: Receive, most: int, unread_headers: Mapping[str, str]) -> Receive:
    """What a request brings, until it is more than it may be: then it is answered so, and the rest is left unread."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise HTTPException(413, f"a body has at most {most} bytes", unread_headers)
        return message

    return bounded


class Form:
    """A small form, read whole and answered in a thread."""

    def __init__(self, answer: Callable[[Mapping[str, str], bytes], Response]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers = header_texts(scope)
        body = await read_body(headers, receive, _MOST_OF_A_FORM)
        too_large = JSONResponse({"error": "invalid_request"}, 413, unread(headers))
        answer = too_large if body is None else await run_in_threadpool(self._answer, headers, body)
        await answer(scope, receive, send)


class Taker(Protocol):
    """What takes a body piece by piece. All of it blocks."""

    def feed(self, data: bytes, /) -> None:
        """The next bytes."""

    def finish(self) -> Response:
        """The answer, when all has come."""

    def discard(self) -> None:
        """Leave nothing: the rest does not come, or something is wrong."""


class Streamed:
    """A large body, taken as it comes and never held: each piece is waited for here, and used in a thread."""

    def __init__(self, begin: Callable[[Request], Taker]) -> None:
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        taker = await run_in_threadpool(self._begin, request)
        try:
            async for piece in request.stream():
                await run_in_threadpool(taker.feed, piece)
            answer = await run_in_threadpool(taker.finish)
        except ClientDisconnect:
            await run_in_threadpool(taker.discard)
            return
        except BaseException:
            await run_in_threadpool(taker.discard)
            raise
        await answer(scope, receive, send)


def caller_of(request: Request) -> Caller:
    """The caller that the gate has put beside the request."""
    caller = request.scope["state"][CALLER]
    assert isinstance(caller, Caller)
    return caller


async def calling(request: Request) -> Caller:
    """The same for endpoints that ask for it: a thread would take longer than it does."""
    return caller_of(request)
