"""Claims on a folder of buckets: one live writer for a prefix and for all that contains it or lies in it.

A claim is a set of `flock` locks on small files in a tree that mirrors the buckets: an exclusive one for the prefix
itself and a shared one for each folder above it, the bucket included. So two prefixes conflict exactly when one
contains the other. The kernel drops the locks when their process ends, however it ends. The files stay: taking away a
file that somebody may be waiting for would let two hold the same claim.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from headrace.clock import Clock
from headrace.errors import StoreBusy
from headrace.stores.names import ancestors

Folder = tuple[str, str]

_POLL_SECONDS = 0.02
# No part of a data prefix begins with "_": the file of one folder can't be the folder of another.
_FILE = "_lock"


def acquire(root: Path, folders: Sequence[Folder], *, run: str, wait: float, clock: Clock) -> ExitStack:
    """The claims on all folders, until the stack is closed; StoreBusy names the holder after `wait` seconds."""
    until = clock.seconds() + wait
    holder = json.dumps({"run": run, "pid": os.getpid(), "host": os.uname().nodename, "since": f"{clock.now():%FT%TZ}"})
    with ExitStack() as held:
        for folder, kind in locks_of(folders).items():
            handle = held.enter_context(_opened(_file(root, folder)))
            while not _locked(handle, kind):
                if clock.seconds() >= until:
                    raise _busy(root, folder)
                time.sleep(_POLL_SECONDS)
            if kind == fcntl.LOCK_EX:
                _sign(handle, holder)
                held.callback(os.ftruncate, handle, 0)
        return held.pop_all()


def locks_of(folders: Sequence[Folder]) -> Mapping[Folder, int]:
    """Each lock of these claims and its kind, in the order that everybody takes them, so that no two wait in a ring."""
    above = {(bucket, up): fcntl.LOCK_SH for bucket, folder in folders for up in _above(folder)}
    own = dict.fromkeys(folders, fcntl.LOCK_EX)
    return dict(sorted({**above, **own}.items()))


def _above(folder: str) -> tuple[str, ...]:
    return ("", *ancestors(folder)) if folder else ()


def _file(root: Path, folder: Folder) -> Path:
    return root.joinpath(*folder, _FILE)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not inherited by programs that we start (Python's default): a lock must not outlive us in one of them.
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield handle
    finally:
        os.close(handle)


def _locked(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(handle: int, holder: str) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, holder.encode(), 0)


def _busy(root: Path, folder: Folder) -> StoreBusy:
    bucket, prefix = folder
    holder = _holder(_file(root, folder)) or "another run"
    hint = "wait until it is done, or stop it; a claim ends with its process"
    return StoreBusy(f"{holder} writes to '{bucket}/{prefix}', above it or below it", hint=hint)


def _holder(own: Path) -> str:
    """Who holds this lock. Those who share it have signed only the files of their own folders, below."""
    files = (own, *sorted(own.parent.rglob(_FILE)))
    return next((text for text in map(_signature, files) if text), "")


def _signature(path: Path) -> str:
    """Who signed the file, unless that process is gone: a killed one leaves its signature, but not its lock."""
    try:
        raw = json.loads(path.read_bytes())
        who, host, pid = raw["run"], raw["host"], raw["pid"]
        since = raw["since"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    if host == os.uname().nodename and not os.path.exists(f"/proc/{pid}"):
        return ""
    return f"run {who} (process {pid} on {host}, since {since})"
