"""Files on their way to object storage: sent in parts while an engine still writes them, and stopped at any moment.

An engine writes a file from its beginning to its end. So what is there of it can be sent: a thread looks at the local
folder and sends each part once it is whole. What is left comes with `finish`. A file that went away, or another one of
its name, means that the engine began anew: the parts are given up.

The parts of a large file are sent for its final name. They make no object, and are seen by nobody, until `arrive` says
that they are one. A small file goes to the staging folder.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from headrace.errors import RunFailed, StoreError
from headrace.stores.base import Early
from headrace.stores.names import check_key, is_data, join
from headrace.stores.objects.client import AT_ONCE, Client

T = TypeVar("T")
_LOOK = 0.1
_LAST_WORDS = 0.5
_SAME_SIZE = 1000  # parts; then they grow, since no object has more than 10,000


class _Stopped(BaseException):
    """The upload is not wanted any more. No Exception: the library would take that for a fault and send again."""


class _Slice:
    """Bytes of a file as the body of a request, which ends with the connection when `stop` is set."""

    def __init__(self, file: int, start: int, size: int, stop: threading.Event) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._stop = stop
        self._at = 0

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if self._stop.is_set():
            raise _Stopped
        left = self._size - self._at
        data = os.pread(self._file, left if size < 0 else min(size, left), self._start + self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte: the library signs what it sends first, and sends it again when that failed."""
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset
        return self._at

    def tell(self) -> int:
        """The byte that is read next."""
        return self._at


class _Upload:
    """One file, and what was sent of it. One with a `number` goes to its final name, and waits for `arrive`."""

    def __init__(
        self, client: Client, pool: ThreadPoolExecutor, bucket: str, key: str, path: Path, *, number: int | None
    ) -> None:
        self.key = key
        self.number = number
        self._client = client
        self._pool = pool
        self._name = bucket, key
        self._file = os.open(path, os.O_RDONLY)
        self._stop = threading.Event()
        self._begun: Future[str] | None = None
        self._parts: list[Future[str]] = []
        self._asked: list[Future[Any]] = []
        self._sent = 0

    @property
    def size(self) -> int:
        """How large the file is by now."""
        return os.fstat(self._file).st_size

    def is_of(self, path: Path) -> bool:
        """Whether the path is still the file that is being sent, which an open file can't be mistaken for."""
        try:
            return os.path.samestat(os.stat(path), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def advance(self) -> None:
        """Send the parts that are whole by now, as many as may be on their way at once."""
        size = self.size
        while len(self._open()) < AT_ONCE and size - self._sent >= self._part():
            self._send(self._part())

    def finish(self) -> Iterator[Future[Any]]:
        """Send the rest, and give what to wait for, step by step."""
        size = self.size
        if self._begun is None and self.number is None and size <= self._client.sizes.upload_whole:
            body = _Slice(self._file, 0, size, self._stop)
            yield self._ask(self._client.put, *self._name, body)
            return
        while self._sent < size:
            if len(self._open()) < AT_ONCE:
                self._send(min(self._part(), size - self._sent))
            else:
                yield from self._open()[:1]
        yield from self._parts
        if self.number is None:
            yield self.arrive()
            self.arrived()

    def arrive(self) -> Future[None]:
        """Make an object of the parts, all of which were sent."""
        assert self._begun is not None
        etags = [part.result() for part in self._parts]
        return self._ask(self._client.complete, *self._name, self._begun.result(), etags)

    def arrived(self) -> None:
        """There is nothing any more that a stop would have to end on the server."""
        self._begun = None

    def stop(self, patience: float) -> None:
        """Give the upload up, and end what was begun of it on the server, as far as that answers."""
        self._stop.set()
        for each in self._asked:
            each.cancel()
        wait(self._asked, timeout=patience)
        begun = self._begun
        if begun is not None and self.number is not None:
            wait([begun])  # in a staging folder it would be found later; here it must be known, to be ended
        if begun is not None and begun.done() and not begun.cancelled() and begun.exception() is None:
            with suppress(StoreError):  # what stays is ended with the staging folder, now or by the next run
                self._client.give_up(*self._name, begun.result())
        if all(each.done() for each in self._asked):
            os.close(self._file)  # else a request still reads there, and the file ends with the process

    def _part(self) -> int:
        return self._client.sizes.upload_part * (1 + len(self._parts) // _SAME_SIZE)

    def _open(self) -> list[Future[str]]:
        return [part for part in self._parts if not part.done()]

    def _send(self, size: int) -> None:
        self._begun = begun = self._begun or self._ask(self._client.begin, *self._name)
        number, body = len(self._parts) + 1, _Slice(self._file, self._sent, size, self._stop)
        self._parts.append(self._ask(lambda: self._client.send(*self._name, begun.result(), number=number, body=body)))
        self._sent += size

    def _ask(self, request: Callable[..., T], *arguments: Any) -> Future[T]:
        asked = self._pool.submit(request, *arguments)
        self._asked.append(asked)
        return asked


class Uploads:
    """The files of one local folder, on their way to a folder of a bucket, or where `early` says.

    `check` raises when they must not go.
    """

    def __init__(
        self,
        client: Client,
        local: Path,
        *,
        bucket: str,
        folder: str,
        check: Callable[[str], None],
        early: Early | None = None,
    ) -> None:
        self.local = local
        self._client = client
        self._bucket = bucket
        self._folder = folder
        self._check = check
        self._early = early
        # One more than parts on their way, so that none waits for the upload that it belongs to.
        self._pool = ThreadPoolExecutor(AT_ONCE + 1, thread_name_prefix="uploads")
        self._known: dict[str, _Upload] = {}
        self._failure: RunFailed | OSError | None = None
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._watching, name="uploads", daemon=True)
        self._watch.start()

    def finish(self, go_on: Callable[[], None]) -> dict[str, int]:
        """Send all that is there, and give the sizes by key of what lies in the folder then.

        `go_on` is called while it goes on, and may raise.
        """
        self._over.set()
        self._watch.join()
        if self._failure is not None:
            raise self._failure
        self._look()
        for upload in self._known.values():
            for step in upload.finish():
                while not step.done():
                    go_on()
                    wait([step], timeout=_LOOK)
                go_on()
                step.result()
        return {upload.key: upload.size for upload in self._known.values() if upload.number is None}

    @property
    def waiting(self) -> dict[str, int]:
        """The sizes of the files that were sent for their final names, by these."""
        return {upload.key: upload.size for upload in self._known.values() if upload.number is not None}

    def arrive(self) -> None:
        """Let those come to their final names, one after another."""
        for upload in self._known.values():
            if upload.number is not None:
                upload.arrive().result()
                upload.arrived()

    def stop(self) -> None:
        """Send nothing more. Ends within a moment, unless the server does not answer that an upload has begun."""
        self._over.set()
        self._watch.join()
        for upload in self._known.values():
            upload.stop(_LAST_WORDS)
        self._known.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _watching(self) -> None:
        while not self._over.wait(_LOOK):
            try:
                self._look(large=True)
                for upload in self._known.values():
                    upload.advance()
            except (RunFailed, OSError) as error:
                self._failure = error
                return

    def _look(self, *, large: bool = False) -> None:
        """Begin the uploads of new files, of the `large` ones alone if so asked, and end those of files that went."""
        files = self._files()
        for key in [key for key, upload in self._known.items() if key not in files or not upload.is_of(files[key])]:
            self._known.pop(key).stop(_LAST_WORDS)
        for key in files:
            check_key(key)  # before anything is sent
        for key, path in files.items():
            if key not in self._known and not (large and _size(path) < self._client.sizes.upload_part):
                self._begin(key, path)

    def _begin(self, staged: str, path: Path) -> None:
        early = self._early if self._is_large_data(staged, path) else None
        key, number = staged, None
        if early is not None:
            number = self._free()
            key = early.key(number, staged.removeprefix(f"{self._folder}/"))
            check_key(key)
        self._check(key)
        if early is not None:
            early.announce()
        with suppress(FileNotFoundError):
            self._known[staged] = _Upload(self._client, self._pool, self._bucket, key, path, number=number)

    def _is_large_data(self, staged: str, path: Path) -> bool:
        """Whether a file is published, and goes in parts."""
        sizes = self._client.sizes
        large = _size(path) >= min(sizes.upload_part, sizes.upload_whole + 1)
        return large and is_data(staged.removeprefix(f"{self._folder}/"))

    def _free(self) -> int:
        used = {upload.number for upload in self._known.values()}
        return next(number for number in count() if number not in used)

    def _files(self) -> dict[str, Path]:
        found = sorted(path for path in self.local.rglob("*") if path.is_file())
        return {join(self._folder, str(path.relative_to(self.local))): path for path in found}


def _size(path: Path) -> int:
    """The file's size; 0 when it went just now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
