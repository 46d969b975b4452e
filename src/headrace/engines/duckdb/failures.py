"""What a failure of DuckDB means to the person whose run it was."""

import json
import re
from collections.abc import Mapping, Sequence

import duckdb

from headrace.engines.duckdb.sources import SQL, Connection, Lenient, csv_options, listed, shown, source
from headrace.engines.heads import header, matched
from headrace.engines.sql import BAD_VALUE
from headrace.errors import (
    BadData,
    Cancelled,
    EngineFailed,
    OutOfMemory,
    RunFailed,
    SourceChanged,
    StoreDenied,
    StoreFull,
)
from headrace.plan.ops import Read
from headrace.stores.base import Snapshot, StoredObject

_RAGGED = re.compile(r"Expected Number of Columns: \d+ Found: \d+")
_FATAL = {
    "UNQUOTED VALUE": ("a quoted value does not end", "close the quote, or set another quote character in options"),
    "INVALID ENCODING": (
        "the bytes are not of the declared encoding",
        "set options.encoding to what the file is written in",
    ),
    "LINE SIZE OVER MAXIMUM": ("the line is too long", ""),
}


def is_ragged(error: Exception) -> bool:
    """Whether rows have more or fewer values than columns: what the lenient reader can take."""
    return isinstance(error, duckdb.InvalidInputException) and _RAGGED.search(str(error)) is not None


def is_csv(error: Exception) -> bool:
    """Whether the reader of CSV refused a file."""
    return isinstance(error, duckdb.InvalidInputException) and "CSV Error on Line" in str(error)


def inspect(con: Connection, read: Read, snapshot: Snapshot) -> Lenient:
    """All that is ragged in a CSV source, by one pass that keeps nothing; BadData when it can't be read at all."""
    found = Lenient()
    for stored in (s for s in snapshot.objects if s.size):
        names: Sequence[str] = read.declared.names
        if read.dialect.header:
            names = header(stored, read.dialect)
            if not names:
                continue
            names = matched(read, stored, names)
        options = {**csv_options(read.dialect, names), "store_rejects": "true", "rejects_limit": "0"}
        con.execute(f"SELECT count(*) FROM read_csv({listed([stored.location])}, {shown(options)})").fetchall()
        _take(con, read, stored, found)
        con.execute("DROP TABLE reject_errors")
        con.execute("DROP TABLE reject_scans")
    return found


def _take(con: Connection, read: Read, stored: StoredObject, found: Lenient) -> None:
    kinds = ", ".join(f"'{k}'" for k in _FATAL)
    fatal = f"SELECT line, error_type FROM reject_errors WHERE error_type IN ({kinds}) ORDER BY line LIMIT 1"
    if first := con.execute(fatal).fetchall():
        line, error_type = first[0]
        what, hint = _FATAL[error_type]
        raise BadData(
            f"{stored.bucket}/{stored.key}, line {line}: {what}", hint=hint, node_id=read.node_id, node=read.node
        )
    rows = con.execute(
        "SELECT count(DISTINCT line) FILTER (error_type = 'MISSING COLUMNS'), "
        "count(DISTINCT line) FILTER (error_type = 'TOO MANY COLUMNS') FROM reject_errors"
    ).fetchall()
    if any(rows[0]):
        found.files.add(stored.location)
        found.short_rows += rows[0][0]
        found.long_rows += rows[0][1]


def explained(
    error: Exception, reads: Mapping[int, Read], sources: Mapping[int, Snapshot], *, cancelled: bool
) -> RunFailed:
    """The failure in our words, with the node and the object when the message tells them."""
    text = str(error)
    if cancelled or isinstance(error, duckdb.InterruptException):
        return Cancelled("the run was stopped")
    node_id, stored = _place(text, sources)
    node = reads[node_id].node if node_id is not None else ""
    shown = f"{stored.bucket}/{stored.key}: " if stored else ""
    first = text.removeprefix("Invalid Input Error: ").split("\n\nLINE ")[0].strip().split("\n")[0]
    if stored:
        first = first.replace(stored.location, f"{stored.bucket}/{stored.key}")
    kind, hint = _kind(error, text)
    return kind(shown + first if shown not in first else first, hint=hint, node_id=node_id, node=node)


def _kind(error: Exception, text: str) -> tuple[type[RunFailed], str]:
    if "No space left on device" in text or "max_temp_directory_size" in text:
        return StoreFull, "free room where data and temporary files are written, or set temp_directory elsewhere"
    if isinstance(error, duckdb.OutOfMemoryException):
        return OutOfMemory, "raise memory_limit, or lower threads"
    if "Permission denied" in text:
        return StoreDenied, "let the user who runs this read and write there"
    if isinstance(error, duckdb.IOException) and ("No such file" in text or "No files found" in text):
        return SourceChanged, "run again"
    if isinstance(error, duckdb.InvalidInputException | duckdb.IOException):
        return BadData, "look at the object; was it cut off, or written as another format?"
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        return BadData, "a result is out of range of its type; cast to a wider one before"
    return EngineFailed, ""


def _place(text: str, sources: Mapping[int, Snapshot]) -> tuple[int | None, StoredObject | None]:
    for node_id, snapshot in sources.items():
        for stored in snapshot.objects:
            if stored.location in text:
                return node_id, stored
    return None, None


def is_bad_value(error: Exception) -> bool:
    """Whether a source with mode FAIL met a value that does not parse."""
    return BAD_VALUE in str(error)


def bad_value(con: Connection, error: Exception, reads: Mapping[int, Read], sources: Mapping[int, Snapshot]) -> BadData:
    """The bad value with its file and record."""
    text = str(error)
    told = json.JSONDecoder().raw_decode(text[text.index(BAD_VALUE) + len(BAD_VALUE) :])[0]
    read = reads[told["node"]]
    stored = next(s for s in sources[read.node_id].objects if s.location == told["file"])
    record = _record(con, read, stored, told["field"], told["value"])
    wanted = read.declared[told["field"]].type
    return BadData(
        f"{stored.bucket}/{stored.key}, record {record}: "
        f"{told['value']!r} in column {told['field']!r} is not a value of {wanted}",
        hint='correct it, or let such values be null and counted with "options": {"mode": "NULL"}',
        node_id=read.node_id,
        node=read.node,
    )


def _record(con: Connection, read: Read, stored: StoredObject, field: str, value: object) -> int:
    """The number of the first record, from 1, that has this very value in the column."""
    relation = source(con, read, Snapshot(read.place, (stored,)), Lenient({stored.location})).raw.relation
    numbered = f"SELECT row_number() OVER () AS number, * FROM {relation}"
    query = f"SELECT min(number) FROM ({numbered}) WHERE CAST({SQL.quoted(field)} AS VARCHAR) = $value"
    return int(con.execute(query, {"value": value}).fetchall()[0][0])
