"""The first bytes of text files, and the last: headers, the layout of JSON, how long the last line is."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from headrace.errors import BadData, SourceChanged, StoreDenied, StoreError
from headrace.plan.ops import Dialect, Read
from headrace.stores.base import StoredObject

_FIRST = 64 * 1024
_MOST = 4 * 1024 * 1024
_TAIL = 64 * 1024
_SOME_LINES = 10


def header(found: StoredObject, dialect: Dialect) -> tuple[str, ...]:
    """The names in the first record of a CSV file; empty for a file without a record.

    Raises BadData when the record does not end within 4 MiB or an empty line stands before it, SourceChanged when the
    object is gone.
    """
    size = _FIRST
    while True:
        data = _first_bytes(found, size)
        # A cut may fall inside a character; the engine is the one that judges the encoding of the whole file.
        text = data.decode("utf-8-sig", errors="replace")
        record, complete = _first_record(text, dialect)
        if complete or len(data) < size:
            if record and text.startswith(("\n", "\r")):
                # The engines differ in what they take for the header then.
                told = f"{found.bucket}/{found.key}, line 1: an empty line stands before the header"
                raise BadData(told, hint="take it away")
            return tuple(record)
        if size >= _MOST:
            told = f"{found.bucket}/{found.key}: the header does not end within 4 MiB"
            raise BadData(told, hint="is the quote character right?")
        size *= 8


@contextmanager
def opened(found: StoredObject) -> Iterator[BinaryIO]:
    """The object's bytes. Raises SourceChanged when it is gone, StoreError for what else may be."""
    try:
        with _file(found) as file:
            yield file
    except FileNotFoundError:
        raise SourceChanged(f"{found.bucket}/{found.key} was removed after the run had listed it") from None
    except PermissionError:
        hint = "let the user who runs this read it"
        raise StoreDenied(f"{found.bucket}/{found.key}: may not read it", hint=hint) from None
    except OSError as error:
        raise StoreError(f"{found.bucket}/{found.key}: {error.strerror}") from error


def last_line_reaches(found: StoredObject, size: int) -> bool:
    """Whether the last line is of this size, at least. Not known, so false, of what can't be read from its end."""
    with opened(found) as file:
        if not file.seekable() or (whole := file.seek(0, os.SEEK_END)) <= size:
            return False
        for tail in (_TAIL, size):
            file.seek(max(0, whole - tail))
            last = file.read().rstrip(b"\r\n")
            if b"\n" in last or b"\r" in last:
                return False
    return True


def bytes_a_line(found: StoredObject) -> float | None:
    """How long the lines at the beginning of a text file are on average; None when there are too few to tell."""
    data = _first_bytes(found, _FIRST)
    lines = data.count(b"\n") or data.count(b"\r")
    return len(data) / lines if lines >= _SOME_LINES else None


def _file(found: StoredObject) -> BinaryIO:
    return open(found.location, "rb") if found.origin is None else found.origin.open(found)


def _first_bytes(found: StoredObject, size: int) -> bytes:
    with opened(found) as file:
        return file.read(size)


def _first_record(text: str, dialect: Dialect) -> tuple[list[str], bool]:
    doubled = dialect.escape == dialect.quote
    source = io.StringIO(text, newline="")
    lines = csv.reader(
        source,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        doublequote=doubled,
        escapechar=None if doubled else dialect.escape,
    )
    csv.field_size_limit(_MOST * 2)
    record = next((record for record in lines if record), [])
    return record, source.tell() < len(text)


def matched(read: Read, found: StoredObject, names: Sequence[str]) -> tuple[str, ...]:
    """For each column of a file, the declared name that it has, or a name that no field has.

    Names match exactly, else without regard to case. Raises BadData that lists both sides when a declared one is
    missing, or when two columns could be meant.
    """
    declared = {f.name.lower(): f.name for f in read.declared}
    exact = {f.name for f in read.declared} & set(names)
    result: list[str] = []
    for index, name in enumerate(names):
        alike = declared.get(name.strip().lower())
        meant = name if name in exact else alike if alike not in exact else None
        if meant is not None and meant in result:
            raise _mismatch(read, found, names, f"two columns are named {meant!r}, but for case")
        result.append(meant or f"_other_{index + 1}")
    missing = [f.name for f in read.declared if f.name not in result]
    if missing:
        raise _mismatch(read, found, names, f"there is no column {', '.join(map(repr, missing))}")
    return tuple(result)


def _mismatch(read: Read, found: StoredObject, names: Sequence[str], what: str) -> BadData:
    has = ", ".join(names[:50]) + (" …" if len(names) > 50 else "")
    wanted = ", ".join(read.declared.names[:50])
    hint = f"the header has: {has}. fieldList has: {wanted}"
    if not any(name in read.declared.names for name in names):
        hint += '. If the file has no header, set "options": {"header": false}'
    return BadData(f"{found.bucket}/{found.key}: {what}", hint=hint, node_id=read.node_id, node=read.node)


def is_array(found: StoredObject) -> bool:
    """Whether a JSON file is one array, by its first sign that is no space."""
    return first_text(found).lstrip().startswith("[")


def first_text(found: StoredObject) -> str:
    """The beginning of a file, as far as it is UTF-8."""
    return _first_bytes(found, _FIRST).decode("utf-8-sig", errors="replace")
