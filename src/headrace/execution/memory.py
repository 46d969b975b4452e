"""How much memory the processes of a run have, and when that is too much.

Resident memory costs nothing to ask but counts shared pages in every process; the proportional share counts them once
and takes milliseconds. So the one says when to ask for the other.
"""

import os
from collections.abc import Iterator
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def above(pid: int, limit: int) -> int:
    """The bytes that a process has with all that it has started, when they are more than the limit, else 0."""
    pids = tuple(_tree(pid))
    if sum(map(resident, pids)) <= limit:
        return 0
    had = sum(map(_proportional, pids))
    return had if had > limit else 0


def resident(pid: int) -> int:
    """The resident memory of one process, in bytes; 0 when it has ended."""
    return int((_read(Path(f"/proc/{pid}/statm")) or "0 0").split()[1]) * _PAGE


def _proportional(pid: int) -> int:
    lines = _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(children).split():
            yield from _tree(int(child))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""
