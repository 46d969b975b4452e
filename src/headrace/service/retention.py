"""Removes what is not kept for ever, a little at a time, and sums up hours that are over. Several servers may do so."""

import logging
import threading
from collections.abc import Callable

from headrace.core import dashboard, job_figures, retention
from headrace.core.retention import Kept
from headrace.db import Database
from headrace.errors import DatabaseFailed

log = logging.getLogger(__name__)

_FIRST, _EVERY = 10.0, 300.0
_BETWEEN = 0.1
_BATCH = 50


class Retention:
    """The loop of this server. `outside` takes away a batch of what lies elsewhere, and says whether there was any."""

    def __init__(self, database: Database, kept: Kept, *, outside: Callable[[], bool]) -> None:
        self._database = database
        self._kept = kept
        self._outside = outside
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="retention", daemon=True)

    def start(self) -> None:
        """Begin, a moment after the server has."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch that is under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _go_on(self) -> None:
        pause = _FIRST
        while not self._stopping.wait(pause):
            pause = _BETWEEN if self._swept() else _EVERY

    def _swept(self) -> bool:
        """Remove what is old, batch after batch; whether there may be more."""
        try:
            return self._summed() | self._removed() | self._forgot() | self._outside()
        except DatabaseFailed as error:
            log.warning("%s", error)
        except Exception:
            log.exception("a fault of ours")
        return False

    def _summed(self) -> bool:
        found = []
        for sum_up in (dashboard.sum_up, job_figures.sum_up):
            with self._database.transaction() as con:
                found.append(sum_up(con, now=self._database.now(con)))
        return any(found)

    def _removed(self) -> bool:
        with self._database.reading() as con:
            ids = retention.removable(con, self._kept, now=self._database.now(con))
        for first in range(0, len(ids), _BATCH):
            with self._database.transaction() as con:
                retention.remove(con, ids[first : first + _BATCH])
            if self._stopping.wait(_BETWEEN):
                break
        return bool(ids)

    def _forgot(self) -> bool:
        with self._database.transaction() as con:
            return retention.forget(con, self._kept, now=self._database.now(con)) > 0
