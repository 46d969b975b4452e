"""Which storages gave no answer a moment ago: these are left alone for a while.

Whoever waits for an answer that does not come holds one of a few threads. So one that hangs is asked by a single
thread, now and then, and the others are free for storages that answer.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from headrace.clock import Clock
from headrace.errors import StoreError
from headrace.stores.base import Store

LONG = 5.0
"""Seconds: a failure that took as long is one of a storage that does not answer."""
PAUSE = 30.0


class Hearing:
    """Remembers who did not answer. Several threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._silent_until: dict[int, float] = {}

    @contextmanager
    def of(self, store: Store) -> Iterator[None]:
        """Ask a store for something inside. Raises a StoreError when it gave no answer a moment ago."""
        began = self._clock.seconds()
        self._enter(id(store), began)
        try:
            yield
        except StoreError:
            with self._lock:
                if self._clock.seconds() - began >= LONG:
                    self._silent_until[id(store)] = self._clock.seconds() + PAUSE
                else:
                    self._silent_until.pop(id(store), None)
            raise
        with self._lock:
            self._silent_until.pop(id(store), None)

    def _enter(self, store: int, now: float) -> None:
        with self._lock:
            until = self._silent_until.get(store)
            if until is not None and now < until:
                raise StoreError("the endpoint gave no answer a moment ago", hint="it is asked again in a while")
            if until is not None:
                # This one asks again; the others do not wait for the same answer.
                self._silent_until[store] = now + PAUSE
