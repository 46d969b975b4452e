"""What a store of objects must be able to do, and the values that pass between it and those who read and write.

A store knows buckets and keys. It knows nothing of jobs, generations or commit records: those are `publish`'s, which
needs no more from a store than the few primitives here.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from headrace.plan.ops import Place
from headrace.stores.access import Access


def go_on_always() -> None:
    """Nobody stops what asks this."""


class Origin(Protocol):
    """Where objects come from when an engine can't just open them as files."""

    def open(self, found: "StoredObject", go_on: Callable[[], None] = go_on_always) -> BinaryIO:
        """An object's bytes, from its first one. Reading raises SourceChanged unless it is still the one listed.

        `go_on` is called while bytes are waited for, and may raise.
        """

    def access(self, bucket: str) -> Access:
        """What an engine needs to read objects of the bucket."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object: its name, what tells that it is still the same one, and where an engine opens it.

    `key` is the name that the object has, or will have once its publication is done; `location` is where it is now: a
    file, or an address of the `origin`.
    """

    bucket: str
    key: str
    size: int
    etag: str
    location: str
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The objects of one generation of a place, sorted by key."""

    place: Place
    objects: tuple[StoredObject, ...]


@dataclass(frozen=True, slots=True)
class Staged:
    """An existing local folder into which an engine writes its files for one target, each from beginning to end."""

    directory: str
    place: Place
    run: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a store holds under a prefix.

    `objects` are the data, sorted by key. `ours` are the folders, the prefix's own and those below, that hold a
    `_headrace` folder, sorted. `mark` differs when a name came or went in between, even one that is gone again, as
    far as the store can tell.
    """

    objects: tuple[StoredObject, ...]
    ours: tuple[str, ...]
    mark: str


@dataclass(frozen=True, slots=True)
class Early:
    """How a staged file comes to its final name before its publication is committed, in a store that can do so.

    `announce` is called before the first such file is begun. `key` gives a final name, from a number, which counts from
    0 and is that of one file at a time, and the name in the staging folder.
    """

    announce: Callable[[], None]
    key: Callable[[int, str], str]


class Store(Protocol):
    """Buckets of objects. All that changes something has lasted (survives a power cut) when it returns.

    Every key is checked: one that would leave its bucket is StoreDenied. A bucket that is not there is StoreMissing.
    """

    def make(self, bucket: str) -> None:
        """Make a bucket. One that is there already is passed over; its name may be somebody else's, though."""

    def listing(self, bucket: str, prefix: str) -> Listing:
        """The object of exactly this name, or all data under `prefix/`; nothing there is no error."""

    def read(self, bucket: str, key: str) -> bytes | None:
        """A small object's bytes, or None when it is not there."""

    def write(self, bucket: str, key: str, data: bytes) -> None:
        """Write a small object: whole or not at all."""

    def move(self, bucket: str, moves: Sequence[tuple[str, str]]) -> None:
        """Give objects other names, in order. One that is not there is passed over: it was moved before."""

    def remove(self, bucket: str, keys: Sequence[str], *, within: str) -> None:
        """Remove objects, in order, and folders below `within` that are empty then. Missing ones are passed over."""

    def stage(self, bucket: str, folder: str, early: Early | None = None) -> str:
        """A local folder for files that `flush` brings to `folder`, or as far as `arrive` as `early` says."""

    def flush(self, bucket: str, folder: str, go_on: Callable[[], None] = go_on_always) -> None:
        """Make lasting what was written into the local folder that `stage` gave for `folder`.

        `go_on` is called while that takes long, and may raise.
        """

    def arrive(self, bucket: str, folder: str) -> Sequence[StoredObject]:
        """Let those files come to their final names that `flush` did not bring to `folder`, and give them."""

    def abandon(self, bucket: str, folder: str, is_ours: Callable[[str], bool]) -> None:
        """End what is on its way to the keys of `folder` that are ours; nothing of it comes any more."""

    def discard(self, bucket: str, folder: str) -> None:
        """Remove `folder` with everything in it, data or not; nothing there is no error."""

    def claim(self, folders: Sequence[tuple[str, str]], *, run: str, wait: float) -> AbstractContextManager[None]:
        """Be the only writer of these (bucket, folder) pairs, and of all above and below them, while the context lasts.

        The claim ends with the process, however it ends: at once, or when its lease is over where nobody can tell that
        the process is gone. A holder whose lease is over can't change anything any more: StoreBusy. Raises StoreBusy
        naming the holder after `wait` seconds.
        """
