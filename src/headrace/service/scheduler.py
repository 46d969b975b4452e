"""What starts triggers: a loop of each server, which sleeps until the next instant and looks twice a second.

Several servers may run it; the transaction that records an instant is the only thing that they share.
"""

import logging
import threading
from collections.abc import Callable

from headrace.core import ticks
from headrace.db import Database
from headrace.errors import DatabaseFailed

log = logging.getLogger(__name__)

_POLL = 0.5
_AT_ONCE = 100


class Scheduler:
    """`fired` is called when something was started in this process."""

    def __init__(self, database: Database, *, fired: Callable[[], None]) -> None:
        self._database = database
        self._fired = fired
        self._changed = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._go_on, name="scheduler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look now: a trigger was made or changed."""
        self._changed.set()

    def stop(self) -> None:
        """Start nothing more. Returns when the loop has ended."""
        self._ended = True
        self._changed.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._ended:
            self._changed.clear()
            self._changed.wait(self._looked())

    def _looked(self) -> float:
        """Start what is due, and give how long to sleep. What goes wrong is told, and tried again at the next look."""
        try:
            return self._look()
        except DatabaseFailed as error:
            log.warning("%s", error)
        except Exception:  # a loop that ended would end all schedules
            log.exception("a fault of ours")
        return _POLL

    def _look(self) -> float:
        with self._database.reading() as con:
            first, now = ticks.next_due(con), self._database.now(con)
        if first is None:
            return _POLL
        if first > now:
            return min(first - now, _POLL)
        with self._database.transaction() as con:
            fired = ticks.fire(con, now=self._database.now(con), limit=_AT_ONCE)
        if fired:
            self._fired()
        return 0.0 if fired else _POLL
