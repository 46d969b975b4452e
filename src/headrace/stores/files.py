"""A folder of buckets that behaves like object storage: `root/<bucket>/<key>`.

Buckets are folders that somebody made; of itself the store makes none. Below a bucket a symbolic link may stand only
for a file of the same bucket: a folder that has two names would have two claims and two sets of commit records. What
the store needs for itself lies in `root/.headrace`.
"""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from headrace import mounts
from headrace.clock import Clock, SystemClock
from headrace.errors import StoreDenied, StoreError, StoreFull, StoreMissing
from headrace.stores import locks
from headrace.stores.base import Early, Listing, StoredObject, go_on_always
from headrace.stores.names import OURS, check_bucket, check_key, is_hidden, join
from headrace.stores.names import within as is_within
from headrace.stores.settling import Settling

_CLOCK = SystemClock()
_SHOWN_BUCKETS = 20
_LOCKS = ".headrace/locks"
_LINKS = "a link may stand only for a file of the same bucket"


class FolderStore:
    """Objects as files in a folder. Reading needs no right to write anywhere.

    `shared` says that the folder may lie on a network file system, where claims hold only if its locks do.
    """

    def __init__(self, root: str | Path, *, shared: bool = False, clock: Clock = _CLOCK) -> None:
        self._root = os.path.realpath(root)
        self._shared = shared
        self._clock = clock
        self._settling: dict[str, Settling] = {}

    def make(self, bucket: str) -> None:
        """Make a folder for a bucket; one that is there is passed over."""
        check_bucket(bucket)
        with told(bucket):
            Path(self._root, bucket).mkdir(exist_ok=True)
            _sync(self._root)

    def listing(self, bucket: str, prefix: str) -> Listing:
        """The object of exactly this name, or all data under `prefix/`; nothing there is no error."""
        path = self._path(bucket, prefix)
        with told(join(bucket, prefix)):
            if os.path.isfile(path):
                return Listing(self._object(bucket, prefix, path), (), "")
            return self._walk(bucket, prefix)

    def read(self, bucket: str, key: str) -> bytes | None:
        """A small object's bytes, or None when it is not there."""
        with told(join(bucket, key)):
            try:
                return Path(self._path(bucket, key)).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, bucket: str, key: str, data: bytes) -> None:
        """Write a small object: whole or not at all."""
        path = Path(self._path(bucket, key))
        new = path.with_name(f".{path.name}.new")
        with told(join(bucket, key)):
            path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
            _sync(str(path.parent))

    def move(self, bucket: str, moves: Sequence[tuple[str, str]]) -> None:
        """Give objects other names, in order. One that is not there is passed over: it was moved before."""
        for source, target in moves:
            with told(join(bucket, target)):
                old, new = self._path(bucket, source), self._path(bucket, target)
                if os.path.lexists(old):
                    os.rename(old, new)
        self._sync_all(bucket, {os.path.dirname(target) for _, target in moves})

    def remove(self, bucket: str, keys: Sequence[str], *, within: str) -> None:
        """Remove objects, in order, and folders below `within` that are empty then. Missing ones are passed over."""
        for key in keys:
            with told(join(bucket, key)):
                Path(self._path(bucket, key)).unlink(missing_ok=True)
        folders = {os.path.dirname(key) for key in keys}
        # Before the caller goes on to take away the record that tells of these removals.
        self._sync_all(bucket, folders)
        for folder in sorted(folders, reverse=True):
            self._prune(bucket, folder, within=within)

    def stage(self, bucket: str, folder: str, early: Early | None = None) -> str:
        """A folder for the files of an engine: the very one that is asked for."""
        del early  # to give a file its final name is quick here
        path = self._path(bucket, folder)
        with told(join(bucket, folder)):
            os.makedirs(path, exist_ok=True)
        self._settling[path] = Settling(path)
        return path

    def flush(self, bucket: str, folder: str, go_on: Callable[[], None] = go_on_always) -> None:
        """Make lasting what lies in `folder`, and the names of all folders that lead to it."""
        base, path = self._bucket(bucket), self._path(bucket, folder)
        if path in self._settling:
            self._settling.pop(path).stop()
        with told(join(bucket, folder)):
            for inner, _, names in os.walk(path, onerror=_raise):
                for name in names:
                    go_on()
                    _sync(os.path.join(inner, name))
                _sync(inner)
            while path != base:
                path = os.path.dirname(path)
                _sync(path)

    def arrive(self, bucket: str, folder: str) -> Sequence[StoredObject]:
        """Nothing: all files were brought to `folder`."""
        del bucket, folder
        return ()

    def abandon(self, bucket: str, folder: str, is_ours: Callable[[str], bool]) -> None:
        """Nothing is on its way to a key of a folder."""
        del bucket, folder, is_ours

    def discard(self, bucket: str, folder: str) -> None:
        """Remove `folder` with everything in it, data or not; nothing there is no error."""
        path = self._path(bucket, folder)
        with told(join(bucket, folder)):
            try:
                shutil.rmtree(path)
            except FileNotFoundError:
                return

    def claim(self, folders: Sequence[tuple[str, str]], *, run: str, wait: float) -> AbstractContextManager[None]:
        """Be the only writer of these (bucket, folder) pairs, and of all above and below them."""
        for bucket, _ in folders:
            self._bucket(bucket)
        if not self._shared and mounts.on_network(self._root):
            hint = "keep it on a local disk, use object storage, or allow it when all machines share its locks"
            raise StoreDenied("the folder store lies on a network file system, where claims may not hold", hint=hint)
        return self._claimed(folders, run=run, wait=wait)

    @contextmanager
    def _claimed(self, folders: Sequence[tuple[str, str]], *, run: str, wait: float) -> Iterator[None]:
        with told(_LOCKS):
            held = locks.acquire(Path(self._root, _LOCKS), folders, run=run, wait=wait, clock=self._clock)
        with held:
            yield

    def _bucket(self, bucket: str) -> str:
        check_bucket(bucket)
        path = os.path.join(self._root, bucket)
        if os.path.islink(path):
            raise StoreDenied(f"bucket '{bucket}' is a symbolic link", hint="a bucket is a folder of its own")
        if not os.path.isdir(path):
            there = self._buckets()
            names = ", ".join(there[:_SHOWN_BUCKETS]) + (", …" if len(there) > _SHOWN_BUCKETS else "")
            raise StoreMissing(f"there is no bucket '{bucket}'", hint=f"there are: {names or 'none'}")
        return path

    def _buckets(self) -> list[str]:
        with told("the folder of buckets"):
            names = sorted(entry.name for entry in os.scandir(self._root) if entry.is_dir(follow_symlinks=False))
        return [name for name in names if not is_hidden(name)]

    def _path(self, bucket: str, key: str) -> str:
        """Where the key lies, after a look at every link on the way; the empty key is the bucket's own folder."""
        base = self._bucket(bucket)
        if not key:
            return base
        check_key(key)
        path = os.path.join(base, key)
        if _has_link(base, key) and not _is_harmless(base, path, os.path.realpath(path)):
            raise StoreDenied(f"'{bucket}/{key}' is a symbolic link, or lies behind one", hint=_LINKS)
        return path

    def _walk(self, bucket: str, prefix: str) -> Listing:
        objects: list[StoredObject] = []
        ours: list[str] = []
        marks: list[str] = []
        folders = [prefix]
        while folders:
            folder = folders.pop()
            for key, entry in self._entries(bucket, folder, marks):
                if entry.name == OURS and folder:
                    ours.append(folder)
                elif is_hidden(entry.name):
                    continue
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(key)
                else:
                    objects.extend(self._object(bucket, key, entry.path))
        objects.sort(key=lambda found: found.key)
        return Listing(tuple(objects), tuple(sorted(ours)), "\n".join(marks))

    def _entries(self, bucket: str, folder: str, marks: list[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """What lies in a folder, sorted. The mark is taken before, so that a later change can't go unseen."""
        path = os.path.join(self._root, bucket, folder)
        try:
            marks.append(f"{os.stat(path).st_mtime_ns:x} {folder}")
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        yield from ((join(folder, entry.name), entry) for entry in entries)

    def _object(self, bucket: str, key: str, path: str) -> tuple[StoredObject, ...]:
        """The object at a path, or nothing when it, or what it is a link to, has gone."""
        # A name that no primitive would take again must not come into a listing: its removal could never be done.
        check_key(key)
        if os.path.islink(path):
            self._path(bucket, key)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return ()
        if not stat.S_ISREG(status.st_mode):
            raise StoreDenied(f"'{bucket}/{key}' is not a file", hint="take away what is neither file nor folder")
        etag = f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
        return (StoredObject(bucket, key, status.st_size, etag, path),)

    def _prune(self, bucket: str, folder: str, *, within: str) -> None:
        """Remove the folder if it is empty, and then those above it that are, up to but without `within`."""
        while folder != within and is_within(folder, within):
            with told(join(bucket, folder)):
                if not _removed_empty(self._path(bucket, folder)):
                    return
            folder = os.path.dirname(folder)

    def _sync_all(self, bucket: str, folders: Iterable[str]) -> None:
        """Make lasting what was put into or taken from the folders; for one that is gone, that it is gone."""
        for folder in sorted(folders):
            path = self._path(bucket, folder)
            with told(join(bucket, folder)):
                while not os.path.isdir(path):
                    path = os.path.dirname(path)
                _sync(path)


@contextmanager
def told(where: str) -> Iterator[None]:
    """Tell what the system refuses in the store's own words: `where` is a bucket and a key."""
    try:
        yield
    except OSError as error:
        kind, what, hint = _TOLD.get(error.errno or 0, (StoreError, os.strerror(error.errno or 0), ""))
        raise kind(f"'{where}': {what}", hint=hint) from error


_FULL = (StoreFull, "there is no room left", "make room, or write to another store")
_DENIED = (StoreDenied, "the system does not let us", "look at the owner and the rights of the folder")
_IN_THE_WAY = (StoreDenied, "an object lies where a folder must be", "write to another prefix")
_TOLD: dict[int, tuple[type[StoreError], str, str]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _DENIED,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOENT: (StoreMissing, "it is not there", "it may have been taken away in between: run again"),
}


def _has_link(base: str, key: str) -> bool:
    """Whether a part of the key is a link. What leads to the buckets was followed when the store was opened."""
    path = base
    for part in key.split("/"):
        path = f"{path}/{part}"
        try:
            if stat.S_ISLNK(os.lstat(path).st_mode):
                return True
        except (FileNotFoundError, NotADirectoryError):
            return False  # and so nothing lies below it
    return False


def _is_harmless(base: str, path: str, real: str) -> bool:
    """Whether the path is a link to a file of the same bucket, in a folder that is reached by no link.

    The file need not be there (any more): both may be removed together, and then the link must still have a name.
    """
    folder = os.path.dirname(path)
    inside = real.startswith(base + "/") and real != path
    return inside and os.path.realpath(folder) == folder and not os.path.isdir(real)


def _removed_empty(path: str) -> bool:
    """Whether the folder is gone: it was empty, or not there."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _raise(error: OSError) -> None:
    raise error
