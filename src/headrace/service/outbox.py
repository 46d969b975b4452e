"""What takes events out of the outbox: a loop for each consumer, which looks twice a second.

The loops of what changes our database alone are woken at once when something ends in this process: others wait for what
they do. Work elsewhere may come a moment later, several events at a time. Several servers may run the same loops.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from headrace.clock import Clock
from headrace.core import outbox
from headrace.core.outbox import Event
from headrace.db import Connection, Database
from headrace.db.session import News
from headrace.errors import DatabaseFailed, HeadraceError
from headrace.execution.queue import news_for

log = logging.getLogger(__name__)

_POLL = 0.5
_LOOKS_WHILE_HELD = 3


@dataclass(frozen=True, slots=True)
class Inside:
    """A consumer that changes nothing but our database.

    What it does and the mark that it is done are one transaction, so all of it happens exactly once. It is told the
    database's `now`. When it raises, nothing of it is kept, and the event is tried again later.
    """

    name: str
    do: Callable[[Connection, Event, float], None]


@dataclass(frozen=True, slots=True)
class Outside:
    """A consumer that works elsewhere, perhaps slowly: no transaction is open meanwhile.

    It hears of each event at least once, and must make nothing worse when it hears again, even at the same time on
    another server. When it raises, the event is tried again later. It may be called by `at_once` threads, which share
    the `ahead` events that are taken from the outbox at once.
    """

    name: str
    do: Callable[[Event], None]
    at_once: int = 4
    ahead: int = 16


class Outbox:
    """The loops of these consumers. `hold` is for how many seconds a server that died keeps an event from others."""

    def __init__(
        self, database: Database, consumers: Sequence[Inside | Outside], *, clock: Clock, hold: float = 15.0
    ) -> None:
        self._loops = [
            _InsideLoop(database, each) if isinstance(each, Inside) else _OutsideLoop(database, each, clock, hold)
            for each in consumers
        ]

    def start(self, after: Callable[[], None]) -> None:
        """Begin; `after` is called each time that a consumer has changed something in our database."""
        for loop in self._loops:
            loop.start(after)

    def wake(self) -> None:
        """Look now: something has ended."""
        for loop in self._loops:
            if isinstance(loop, _InsideLoop):
                loop.wake()

    def stop(self, *, patience: float) -> None:
        """Do what waits, for so many seconds at most, and end. What is left stays in the outbox."""
        for loop in self._loops:
            loop.stop()
        for loop in self._loops:
            loop.join(patience)


class _Loop:
    """Looks again and again. When it is stopped it goes on as long as there is something to do."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._new = threading.Event()
        self._stopping = False
        self._after: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._go_on, name=f"outbox {name}", daemon=True)

    def start(self, after: Callable[[], None]) -> None:
        self._after = after
        self._thread.start()

    def wake(self) -> None:
        self._new.set()

    def stop(self) -> None:
        self._stopping = True
        self._new.set()

    def join(self, patience: float) -> None:
        self._thread.join(patience)

    def _go_on(self) -> None:
        while True:
            self._new.clear()
            last = self._stopping
            if self._looked():
                continue
            if last and not self._busy():
                return
            self._new.wait(_POLL)

    def _looked(self) -> bool:
        """Look; what goes wrong is told, and tried again at the next look: a loop that ended would end its consumer."""
        try:
            return self._look()
        except DatabaseFailed as error:
            log.warning("%s", error)
        except Exception:
            log.exception("a fault of ours")
        return False

    def _is_waiting(self) -> bool:
        with self._database.reading() as con:
            return outbox.is_waiting(con, self._name, now=self._database.now(con))

    def _look(self) -> bool:
        """Do something; whether there was something, so that it is worth to look again at once."""
        raise NotImplementedError

    def _busy(self) -> bool:
        """Whether something is under way that the loop has to wait for."""
        return False


class _InsideLoop(_Loop):
    """One event at a time, each in a transaction of its own."""

    def __init__(self, database: Database, consumer: Inside) -> None:
        super().__init__(database, consumer.name)
        self._do = consumer.do
        self._news = News(database, news_for(consumer.name))

    def wake(self) -> None:
        if self._news.came():
            super().wake()

    def _look(self) -> bool:
        if not self._is_waiting():
            return False
        taken: tuple[Event, ...] = ()
        try:
            with self._database.transaction() as con:
                now = self._database.now(con)
                taken = outbox.take(con, self._name, now=now, limit=1)
                for event in taken:
                    self._do(con, event, now)
                    outbox.done(con, [event.id], now=now)
        except Exception as error:
            if not taken:
                raise
            # Whatever it is, it must hold up no other event.
            _told(self._name, error)
            with self._database.transaction() as con:
                for event in taken:
                    outbox.postpone(con, event, failure=_shown(error), now=self._database.now(con))
        else:
            self._after()
        return bool(taken)


class _OutsideLoop(_Loop):
    """Several events at once, each in a thread; this loop alone writes down what became of them."""

    def __init__(self, database: Database, consumer: Outside, clock: Clock, hold: float) -> None:
        super().__init__(database, consumer.name)
        self._consumer = consumer
        self._clock = clock
        self._hold = hold
        self._held_at = clock.seconds()
        self._ahead: SimpleQueue[Event] = SimpleQueue()
        self._ended: SimpleQueue[tuple[Event, Exception | None] | None] = SimpleQueue()
        self._threads = 0
        self._under_way: dict[int, Event] = {}
        self._good: list[Event] = []
        self._bad: list[tuple[Event, Exception]] = []

    def _look(self) -> bool:
        self._gather()
        free = self._consumer.ahead - len(self._under_way)
        # What is done is written down when there is little left to do: in one transaction, with what is taken then.
        little = len(self._under_way) < self._consumer.at_once
        wanted = little and (bool(self._good) or self._is_waiting())
        if not (wanted or self._bad or self._must_hold()):
            return False
        with self._database.transaction() as con:
            now = self._database.now(con)
            outbox.done(con, [event.id for event in self._good], now=now)
            for event, error in self._bad:
                outbox.postpone(con, event, failure=_shown(error), now=now)
            outbox.keep(con, list(self._under_way), until=now + self._hold)
            but = list(self._under_way)
            taken = outbox.take(con, self._name, now=now, limit=free, hold=self._hold, but=but) if wanted else ()
        self._held_at = self._clock.seconds()
        self._good, self._bad = [], []
        for event in taken:
            self._under_way[event.id] = event
            self._ahead.put(event)
        self._begin_threads()
        return bool(taken)

    def _begin_threads(self) -> None:
        """Let threads work, no more than there are events: each goes on as long as one is left."""
        while self._threads < min(self._consumer.at_once, len(self._under_way)):
            self._threads += 1
            threading.Thread(target=self._run, name=f"{self._name} {self._threads}", daemon=True).start()

    def _busy(self) -> bool:
        return bool(self._under_way or self._good or self._bad)

    def _gather(self) -> None:
        """See what the threads have done, and that there are as many as are needed."""
        while not self._ended.empty():
            ended = self._ended.get()
            if ended is None:
                self._threads -= 1
                continue
            event, error = ended
            del self._under_way[event.id]
            if error is None:
                self._good.append(event)
            else:
                self._bad.append((event, error))
        self._begin_threads()

    def _must_hold(self) -> bool:
        return bool(self._under_way) and self._clock.seconds() - self._held_at >= self._hold / _LOOKS_WHILE_HELD

    def _run(self) -> None:
        with suppress(Empty):
            while True:
                event = self._ahead.get_nowait()
                self._ended.put((event, self._done(event)))
        # It says so after its last look: what comes later finds that it is gone, and begins another one.
        self._ended.put(None)
        self._new.set()

    def _done(self, event: Event) -> Exception | None:
        """Do it; what went wrong."""
        try:
            self._consumer.do(event)
        except Exception as error:  # noqa: BLE001 - whatever it is, the event is tried again
            _told(self._name, error)
            self._new.set()  # it is written down now, and not when the others are done
            return error
        return None


def _told(name: str, error: Exception) -> None:
    """Errors of ours say all there is to say; others are faults."""
    if isinstance(error, HeadraceError):
        log.warning("%s: %s", name, error)
    else:
        log.error("%s: a fault of ours", name, exc_info=error)


def _shown(error: Exception) -> str:
    return str(error) if isinstance(error, HeadraceError) else f"a fault in Headrace: {type(error).__name__}"
