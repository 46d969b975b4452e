"""A log as it grows, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool

MEDIA_TYPE = "text/event-stream"
_PAUSE_SECONDS = 0.5

Read = Callable[[int], tuple[Sequence[dict[str, Any]], bool]]


async def followed(read: Read, after: int) -> AsyncIterator[bytes]:
    """The pieces after one, each an event with its id, until `read` says that no more will come.

    While nothing comes a comment goes out, so that a caller who has left is noticed.
    """
    while True:
        pieces, ended = await run_in_threadpool(read, after)
        for piece in pieces:
            after = int(piece["id"])
            yield f"id: {after}\nevent: log\ndata: {json.dumps(piece)}\n\n".encode()
        if ended:
            yield b"event: end\ndata: {}\n\n"
            return
        if not pieces:
            yield b": waiting\n\n"
            await asyncio.sleep(_PAUSE_SECONDS)
