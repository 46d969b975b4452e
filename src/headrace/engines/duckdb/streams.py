"""Text files of object storage, read by the engine through our own reader of ranges.

The engine's own reader asks for one range, waits, and asks for the next; ours asks ahead, and brings text at a fifth of
the CPU time (decision 15 has the figures). It reads exactly the objects of the run, each only as long as it is what was
listed, and a failure is kept as it is: the engine would hand on no more than its text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

from fsspec import AbstractFileSystem

from headrace.engines.duckdb import remote
from headrace.errors import RunFailed
from headrace.plan.ops import Read
from headrace.stores.access import Access
from headrace.stores.base import Origin, Snapshot, StoredObject, go_on_always

_AT_ONCE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Streamed:
    """The origin of objects that the engine opens by another name."""

    origin: Origin
    listed: StoredObject

    def open(self, found: StoredObject, go_on: Callable[[], None] = go_on_always) -> BinaryIO:
        """The object's bytes, where they were listed."""
        del found
        return self.origin.open(self.listed, go_on)

    def access(self, bucket: str) -> Access:
        """What an engine needs to read objects of the bucket."""
        return self.origin.access(bucket)


def streamed(
    reads: Mapping[int, Read], sources: Mapping[int, Snapshot], go_on: Callable[[], None]
) -> tuple[dict[int, Snapshot], "Streams | None"]:
    """The sources, text files of object storage by names under which `Streams` opens them. None when there are none."""
    made = dict(sources)
    places: dict[str, tuple[Read, StoredObject]] = {}
    for node_id, read in reads.items():
        if read.format != "PARQUET":
            objects = tuple(map(_streamed, sources[node_id].objects))
            made[node_id] = Snapshot(read.place, objects)
            places |= {each.location: (read, each) for each in objects if each.origin is not None}
    return made, Streams(places, go_on) if places else None


def _streamed(found: StoredObject) -> StoredObject:
    if found.origin is None:
        return found
    return replace(found, location=f"{remote.STREAMS}{found.bucket}/{found.key}", origin=_Streamed(found.origin, found))


class Streams(AbstractFileSystem):  # type: ignore[misc]  # it brings no types
    """The objects of one run as a file system of the engine's. `failure` is the first thing that went wrong."""

    protocol = "objects"
    cachable = False

    def __init__(self, places: Mapping[str, tuple[Read, StoredObject]], go_on: Callable[[], None]) -> None:
        super().__init__()
        self.failure: RunFailed | None = None
        self._places = places
        self._go_on = go_on

    def glob(self, path: str, **_: object) -> list[str]:
        """A name is taken as it is, not as a pattern."""
        return [path]

    def exists(self, path: str, **_: object) -> bool:
        """Whether it is one of the run's."""
        return path in self._places

    def size(self, path: str) -> int:
        """The object's size as it was listed."""
        return self._places[path][1].size

    def open(self, path: str, mode: str = "rb", **_: object) -> "_File":
        """The object, to be read."""
        del mode
        return _File(self, *self._places[path], self._go_on)


class _File:
    """As much of a file as the engine uses."""

    def __init__(self, streams: Streams, read: Read, found: StoredObject, go_on: Callable[[], None]) -> None:
        assert found.origin is not None
        self._streams = streams
        self._read = read
        self._file = found.origin.open(found, go_on)
        self.seek, self.tell, self.close = self._file.seek, self._file.tell, self._file.close

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most as many as are asked for; none at the end.

        An engine asks for 32 MB at once, and again when it got fewer. To get so much memory costs more than to fill it.
        """
        try:
            return self._file.read(_AT_ONCE if size < 0 else min(size, _AT_ONCE))
        except RunFailed as error:
            error.node_id, error.node = self._read.node_id, self._read.node
            self._streams.failure = self._streams.failure or error
            raise
