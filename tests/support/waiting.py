"""Waits for a thing, with a limit."""

import time
from collections.abc import Callable

A_WHILE = 20.0
"""Seconds that a busy machine may add to anything; how soon things happen on a quiet one is measured by benchmarks."""


def until(condition: Callable[[], bool], *, limit: float = 30.0) -> None:
    """Wait until the condition holds. Raises AssertionError after `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"still not so after {limit:g} s")
        time.sleep(0.001)
