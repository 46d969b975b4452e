"""Waiting for an execution: its log as it grows, its end, and what a signal means meanwhile."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from headrace.cli.asking import Ask
from headrace.cli.running import DONE, FAILED, INTERRUPTED, TERMINATED

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
_BIG_PAGE = 1000

Piece = Mapping[str, Any]


class Signals:
    """The signal that came, and an event that wakes who waits."""

    def __init__(self) -> None:
        self.number = 0
        self.came = threading.Event()

    @property
    def code(self) -> int:
        """The exit code of who was stopped by it."""
        return INTERRUPTED if self.number == signal.SIGINT else TERMINATED


@contextmanager
def heard() -> Iterator[Signals]:
    """Hear Ctrl-C and SIGTERM; a second one ends the process at once."""
    signals = Signals()

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        signals.number = number
        signals.came.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow(ask: Ask, target: str, signals: Signals, *, show: Callable[[Piece], None]) -> bool:
    """Show each piece of an execution's log as it comes. False when a signal came before its end."""
    after, pause, said = 0, _FIRST_PAUSE, False
    while True:
        answer = ask("GET", f"{target}/log?after={after}&limit={_BIG_PAGE}")
        for piece in answer["list"]:
            show(piece)
        after = answer["next"]
        if answer["ended"]:
            return True
        if answer["status"] == "READY" and not said and pause >= _LONGEST_PAUSE:
            print("it waits for a worker", file=sys.stderr, flush=True)
            said = True
        if signals.came.wait(0.0 if answer["list"] else pause):
            return False
        pause = pause if answer["list"] else min(pause * 2, _LONGEST_PAUSE)


def code(execution: dict[str, Any]) -> int:
    """The exit code for an execution that is over."""
    return DONE if execution["status"] == "COMPLETED" else FAILED
