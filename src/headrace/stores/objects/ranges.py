"""An object read as a file: range by range, the next ones asked for while the last one is looked at."""

import io
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as NotYet
from mmap import mmap
from typing import Any

from headrace.errors import SourceChanged
from headrace.stores.base import StoredObject, go_on_always
from headrace.stores.objects.client import Client

FIRST = 64 * 1024
"""The size of the first range: most who open an object only look at its beginning."""

RANGE = 16 * 1024 * 1024
AHEAD = 2
_GONE = "run again when nobody writes there"
_LOOK = 0.1


class Ranges(io.RawIOBase):
    """An object as a file. Each range is given only if the object is still what it was.

    At most `AHEAD` ranges are asked for beyond the one that is read, so memory is bounded whatever the object's size.
    It is memory of its own, used again for later ranges: to get it new costs more than to fill it, and the heap would
    keep what was freed.
    `go_on` is called while the reader waits, and may raise.
    """

    def __init__(
        self, client: Client, pool: Executor, found: StoredObject, go_on: Callable[[], None] = go_on_always
    ) -> None:
        super().__init__()
        self._client = client
        self._pool = pool
        self._found = found
        self._go_on = go_on
        self._at = 0
        self._chunk = memoryview(b"")
        self._free: list[mmap] = []
        self._asked: deque[Future[memoryview]] = deque()
        self._next = 0

    def readable(self) -> bool:
        """It is read."""
        return True

    def seekable(self) -> bool:
        """It may be read from any byte on."""
        return True

    def tell(self) -> int:
        """The byte that is read next."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte. What was asked for is forgotten unless it is the one that comes next anyway."""
        at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._found.size}[whence] + offset
        if at < 0:
            raise ValueError(f"there is no byte {at}")
        if at != self._at:
            self._forget()
            self._at = self._next = at
        return at

    def readinto(self, into: Any) -> int:
        """Fill the buffer as far as one range goes."""
        if not self._chunk:
            self._chunk = self._range()
        size = min(len(into), len(self._chunk))
        into[:size] = self._chunk[:size]
        self._at += size
        if size < len(self._chunk):
            self._chunk = self._chunk[size:]
        else:
            self._give_back()
        return size

    def close(self) -> None:
        """Ask for nothing more."""
        self._forget()
        self._free.clear()
        super().close()

    def _range(self) -> memoryview:
        if not self._asked:
            self._ask(FIRST if self._next == 0 else RANGE)
        first = self._asked.popleft()
        if self._at:
            for _ in range(AHEAD - len(self._asked)):
                self._ask(RANGE)
        while True:
            try:
                return first.result(timeout=_LOOK)
            except NotYet:
                self._go_on()

    def _ask(self, size: int) -> None:
        end = min(self._next + size, self._found.size)
        if self._next < end:
            self._asked.append(self._pool.submit(self._get, self._next, end))
            self._next = end
        elif not self._asked:
            self._asked.append(Future())
            self._asked[-1].set_result(memoryview(b""))

    def _get(self, start: int, end: int) -> memoryview:
        found = self._found
        key = found.location.removeprefix(f"s3://{found.bucket}/")
        into = memoryview(self._memory())[: end - start]
        data = self._client.part(found.bucket, key, into, start=start, etag=found.etag)
        if data is None:
            raise SourceChanged(f"'{found.bucket}/{found.key}' is gone since the run listed it", hint=_GONE)
        if len(data) != end - start:
            raise SourceChanged(f"'{found.bucket}/{found.key}' is shorter than it was listed", hint=_GONE)
        return data

    def _memory(self) -> mmap:
        try:
            return self._free.pop()
        except IndexError:
            return mmap(-1, RANGE)

    def _give_back(self) -> None:
        """Let the memory of a range that was read be filled again."""
        memory, self._chunk = self._chunk.obj, memoryview(b"")
        if isinstance(memory, mmap):
            self._free.append(memory)

    def _forget(self) -> None:
        for each in self._asked:
            each.cancel()  # one that is on its way keeps its memory, and takes it along
        self._asked.clear()
        self._give_back()
