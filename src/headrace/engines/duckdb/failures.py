"""What a failure of DuckDB means to the person whose run it was."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from headrace.engines.duckdb import remote
from headrace.engines.duckdb.sources import LARGE_RECORDS, SQL, Connection, Lenient, csv_options, listed, shown, source
from headrace.engines.heads import header, matched
from headrace.engines.keys import REPEATED_KEY
from headrace.engines.merging import MERGED
from headrace.engines.raw import BAD_VALUE
from headrace.engines.sql import FAILED
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
from headrace.plan.expr import Call
from headrace.plan.ops import Aggregate, Op, Read, Sql
from headrace.stores.base import Snapshot, Staged, StoredObject

_DAMAGED = "TProtocolException"  # which names no file
FATAL = {
    "UNQUOTED VALUE": (
        "a quoted value does not end, or more follows its closing quote",
        "close the quote, or set another quote character in options",
    ),
    "INVALID ENCODING": (
        "the bytes are not of the declared encoding",
        "set options.encoding to what the file is written in",
    ),
    "LINE SIZE OVER MAXIMUM": ("the record is longer than 64 MB", "is the quote character right?"),
}

_WHOLE = "look at the object; was it cut off, or written as another format?"


def is_csv(error: Exception) -> bool:
    """Whether the reader of CSV refused a file."""
    return (isinstance(error, duckdb.InvalidInputException) and "CSV Error on Line" in str(error)) or _gave_up(error)


def _gave_up(error: Exception) -> bool:
    """Whether the reader of CSV lost its way in a record that is longer than its buffer."""
    return isinstance(error, duckdb.NotImplementedException) and "Parallel CSV Reader" in str(error)


def is_large_object(error: Exception) -> bool:
    """Whether the reader of JSON met an object that is larger than it expects."""
    return isinstance(error, duckdb.InvalidInputException) and "maximum_object_size" in str(error)


def is_misfit(error: Exception) -> bool:
    """Whether the reader of JSON met a nested value that is not of its type."""
    text = str(error)
    of_key = isinstance(error, duckdb.ConversionException) and "map keys cannot be NULL" in text
    return of_key or (isinstance(error, duckdb.InvalidInputException) and "JSON transform error" in text)


def is_line_ends(error: Exception) -> bool:
    """Whether the reader of CSV lost its way, as it does where records end now with LF and now with CRLF."""
    return "state machine reached an invalid state" in str(error)


def inspect(con: Connection, read: Read, snapshot: Snapshot, error: Exception) -> Lenient:
    """All that is ragged or large in a CSV source, by a pass that keeps nothing; BadData when it can't be read at all.

    A record that is longer than the reader expects looks like many faults: only with larger buffers it is known what
    is wrong.
    """
    try:
        if not _gave_up(error):
            return _inspect(con, read, snapshot, large=False)
    except BadData:
        con.execute("DROP TABLE IF EXISTS reject_errors")
        con.execute("DROP TABLE IF EXISTS reject_scans")
    return _inspect(con, read, snapshot, large=True)


def _inspect(con: Connection, read: Read, snapshot: Snapshot, *, large: bool) -> Lenient:
    found = Lenient(large=large)
    for stored in (s for s in snapshot.objects if s.size):
        names: Sequence[str] = read.declared.names
        if read.dialect.header:
            names = header(stored, read.dialect)
            if not names:
                continue
            names = matched(read, stored, names)
        options = {
            **csv_options(read.dialect, names),
            **(LARGE_RECORDS if large else {}),
            "store_rejects": "true",
            "rejects_limit": "0",
        }
        # The bytes of a column are looked at only when its values are asked for.
        values = ", ".join(f"count({SQL.quoted(name)})" for name in read.used.names) or "count(*)"
        con.execute(f"SELECT {values} FROM read_csv({listed([stored.location])}, {shown(options)})").fetchall()
        _take(con, read, stored, found)
        con.execute("DROP TABLE reject_errors")
        con.execute("DROP TABLE reject_scans")
    return found


def _take(con: Connection, read: Read, stored: StoredObject, found: Lenient) -> None:
    kinds = ", ".join(f"'{k}'" for k in FATAL)
    fatal = f"SELECT line, error_type FROM reject_errors WHERE error_type IN ({kinds}) ORDER BY line LIMIT 1"
    if first := con.execute(fatal).fetchall():
        line, error_type = first[0]
        what, hint = FATAL[error_type]
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


@dataclass(frozen=True, slots=True)
class Places:
    """The operations of a run by node id, and where they read and write: what a message may be about."""

    ops: Mapping[int, Op]
    sources: Mapping[int, Snapshot]
    targets: Mapping[int, Staged]

    def named(self, text: str) -> Iterator[tuple[int, str, str]]:
        """Node id, name on the machine and name in the store of each place whose machine name the text has."""
        for node_id, snapshot in self.sources.items():
            for stored in snapshot.objects:
                if stored.location in text or remote.mentions(stored, text):
                    yield node_id, stored.location, f"{stored.bucket}/{stored.key}"
        for node_id, staged in self.targets.items():
            if staged.directory in text:
                yield node_id, staged.directory, str(staged.place)
        if _DAMAGED in text:
            for op in self.ops.values():
                if isinstance(op, Read) and op.format == "PARQUET":
                    yield op.node_id, "", str(op.place)


def explained(error: Exception, places: Places, *, cancelled: bool) -> RunFailed:
    """The failure in our words, with the node and the object when the message tells them."""
    text = str(error)
    if cancelled or isinstance(error, duckdb.InterruptException):
        return Cancelled("the run was stopped")
    if FAILED in text:
        return _failed(text, places)
    if REPEATED_KEY in text:
        return _repeated_key(text, places)
    if MERGED in text:
        return _merged(text, places)
    node_id, location, name = next(places.named(text), (_summing(error, places.ops), "", ""))
    told = text.split("\n\nLINE ")[0].strip().split("\n")[0]
    told = re.sub(r"^(Invalid Input|IO|Conversion|Out of Range) Error: ", "", told)
    kind, what, hint = _kind(error, text)
    message = what or _line(told.replace(location, name) if location else told)
    shown = f"{name}: " if name and name not in message else ""
    return kind(shown + message, hint=hint, node_id=node_id, node=places.ops[node_id].node if node_id else "")


def _summing(error: Exception, ops: Mapping[int, Op]) -> int | None:
    """The node whose sum is out of range, when there is one alone: the engine does not tell."""
    if not isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        return None
    sums = [
        op.node_id
        for op in ops.values()
        if isinstance(op, Aggregate) and any(isinstance(m.expr, Call) and m.expr.function == "SUM" for m in op.measures)
    ]
    return sums[0] if len(sums) == 1 and not any(isinstance(op, Sql) for op in ops.values()) else None


def _failed(text: str, places: Places) -> BadData:
    """A value that the text of an SQL node could not convert."""
    told = json.JSONDecoder().raw_decode(text[text.index(FAILED) + len(FAILED) :])[0]
    node_id, message = told["told"].split("|", 1)
    node = places.ops[int(node_id)].node if int(node_id) in places.ops else ""
    hint = "keep such rows out with WHERE, or let them be null with TRY_CAST"
    return BadData(f"{message}: {told['value']!r} does not fit", hint=hint, node_id=int(node_id), node=node)


def _repeated_key(text: str, places: Places) -> BadData:
    told = json.JSONDecoder().raw_decode(text[text.index(REPEATED_KEY) + len(REPEATED_KEY) :])[0]
    read = places.ops[told["node"]]
    place = f"{read.place}: " if isinstance(read, Read) else ""
    message = f"{place}a map in column {told['field']!r} has a key twice: {_short(told['value'])}"
    hint = "leave one of them in the data"
    return BadData(message, hint=hint, node_id=told["node"], node=read.node)


def _merged(text: str, places: Places) -> BadData:
    told = json.JSONDecoder().raw_decode(text[text.index(MERGED) + len(MERGED) :])[0]
    op = places.ops[told["node"]]
    what = "has a missing value" if told["missing"] else "stands twice"
    message = f"among the rows to merge, the key ({_short(told['key'])}) {what}"
    hint = "keep one row for each key, as TRANSFORM_DROP_DUPLICATION does, and none without"
    return BadData(message, hint=hint, node_id=op.node_id, node=op.node)


def _short(value: str) -> str:
    return value if len(value) <= 100 else f"{value[:100]}…"


def _line(told: str) -> str:
    """The reader of JSON numbers the lines of what is malformed from 2."""
    if not told.startswith("Malformed JSON"):
        return told
    return re.sub(r"(in (?:line|record/value) )(\d+)", lambda found: f"{found[1]}{int(found[2]) - 1}", told)


def _kind(error: Exception, text: str) -> tuple[type[RunFailed], str, str]:
    if (found := remote.meaning(error)) is not None:
        return found
    if "No space left on device" in text or "File too large" in text:
        return StoreFull, "there is no room left", "free room where data and temporary files are written"
    if _DAMAGED in text:
        return BadData, "the data of a Parquet object is damaged", "write the object anew"
    if is_large_object(error):
        return BadData, "an object is longer than 64 MB", "is a bracket or a quote missing?"
    if "max_temp_directory_size" in text:
        return StoreFull, "", "raise temp_size, or set temp_directory where there is more room"
    if isinstance(error, duckdb.OutOfMemoryException):
        return OutOfMemory, "", "raise memory_limit, or lower threads"
    if "Permission denied" in text:
        return StoreDenied, "the system does not let us", "let the user who runs this read and write there"
    if isinstance(error, duckdb.IOException) and ("No such file" in text or "No files found" in text):
        return SourceChanged, "", "run again"
    if isinstance(error, duckdb.InvalidInputException | duckdb.IOException):
        return BadData, "", _WHOLE
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        return BadData, "", "a result is out of range of its type; cast to a wider one before"
    return EngineFailed, "", ""


def unreadable(error: Exception, objects: Sequence[StoredObject]) -> BadData:
    """Why files do not read, without a run: with the name of the file, as far as the engine tells."""
    text = str(error)
    if (found := remote.meaning(error)) is not None:
        return BadData(found[1], hint=found[2])
    key = next((stored.key for stored in objects if stored.location in text), objects[0].key)
    if "expected records" in text:
        return BadData(f"{key} holds no JSON objects", hint="write one object a line, or one array of objects")
    if at := re.search(r"Malformed JSON .* in (?:line|record/value) (\d+)", text):
        return BadData(f"{key}, record {max(1, int(at[1]) - 1)}: it is no whole JSON object", hint=_WHOLE)
    if "CSV Error on Line" in text and (line := re.search(r"Line: (\d+)", text)):
        return BadData(f"{key}, line {line[1]}: it does not read as CSV", hint="is the quote character right?")
    return BadData(f"{key} does not read as what it seems to be", hint=_WHOLE)


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
    try:
        return _number(con, read, stored, field, value)
    except duckdb.Error:
        return _number(con, read, stored, field, value, large=True)


def _number(
    con: Connection, read: Read, stored: StoredObject, field: str, value: object, *, large: bool = False
) -> int:
    lenient = Lenient({stored.location}, large=large, nested=True)
    relation = source(con, read, Snapshot(read.place, (stored,)), lenient).raw.relation
    numbered = f"SELECT row_number() OVER () AS number, * FROM {relation}"
    query = f"SELECT min(number) FROM ({numbered}) WHERE CAST({SQL.quoted(field)} AS VARCHAR) = $value"
    return int(con.execute(query, {"value": value}).fetchall()[0][0])
