"""About how many rows a run has to read, for its progress."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from headrace.engines import heads
from headrace.errors import RunFailed
from headrace.stores.base import Snapshot, StoredObject

_LONG = 64 * 1024 * 1024
"""Bytes of text, from which on a run may take long enough for somebody to ask."""


def expected_rows(snapshot: Snapshot, known: int | None) -> int | None:
    """The rows that a source is known to have, else those that its text may have by its first lines; None for neither.

    Too many where texts in quotes have line breaks. Little text is not looked at: a run over it is soon over.
    """
    if known is not None:
        return known
    filled = [stored for stored in snapshot.objects if stored.size]
    size = sum(map(_size, filled))
    if size < _LONG:
        return None
    with suppress(RunFailed):  # who reads all of it will say so
        if line := heads.bytes_a_line(filled[0]):
            return int(size / line)
    return None


def together(expected: Iterable[int | None]) -> int | None:
    """The rows of all sources, when each is known."""
    given = list(expected)
    rows = [one for one in given if one is not None]
    return sum(rows) if rows and len(rows) == len(given) else None


def _size(stored: StoredObject) -> int:
    """Bytes of plain text: an object that was packed has its copy in a file."""
    if stored.origin is not None:
        return stored.size
    try:
        return Path(stored.location).stat().st_size
    except OSError:  # as above
        return stored.size
