"""Claims runs and keeps their leases: one thread for each of the two, one more for each run under way."""

import logging
import threading
from collections.abc import Callable

from headrace.clock import Clock
from headrace.db import Database
from headrace.db.session import News
from headrace.errors import DatabaseFailed
from headrace.execution import queue
from headrace.execution.attempts import Attempt
from headrace.execution.children import Nursery, environment, grown
from headrace.execution.figures import Figures
from headrace.execution.machine import run_memory, slots
from headrace.execution.supervisor import WorkerEnds
from headrace.settings import Settings

_POLL = 0.5
_BEAT = 0.5
_BEATS_OF_A_LEASE = 5
_RESCUE_EVERY = 0.3

log = logging.getLogger(__name__)


class Worker:
    """A worker of this process. `wake` says that there is something new in the queue; `ended` hears of each end."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        clock: Clock,
        name: str,
        figures: Figures | None = None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._figures = figures or Figures()
        self._ended_one = ended
        self._database = database
        self._settings = settings
        self._clock = clock
        self._name = name
        self._slots = slots(settings)
        self._most_memory = run_memory(settings)
        self._lease = settings["lease_seconds"]
        variables = environment(settings, workers=self._slots)
        self._nursery = Nursery(variables, workers=self._slots, most=grown(settings))
        self._attempts: dict[str, Attempt] = {}
        self._lock = threading.Lock()
        self._cancels = News(database, queue.CANCELLED)
        self._new = threading.Event()
        self._beat = threading.Event()
        self._freed = threading.Condition(self._lock)
        self._draining = False
        self._ended = False
        self._rescued_at = -_RESCUE_EVERY
        self._claims = threading.Thread(target=self._claim_on, name="claim", daemon=True)
        self._renews = threading.Thread(target=self._renew_on, name="renew", daemon=True)

    def start(self) -> None:
        """Begin to claim."""
        self._nursery.start()
        self._renews.start()
        self._claims.start()

    def wake(self) -> None:
        """Look at the queue and at the leases now: something was submitted, or cancelled."""
        self._new.set()
        if self._attempts and self._cancels.came():
            self._beat.set()

    def stop(self, *, patience: float) -> None:
        """Claim no more; after so many seconds, put back what is still under way. Returns when all is over."""
        self._draining = True
        self._new.set()
        self._claims.join()
        with self._freed:
            self._freed.wait_for(lambda: not self._attempts, timeout=patience)
            left = list(self._attempts.values())
        for attempt in left:
            attempt.post(WorkerEnds(self._clock.seconds()))
        with self._freed:
            self._freed.wait_for(lambda: not self._attempts)
        self._ended = True
        self._beat.set()
        self._renews.join()
        self._nursery.close()

    def _claim_on(self) -> None:
        while not self._draining:
            self._new.clear()
            if not self._guarded(self._claim):
                self._new.wait(_POLL)

    def _claim(self) -> bool:
        """Claim as much as there is room for; whether there was something."""
        free = self._slots - len(self._attempts)
        if free <= 0:
            return False
        begun = self._clock.seconds()
        with self._database.transaction() as con:
            now = self._database.now(con)
            found = queue.claim(con, worker=self._name, lease_seconds=self._lease, now=now, limit=free)
        for claimed in found:
            waited = max(now - claimed.available_at, 0.0)
            self._figures.claimed(waited=waited)
            attempt = Attempt(
                claimed,
                database=self._database,
                settings=self._settings,
                most_memory=self._most_memory,
                clock=self._clock,
                begun=begun,
                now=now,
                figures=self._figures,
                ended=self._ended_one,
            )
            with self._lock:
                self._attempts[attempt.token] = attempt
            log.info("an attempt begins", extra={**attempt.named, "waited": round(waited, 3)})
            threading.Thread(target=self._run, args=(attempt,), name=f"run {claimed.execution_id}", daemon=True).start()
        return bool(found)

    def _run(self, attempt: Attempt) -> None:
        try:
            attempt.run(self._nursery)
        except Exception:  # a fault of ours: the lease is left to end, and the run goes to another one
            log.exception("an attempt failed in its worker")
        finally:
            with self._freed:
                del self._attempts[attempt.token]
                self._freed.notify_all()
            self._new.set()

    def _renew_on(self) -> None:
        every = min(_BEAT, self._lease / _BEATS_OF_A_LEASE)
        while not self._ended:
            hint = self._beat.wait(every)
            self._beat.clear()
            for attempt in self._due(hint=hint):
                self._guarded(attempt.renew)
            if self._clock.seconds() - self._rescued_at >= _RESCUE_EVERY:
                self._rescued_at = self._clock.seconds()
                self._guarded(self._rescue)

    def _due(self, *, hint: bool) -> list[Attempt]:
        """Whose lease is to be renewed now: it is time, or somebody wants something of the run.

        To look costs no write, so that happens often. A hint says that something was changed, and not that time passed.
        """
        with self._lock:
            attempts = list(self._attempts.values())
        if not attempts:
            return []
        try:
            with self._database.reading() as con:
                calm = queue.calm(con, [attempt.token for attempt in attempts])
        except DatabaseFailed:
            return attempts
        return [each for each in attempts if each.token not in calm or (not hint and each.is_due())]

    def _rescue(self) -> bool:
        with self._database.transaction() as con:
            found = queue.rescue(con, self._database.now(con))
        for each in found:
            self._figures.lost(each.status)
            told = {"execution": each.execution_id, "attempt": each.attempt, "worker": each.worker}
            log.warning("a lease had ended", extra={**told, "status": each.status})
        if found:
            self._new.set()
            self._ended_one()
        return bool(found)

    def _guarded(self, do: Callable[[], bool | None]) -> bool:
        """Do it; what goes wrong is told, and tried again at the next turn: a loop that ended would end the worker."""
        try:
            return bool(do())
        except DatabaseFailed as error:
            log.warning("the database did not do what it should", extra={"reason": str(error)})
        except Exception:  # see above
            log.exception("a loop of the worker failed")
        return False
