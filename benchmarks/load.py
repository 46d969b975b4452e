"""Many connections that ask again and again, for the process that does nothing else."""

import threading
import time
from collections.abc import Callable


def answers(connected: Callable[[], Callable[[], object]], *, connections: int, seconds: float) -> list[float]:
    """How long each answer took, in seconds. `connected` makes a connection, and gives what asks by it."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    def again_and_again() -> None:
        ask = connected()
        while time.perf_counter() < until:
            since = time.perf_counter()
            ask()
            took.append(time.perf_counter() - since)

    threads = [threading.Thread(target=again_and_again) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took
