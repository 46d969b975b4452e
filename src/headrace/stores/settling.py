"""Brings files to the disk while they are still being written, so that the flush at the end has little left to do.

A result that lasts is one that was flushed. The disk idles while an engine computes, so flushing all of a large file
after its last byte costs a run time that it need not.
"""

import os
import threading
from collections.abc import Iterator

_EVERY = 0.25
_WORTH = 16 * 1024 * 1024


class Settling:
    """Flushes what grows in a folder, in a thread of its own, until it is stopped or the folder is gone.

    It promises nothing: who needs files to last flushes them again, which is quick then, and hears of any fault.
    """

    def __init__(self, folder: str, *, worth: int = _WORTH, every: float = _EVERY) -> None:
        self._folder = folder
        self._worth = worth
        self._every = every
        self._stop = threading.Event()
        self._flushed: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="settling", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still looks."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End it, after the flush that it is at."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every) and os.path.isdir(self._folder):
            for path, size in self._grown():
                if self._stop.is_set():
                    return
                self._flushed[path] = size
                _flush(path)

    def _grown(self) -> Iterator[tuple[str, int]]:
        """The files that have grown by enough for a flush to be worth it."""
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    size = os.stat(path).st_size
                except FileNotFoundError:
                    continue
                if size - self._flushed.get(path, 0) >= self._worth:
                    yield path, size


def _flush(path: str) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return  # it was moved or removed in between
    try:
        os.fdatasync(handle)
    except OSError:
        return  # the flush that counts meets the same fault, and tells it
    finally:
        os.close(handle)
