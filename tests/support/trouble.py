"""Chance kills, stops and wakes processes, and shakes what they stand on, as often as something gets done."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from tests.support.herd import Herd

LEASE = 2.0
_STOOD_STILL = 1.5 * LEASE


@dataclass
class Trouble:
    """It counts by what gets done: a busy machine has no more trouble for each run than a quiet one.

    `progress` is how much was done by now; after each `between` of it comes the next trouble. `shake` is what can be
    done to what the herds stand on; `weights` is how often it kills, stops and shakes. What was done stands in `done`.
    """

    herds: Sequence[Herd]
    shake: Callable[[], None] | None
    progress: Callable[[], int]
    between: tuple[int, int]
    weights: tuple[int, int, int]
    chance: Random
    done: Counter[str] = field(default_factory=Counter)

    def go_on(self, over: threading.Event) -> None:
        """Make trouble until it is over."""
        while not over.is_set():
            self._pause(over, self.chance.randint(*self.between))
            self.tend()
            what = self.chance.choices(("kill", "stop", "shake"), self.weights)[0]
            (one,) = self.chance.choices(self.herds, [herd.size for herd in self.herds])
            if what == "kill":
                what = one.kill(self.chance)
            elif what == "stop":
                what = one.stop(self.chance)
            elif self.shake is not None:
                self.shake()
            else:
                continue
            self.done[what] += 1

    def tend(self) -> None:
        """Begin those that are missing."""
        for herd in self.herds:
            herd.tend()

    def wake(self) -> None:
        """Let all go on that stand still."""
        for herd in self.herds:
            herd.wake()

    def _pause(self, over: threading.Event, more: int) -> None:
        """Until so much more is done; those who stand still go on after a while, or nothing might be done."""
        wanted, woken = self.progress() + more, time.monotonic() + _STOOD_STILL
        while not over.wait(0.05) and self.progress() < wanted:
            self.tend()
            if time.monotonic() > woken:
                self.wake()


@contextmanager
def troubled(trouble: Trouble) -> Iterator[None]:
    """Make trouble for as long as the context lasts; at its end all go on."""
    over = threading.Event()
    thread = threading.Thread(target=trouble.go_on, args=(over,), name="trouble")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        trouble.wake()
