"""The first bytes of text files: what a header says, how a JSON file is laid out. No engine is needed for that."""

import csv
import io
from collections.abc import Sequence

from headrace.errors import BadData, SourceChanged
from headrace.plan.ops import Dialect, Read
from headrace.stores.base import StoredObject

_FIRST = 64 * 1024
_MOST = 4 * 1024 * 1024
CODECS = {"UTF-8": "utf-8-sig", "UTF-16": "utf-16", "LATIN-1": "latin-1"}


def header(found: StoredObject, dialect: Dialect) -> tuple[str, ...]:
    """The names in the first record of a CSV file; empty for a file without a record.

    Raises BadData when the record does not end within 4 MiB, SourceChanged when the object is gone.
    """
    size = _FIRST
    while True:
        data = _first_bytes(found, size)
        # A cut may fall inside a character; the engine is the one that judges the encoding of the whole file.
        text = data.decode(CODECS[dialect.encoding], errors="replace")
        record, complete = _first_record(text, dialect)
        if complete or len(data) < size:
            return tuple(record)
        if size >= _MOST:
            raise BadData(f"the header of {found.key} does not end within 4 MiB", hint="is the quote character right?")
        size *= 8


def _first_bytes(found: StoredObject, size: int) -> bytes:
    try:
        with open(found.location, "rb") as file:
            return file.read(size)
    except FileNotFoundError:
        raise SourceChanged(f"{found.bucket}/{found.key} was removed after the run had listed it") from None


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
        meant = name if name in exact else declared.get(name.strip().lower())
        if meant in result and meant is not None:
            raise _mismatch(read, found, names, f"two columns are named {meant!r}, but for case")
        taken = meant is not None and (meant == name or meant not in exact)
        result.append(meant if taken and meant is not None else f"_other_{index + 1}")
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
