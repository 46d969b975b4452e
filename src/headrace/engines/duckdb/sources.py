"""What a source reads from, as DuckDB text: the objects of a snapshot, in groups that are read alike."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import duckdb

from headrace.engines import heads
from headrace.engines.dialects import DuckDbDialect
from headrace.engines.duckdb import misfits, nested, remote
from headrace.engines.packing import Packing
from headrace.engines.raw import FILE, Raw
from headrace.errors import BadData, RunFailed
from headrace.plan.casts import castable, kind, widened
from headrace.plan.ops import Dialect, Read
from headrace.plan.types import STRING, VOID, Decimal, Field, Scalar, Type, fold, parse_type
from headrace.stores.base import Snapshot, StoredObject

SQL = DuckDbDialect()
LARGEST = 64 * 1024 * 1024
"""The most bytes of a record."""
_LARGE = 2_000_000
"""From so many bytes on, the last line is read with larger buffers: well below what a reader was seen to leave out."""
_BUFFERS = {"buffer_size": "8000000"}
"""A quarter of DuckDB's default: a twentieth faster, in half of the memory (decision 37)."""
LARGE_RECORDS = {"max_line_size": str(LARGEST), "buffer_size": str(2 * LARGEST)}
_FOREIGN: dict[str, Type] = {
    "VARCHAR": STRING,
    "BLOB": Scalar("binary"),
    "UTINYINT": Scalar("smallint"),
    "USMALLINT": Scalar("int"),
    "UINTEGER": Scalar("bigint"),
    "INTEGER": Scalar("int"),
    "UBIGINT": Decimal(20, 0),
    "HUGEINT": Decimal(38, 0),
    "TIMESTAMP WITH TIME ZONE": Scalar("timestampwithtimezone"),
    "TIMESTAMP_S": Scalar("timestamp"),
    "TIMESTAMP_MS": Scalar("timestamp"),
    "TIMESTAMP_NS": Scalar("timestamp"),
}


class Connection(Protocol):
    """As much of a DuckDB connection as is needed here."""

    def execute(self, query: str, parameters: object = None) -> Any:
        """Run a statement."""

    def sqltype(self, type_str: str) -> Any:
        """A type by the engine's word for it, with its parts."""

    def fetchall(self) -> list[Any]:
        """The rows of the last one."""


@dataclass
class Lenient:
    """The files of a source that are read leniently, and how many of their rows were short or long.

    `large` has records up to LARGEST, for which the reader needs far more memory. `nested` has nested values of JSON
    that do not fit, which are looked for part by part.
    """

    files: set[str] = field(default_factory=set)
    large: bool = False
    nested: bool = False
    short_rows: int = 0
    long_rows: int = 0


@dataclass(frozen=True)
class Source:
    """How one Read reads: the relation, and the first file of each group, which a profile names."""

    raw: Raw
    first_files: tuple[str, ...]
    known_rows: int | None = None


def source(con: Connection, read: Read, snapshot: Snapshot, lenient: Lenient) -> Source:
    """The relation that holds the declared columns of all objects. Raises BadData for files that can't be it."""
    filled = [found for found in snapshot.objects if found.size]
    if not filled:
        return _nothing(read)
    try:
        match read.format:
            case "CSV":
                return _csv(read, filled, lenient)
            case "PARQUET":
                return _parquet(con, read, filled)
            case _:
                return _json(read, filled, lenient)
    except RunFailed as error:
        error.node_id, error.node = read.node_id, read.node
        raise


def _nothing(read: Read) -> Source:
    types = {f.name: f.type if read.exact or kind(f.type) == "nested" else STRING for f in read.declared}
    nulls = ", ".join(f"CAST(NULL AS {SQL.type_name(type_)}) AS {SQL.quoted(name)}" for name, type_ in types.items())
    return Source(Raw(f"(SELECT {nulls}, '' AS {FILE} WHERE FALSE)", types), (), 0)


def _csv(read: Read, objects: Sequence[StoredObject], lenient: Lenient) -> Source:
    groups: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for found in objects:
        names = read.declared.names
        if read.dialect.header:
            names = heads.header(found, read.dialect)
            if not names:
                continue
            names = heads.matched(read, found, names)
        groups.setdefault((names, found.location in lenient.files), []).append(found.location)
    more = LARGE_RECORDS if lenient.large or _ends_in_large_record(objects) else _BUFFERS
    texts = [_read_csv(read, names, files, more, loose=loose) for (names, loose), files in groups.items()]
    if not texts:
        return _nothing(read)
    types: dict[str, Type] = dict.fromkeys(read.declared.names, STRING)
    return Source(Raw(_together(read, texts), types), tuple(literal_name(files[0]) for files in groups.values()))


def _ends_in_large_record(objects: Sequence[StoredObject]) -> bool:
    """Whether the last record of a file is so large that DuckDB's reader leaves it out and does not say so.

    In the middle of a file it says so, and at the end too when the record is quoted.
    """
    found = [stored for stored in objects if heads.last_line_reaches(stored, _LARGE)]
    for stored in found:
        if heads.last_line_reaches(stored, LARGEST):
            told = f"{stored.bucket}/{stored.key}, the last line: the record is longer than 64 MB"
            raise BadData(told, hint="is the quote character right?")
    return bool(found)


def _read_csv(read: Read, names: Sequence[str], files: Sequence[str], more: Mapping[str, str], *, loose: bool) -> str:
    options = {
        **csv_options(read.dialect, names),
        **more,
        # Serial: the parallel reader can't pad rows where quoted line breaks occur.
        **({"strict_mode": "false", "null_padding": "true", "parallel": "false"} if loose else {}),
        **({"filename": SQL.text(FILE)} if read.bad_values == "FAIL" else {}),
    }
    return f"read_csv({listed(files)}, {shown(options)})"


def csv_options(d: Dialect, names: Sequence[str], packing: Packing = Packing.NONE) -> dict[str, str]:
    """The options of DuckDB's reader for files with these columns: nothing is guessed, every value is text."""
    return {
        "auto_detect": "false",
        "header": "true" if d.header else "false",
        "delim": SQL.text(d.delimiter),
        "quote": SQL.text(d.quote),
        "escape": SQL.text(d.escape),
        "nullstr": SQL.text(d.null_value),
        "allow_quoted_nulls": "false",
        "compression": SQL.text(packing.lower()),  # told, since a guess goes by the name, and sources are unpacked
        "columns": "{" + ", ".join(f"{SQL.text(name)}: 'VARCHAR'" for name in names) + "}",
    }


def shown(options: Mapping[str, str]) -> str:
    """Options as they stand in a call."""
    return ", ".join(f"{name} = {value}" for name, value in options.items())


def _json(read: Read, objects: Sequence[StoredObject], lenient: Lenient) -> Source:
    groups: dict[str, list[str]] = {}
    for found in objects:
        array = read.format == "JSON" and heads.is_array(found)
        groups.setdefault("array" if array else "newline_delimited", []).append(found.location)
    types = {f.name: f.type if kind(f.type) == "nested" else STRING for f in read.declared}
    names = {name: SQL.type_name(type_) for name, type_ in types.items()}
    values = {}
    for f in read.declared if lenient.nested else ():
        if kind(f.type) == "nested":
            names[f.name] = "JSON"
            values[f.name] = misfits.fitting(SQL.quoted(f.name), f.type)
    columns = ", ".join(f"{SQL.text(name)}: {SQL.text(type_)}" for name, type_ in names.items())
    filename = f", filename = {SQL.text(FILE)}" if read.bad_values == "FAIL" else ""
    filename += f", maximum_object_size = {LARGEST}" if lenient.large else ""
    texts = [
        f"read_json({listed(files)}, format = '{layout}', compression = 'uncompressed', records = true, "
        f"columns = {{{columns}}}{filename})"
        for layout, files in groups.items()
    ]
    raw = Raw(_together(read, texts), types, values=values)
    return Source(raw, tuple(literal_name(files[0]) for files in groups.values()))


def _parquet(con: Connection, read: Read, objects: Sequence[StoredObject]) -> Source:
    names_of = {found.location: f"{found.bucket}/{found.key}" for found in objects}
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for found in objects:
        groups.setdefault(_described(con, found), []).append(found.location)
    wanted = {fold(f.name): (f.name, _stored_as(con, f)) for f in read.declared} if read.exact else {}
    for columns, files in groups.items() if read.exact else ():
        _refuse_others(read, wanted, dict(columns), names_of[files[0]])
    stored = [(_columns(read, dict(columns), names_of[files[0]]), files) for columns, files in groups.items()]
    stored_as = {f.name: tuple(dict.fromkeys(columns[f.name][1] for columns, _ in stored)) for f in read.declared}
    types = {f.name: _common(read, f, stored_as[f.name]) for f in read.declared}
    inside = _inside(con, read, stored_as)
    several = {name: each for name, each in inside.items() if len(stored_as[name]) > 1}
    texts = [
        _read_parquet(con, read, columns, files, types=types, later=inside, several=several)
        for columns, files in stored
    ]
    counted = con.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({listed(names_of)})").fetchall()
    values = {f.name: _value(con, f, stored_as[f.name]) for f in read.declared if f.name in inside}
    raw = Raw(_together(read, texts), types, values=values, texts={n: nested.text(SQL.quoted(n)) for n in several})
    return Source(raw, tuple(f[0] for f in groups.values()), int(counted[0][0]))


def _described(con: Connection, found: StoredObject) -> tuple[tuple[str, str], ...]:
    """Names and types of a Parquet file's columns. Raises BadData when its footer can't be read."""
    try:
        rows = con.execute(f"DESCRIBE SELECT * FROM read_parquet({listed([found.location])})").fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        if remote.meaning(error) is not None:
            raise
        name = f"{found.bucket}/{found.key}"
        told = str(error).split("\n")[0].replace(found.location, name)
        hint = "look at the object; was it cut off, or written as another format?"
        raise BadData(f"{name}: it does not read as Parquet: {told}", hint=hint) from error
    return tuple((row[0], row[1]) for row in rows)


def _columns(read: Read, columns: Mapping[str, str], shown: str) -> dict[str, tuple[str, str]]:
    """For each declared field, the file's own name and type of it."""
    folded = {name.lower(): name for name in columns}
    found = {}
    for f in read.declared:
        own = f.name if f.name in columns else folded.get(f.name.lower())
        if own is None:
            hint = f"the file has: {', '.join(columns)}"
            raise BadData(f"{shown}: there is no column {f.name!r}", hint=hint, node_id=read.node_id, node=read.node)
        found[f.name] = (own, columns[own])
    return found


def _stored_as(con: Connection, column: Field) -> str:
    """The engine's own word for a type, as it describes files with it."""
    rows = con.execute(f"SELECT typeof(CAST(NULL AS {SQL.type_name(column.type)}))").fetchall()
    return str(rows[0][0])


def _refuse_others(read: Read, wanted: Mapping[str, tuple[str, str]], columns: Mapping[str, str], shown: str) -> None:
    """Raises BadData unless the file has the wanted columns in their types, and no more."""
    found = {fold(name): (name, type_) for name, type_ in columns.items()}
    differing = [key for key in {**wanted, **found} if wanted.get(key, ("", ""))[1] != found.get(key, ("", ""))[1]]
    if differing:
        told = "; ".join(
            f"{(wanted.get(key) or found[key])[0]!r} is {found[key][1] if key in found else 'not there'} "
            f"and should be {wanted[key][1] if key in wanted else 'left out'}"
            for key in differing
        )
        hint = "write with the columns that are there, or write it anew with OVERWRITE"
        message = f"{shown}: the columns differ from those to merge: {told}"
        raise BadData(message, hint=hint, node_id=read.node_id, node=read.node)


def _common(read: Read, declared: Field, stored: Sequence[str]) -> Type:
    """The type in which a column of several files stands: theirs, one that holds all of them, or text."""
    if set(stored) == {SQL.type_name(declared.type)}:
        return declared.type
    if kind(declared.type) == "nested" and all(map(nested.is_nested, stored)):
        return declared.type  # see `_inside`
    common: Type | None = VOID
    for name in stored:
        own = plan_type(name)
        common = widened(common, own) if common is not None and own is not None else None
    common = common or STRING
    if not castable(common, declared.type):
        names = ", ".join(sorted(set(stored)))
        told = f"{read.place}: column {declared.name!r} is stored as {names}, which does not cast to {declared.type}"
        raise BadData(told, hint="declare the type that is stored", node_id=read.node_id, node=read.node)
    return common


def _inside(con: Connection, read: Read, stored_as: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Nested columns that files have in other types than declared, each with those of these types that may fit."""
    found = {}
    for f in read.declared:
        names = set(stored_as[f.name])
        if kind(f.type) == "nested" and names != {SQL.type_name(f.type)}:
            found[f.name] = nested.castable(con, read, f, names)
    return found


def _value(con: Connection, declared: Field, stored: Sequence[str]) -> str:
    name = SQL.quoted(declared.name)
    return nested.fits(name) if len(stored) > 1 else nested.fitting(con, name, stored[0], declared)


def _read_parquet(
    con: Connection,
    read: Read,
    columns: Mapping[str, tuple[str, str]],
    files: Sequence[str],
    *,
    types: Mapping[str, Type],
    later: Collection[str],
    several: Mapping[str, Collection[str]],
) -> str:
    values = []
    for f in read.declared:
        name, (own, stored) = f.name, columns[f.name]
        wanted = stored if name in later else SQL.type_name(types[name])
        value = SQL.quoted(own) if stored == wanted else f"CAST({SQL.quoted(own)} AS {wanted})"
        if name in several:
            value = nested.beside(con, SQL.quoted(own), stored, f, read=read, castable=several[name])
        values.append(value if value == SQL.quoted(name) else f"{value} AS {SQL.quoted(name)}")
    filename, option = (f", {FILE}", f", filename = {SQL.text(FILE)}") if read.bad_values == "FAIL" else ("", "")
    return f"(SELECT {', '.join(values)}{filename} FROM read_parquet({listed(files)}{option}))"


def plan_type(name: str) -> Type | None:
    """The plan's type for a DuckDB type name, or None when there is no such one."""
    if name in _FOREIGN:
        return _FOREIGN[name]
    try:
        return parse_type(name)
    except ValueError:
        return None


def _together(read: Read, texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    names = ", ".join(SQL.quoted(name) for name in read.declared.names)
    names += f", {FILE}" if read.bad_values == "FAIL" else ""
    return "(\n  " + "\n  UNION ALL ".join(f"SELECT {names} FROM {text}" for text in texts) + "\n)"


def listed(files: Iterable[str]) -> str:
    """File names as a list literal. A name is taken as it is, not as a pattern."""
    return "[" + ", ".join(SQL.text(literal_name(name)) for name in files) + "]"


def literal_name(name: str) -> str:
    """A file name as the pattern that matches it alone."""
    if name.startswith((remote.SCHEME, remote.STREAMS)):
        return name  # there the engine knows no patterns: see `remote`
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def is_cut_short(profile: str) -> bool:
    """Whether a statement may have left rows unread: no row can pass a filter, or no row has a partner in a join.

    DuckDB then does not run what is below, or stops in the middle of it.
    """
    waiting = [json.loads(profile)]
    while waiting:
        step = waiting.pop()
        below = step.get("children", ())
        waiting.extend(below)
        operator = str(step.get("operator_type", ""))
        joins = len(below) == 2 and operator.endswith(("_JOIN", "CROSS_PRODUCT"))
        keeps_left = step.get("extra_info", {}).get("Join Type") in ("LEFT", "FULL", "ANTI", "MARK")
        if operator == "EMPTY_RESULT" or (joins and not keeps_left and not below[1].get("operator_cardinality")):
            return True
    return False


def scanned_rows(profile: str, first_files: Iterable[str]) -> int:
    """How many rows the scans of these files gave, by the profile of a statement.

    Several sources may read the same files: their scans look alike, and one of them counts.
    """
    found = dict.fromkeys(first_files, 0)
    waiting = [json.loads(profile)]
    while waiting:
        step = waiting.pop()
        waiting.extend(step.get("children", ()))
        files = str(step.get("extra_info", {}).get("Filename(s)", ""))
        for first in found:
            named = files == first or files.startswith(f"{first}, ")
            if step.get("operator_type") == "TABLE_SCAN" and named:
                found[first] = max(found[first], int(step["operator_cardinality"]))
    return sum(found.values())
