"""A real child, and orders for it over a folder of buckets."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import TypeVar

from headrace.clock import SystemClock
from headrace.engines.base import Progress
from headrace.execution.children import Gone, Process, environment
from headrace.execution.lines import CommitAsked, FromChild, Log, Order, Ready, Script
from headrace.settings import load_settings
from tests.support.command import Place
from tests.support.jobs import Json, job, source, target

L = TypeVar("L")
LIMIT = 30.0


class Heard:
    """What a child said, in order."""

    def __init__(self) -> None:
        self.lines: Queue[FromChild | Gone] = Queue()

    def next(self, *, skipping: tuple[type, ...] = (Log, Script, Progress)) -> FromChild | Gone:
        """The next line that is none of these."""
        while isinstance(line := self.lines.get(timeout=LIMIT), skipping):
            pass
        return line

    def expect(self, kind: type[L]) -> L:
        """The next line, which has to be of this kind."""
        line = self.next()
        assert isinstance(line, kind), line
        return line


@contextmanager
def child(place: Place, **more: str) -> Iterator[tuple[Process, Heard]]:
    """A child that is ready; killed at the end."""
    heard = Heard()
    settings = load_settings({"data": str(place.root), "writer_wait": "0", **more}, {}, place.root)
    process = Process(environment(settings, workers=1), heard.lines.put)
    try:
        assert isinstance(heard.next(), Ready)
        yield process, heard
    finally:
        process.signal(signal.SIGKILL)


def soon(seconds: float) -> float:
    """The moment after so many seconds, as a child is told it."""
    return SystemClock().seconds() + seconds


def order(*nodes: Json, execution_id: str = "run1", seconds: float = LIMIT, **more: object) -> Order:
    """An order for a job of these nodes, with a lease of so many seconds; without nodes it copies `in` to `out`."""
    text = json.dumps(job(*(nodes or (source(), target())), **more))
    return Order(execution_id, "job", 1, text, {}, "", 0, soon(seconds))


def asked(heard: Heard) -> CommitAsked:
    """Wait until the child asks whether it may commit."""
    return heard.expect(CommitAsked)
