"""What the columns of files look like: counts of values that parse to each type, over the first rows of each file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from headrace.engines import guesses, heads
from headrace.engines.dialects import DuckDbDialect
from headrace.engines.duckdb import failures, remote
from headrace.engines.duckdb.sources import csv_options, listed, plan_type, shown
from headrace.errors import BadData
from headrace.plan.ops import Dialect
from headrace.plan.types import BIGINT, DATE, DOUBLE, INT, STRING, TIMESTAMP, Scalar, Type, repeated
from headrace.stores.base import StoredObject

SQL = DuckDbDialect()
_LENGTHS = {
    "MISSING COLUMNS": ("records with too few values", "fills them up"),
    "TOO MANY COLUMNS": ("records with too many values", "cuts them"),
}
CANDIDATES = (INT, BIGINT, DOUBLE, DATE, TIMESTAMP)


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """One column: how many values there are, and how many of them parse to each candidate type.

    `odd` are, for each candidate, at most two different values that do not parse to it. `words` counts true and false,
    `padded` whole numbers that begin with a zero. A column whose `stored` type is known needs no guess.
    """

    name: str
    values: int
    parsing: Mapping[Scalar, int]
    odd: Mapping[Scalar, tuple[str, ...]]
    words: int
    padded: int
    stored: Type | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What the first rows of the files tell."""

    columns: tuple[ColumnSample, ...]
    rows: int
    dialect: Dialect | None = None
    notes: tuple[str, ...] = ()


def sample_csv(objects: Sequence[StoredObject], rows: int, *, header: bool | None) -> Sample:
    """A sample of CSV files that are written like the first of them; `header` as told, or by its first record."""
    con = _connection(objects)
    first, text = objects[0], heads.first_text(objects[0])
    dialect = _dialect(con, first, text)
    record = heads.header(first, dialect)
    if not record:
        raise BadData(f"{first.key} has no record", hint="is it the right file?")
    usual = guesses.usual_length(text, dialect)
    if len(record) < usual:
        told = f"{first.key}, line 1: a record of {len(record)}, where most have {usual} values"
        raise BadData(told, hint="take away what stands above the header: no lines are passed over")
    dialect = replace(dialect, header=guesses.is_header(record) if header is None else header)
    names = [name.strip() for name in record] if dialect.header else [f"column{n}" for n in range(1, len(record) + 1)]
    if twice := repeated(filter(None, names)):
        raise BadData(f"{first.key}: the header has {twice[0]!r} twice", hint="give each column a name of its own")
    notes = [f"column {n} has no name, and is left out" for n, name in enumerate(names, start=1) if not name]
    options = csv_options(dialect, [name or f"_other_{n}" for n, name in enumerate(names, start=1)])
    ragged = {**options, "store_rejects": "true", "rejects_limit": "0"}
    relation = f"read_csv({listed([found.location for found in objects])}, {shown(ragged)})"
    sample = _counted(con, relation, [name for name in names if name], rows, objects)
    return replace(sample, dialect=dialect, notes=(*notes, *_ragged(con, objects)))


def _dialect(con: duckdb.DuckDBPyConnection, first: StoredObject, text: str) -> Dialect:
    """As the engine takes the file to be written; where that fails, as rows of one length tell."""
    try:
        told = con.execute("SELECT Delimiter, Quote, Escape FROM sniff_csv($file)", {"file": first.location}).fetchall()
    except duckdb.Error:
        return Dialect(delimiter=guesses.delimiter(text))
    delimiter, quote, escape = told[0]
    dialect = Dialect(True, delimiter, _sign(quote), _sign(escape) if _sign(escape) != "\0" else _sign(quote))
    parted = guesses.usual_length(text, dialect) > 1
    return dialect if parted else replace(dialect, delimiter=guesses.delimiter(text))


def _ragged(con: duckdb.DuckDBPyConnection, objects: Sequence[StoredObject]) -> Iterator[str]:
    """What is to be said of records of other lengths. Raises BadData where a run could not read on."""
    found = _asked(
        con,
        "SELECT error_type, count(DISTINCT line), arg_min(file_path, line), min(line) "
        "FROM reject_errors JOIN reject_scans USING (scan_id, file_id) GROUP BY error_type ORDER BY error_type",
        objects,
    )
    for kind, count, path, line in found:
        key = next((stored.key for stored in objects if stored.location == path), objects[0].key)
        if kind in failures.FATAL:
            what, hint = failures.FATAL[kind]
            raise BadData(f"{key}, line {line}: {what}", hint=hint)
        if kind in _LENGTHS:
            what, then = _LENGTHS[kind]
            yield f"{what}: {count:,}, the first in {key}, line {line}; a run {then} and counts them"


def _sign(sign: str) -> str:
    return sign if len(sign) == 1 and sign != "\0" else '"'


def sample_json(objects: Sequence[StoredObject], rows: int) -> Sample:
    """A sample of JSON files: an array of objects, or an object a line."""
    con = _connection(objects)
    files = listed([found.location for found in objects])
    describe = f"DESCRIBE SELECT * FROM read_json({files}, records = true, sample_size = {rows})"
    described = _asked(con, describe, objects)
    names = [str(row[0]) for row in described]
    columns = ", ".join(f"{SQL.text(name)}: 'VARCHAR'" for name in names)
    return _counted(con, f"read_json({files}, records = true, columns = {{{columns}}})", names, rows, objects)


def sample_parquet(objects: Sequence[StoredObject]) -> Sample:
    """The columns of Parquet files, which tell their types themselves."""
    con = _connection(objects)
    files = listed([found.location for found in objects])
    described = _asked(con, f"DESCRIBE SELECT * FROM read_parquet({files})", objects)
    ((total,),) = _asked(con, f"SELECT sum(num_rows) FROM parquet_file_metadata({files})", objects)
    return Sample(tuple(ColumnSample(n, 0, {}, {}, 0, 0, plan_type(t) or STRING) for n, t, *_ in described), int(total))


def _connection(objects: Sequence[StoredObject]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})
    remote.prepare(con, objects)
    con.execute("SET TimeZone = 'UTC'")
    for macro in DuckDbDialect.MACROS:
        con.execute(macro)
    return con


def _asked(con: duckdb.DuckDBPyConnection, query: str, objects: Sequence[StoredObject]) -> list[Any]:
    try:
        return con.execute(query).fetchall()
    except duckdb.Error as error:
        raise failures.unreadable(error, objects) from None


def _counted(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    names: Sequence[str],
    rows: int,
    objects: Sequence[StoredObject],
) -> Sample:
    _asked(con, f"CREATE TEMP TABLE sample AS SELECT * FROM {relation} LIMIT {rows}", objects)
    ((total,),) = con.execute("SELECT count(*) FROM sample").fetchall()
    return Sample(tuple(_column(con, name) for name in names), int(total))


def _column(con: duckdb.DuckDBPyConnection, name: str) -> ColumnSample:
    v = SQL.quoted(name)
    counts = [
        f"count({v})",
        f"count_if(lower({v}) IN ('true', 'false'))",
        f"count_if(regexp_full_match({v}, '[+-]?0[0-9]+'))",
        *(f"count({SQL.cast(v, STRING, t)})" for t in CANDIDATES),
    ]
    values, words, padded, *parsing = con.execute(f"SELECT {', '.join(counts)} FROM sample").fetchall()[0]
    odd = {}
    for type_ in CANDIDATES:
        missed = f"{v} IS NOT NULL AND {SQL.cast(v, STRING, type_)} IS NULL"
        some = con.execute(f"SELECT DISTINCT {v} FROM sample WHERE {missed} LIMIT 2").fetchall()
        odd[type_] = tuple(row[0] for row in some)
    return ColumnSample(name, values, dict(zip(CANDIDATES, parsing, strict=True)), odd, words, padded)
