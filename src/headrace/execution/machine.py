"""What a run may use of this machine: threads, memory, and a folder of its own for what it spills."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.engines.base import Limits
from headrace.errors import StoreDenied, StoreError, StoreFull
from headrace.settings import Settings, parse_size

_SHARE_OF_MEMORY = 0.6
_SHARE_OF_RUNS = 0.9
_SHARE_OF_DISK = 0.9
_CGROUP = Path("/sys/fs/cgroup/memory.max")
_MEMINFO = Path("/proc/meminfo")
_STATUS = Path("/proc/self/status")
_OWNER = "owner"
_ROOM = 64 * 1024


@contextmanager
def limits(settings: Settings, run: str, *, threads: int | None = None) -> Iterator[Limits]:
    """The limits of one run. Its spill folder exists while the context lasts; those of dead runs are removed.

    `threads` is what the run asks for: it gets as many as the settings and the machine allow.
    """
    root = settings.temp_directory
    folder = root / run
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root):
            _sweep(root)
            folder.mkdir()
            owner = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(owner, fcntl.LOCK_EX)
    except OSError as error:
        raise _unusable(root, error, "the temporary folder", "set temp_directory") from None
    try:
        allowed = settings["threads"] or len(os.sched_getaffinity(0))
        free = int(shutil.disk_usage(root).free * _SHARE_OF_DISK)
        yield Limits(
            threads=min(threads or allowed, allowed),
            memory=_kib(settings["memory_limit"], int(available_memory() * _SHARE_OF_MEMORY)),
            temp_directory=str(folder),
            temp_size=_kib(settings["temp_size"], free),
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(owner)


def check_room(folder: Path, *, make: bool = False) -> None:
    """Raises a StoreError unless something can be written in a folder, which is made when that is wanted."""
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".room-") as file:
            file.write(bytes(_ROOM))
    except OSError as error:
        raise _unusable(folder, error, "the folder", "set data") from None


def _unusable(folder: Path, error: OSError, name: str, other: str) -> StoreError:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreDenied(f"may not write in {folder}", hint=f"let this user write there, or {other}")
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    kind, hint = (StoreFull, "free room there, or") if full else (StoreError, "make it a folder, or")
    return kind(f"{name} {folder}: {error.strerror}", hint=f"{hint} {other}")


def _kib(text: str, otherwise: int) -> str:
    return f"{(parse_size(text) if text else otherwise) // 1024}KiB"


def available_memory() -> int:
    """Bytes of memory that this process may have: the machine's, or less when its control group says so."""
    whole = next(
        int(line.split()[1]) * 1024 for line in _MEMINFO.read_text().splitlines() if line.startswith("MemTotal")
    )
    try:
        limit = _CGROUP.read_text().strip()
    except OSError:
        return whole
    return min(whole, int(limit)) if limit.isdecimal() else whole


def slots(settings: Settings) -> int:
    """How many runs a worker has at once."""
    return int(settings["workers"]) or len(os.sched_getaffinity(0))


def run_memory(settings: Settings) -> int:
    """Bytes of memory that the processes of one run may have before the run is ended."""
    if settings["run_memory_limit"]:
        return parse_size(settings["run_memory_limit"])
    return int(available_memory() * _SHARE_OF_RUNS / slots(settings))


def peak_memory() -> int:
    """The most bytes of memory that this process had. What rusage tells begins with the peak of the parent process."""
    return next(int(line.split()[1]) * 1024 for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Nobody else sweeps meanwhile: a folder that is just being made has no owner yet."""
    handle = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sweep(root: Path) -> None:
    """Remove the folders of runs that died: their owner's lock is free."""
    for folder in root.iterdir():
        try:
            owner = os.open(folder / _OWNER, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(owner)
