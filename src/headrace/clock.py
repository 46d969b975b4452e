"""The only place that reads the time. Everything else is handed what it needs."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from: the system's in a run, a scripted one in a test."""

    def now(self) -> datetime:
        """The instant, in UTC."""

    def seconds(self) -> float:
        """Seconds on a clock that never goes back and is one for all processes of a machine; only differences count."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Seconds since some moment, monotonic."""
        return time.monotonic()
