"""What the columns of files look like: counts of values that parse to each type, over the first rows of each file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from headrace.engines.dialects import DuckDbDialect
from headrace.engines.duckdb import remote
from headrace.engines.duckdb.sources import csv_options, listed, plan_type, shown
from headrace.errors import BadData
from headrace.plan.ops import Dialect
from headrace.plan.types import BIGINT, DATE, DOUBLE, INT, STRING, TIMESTAMP, Scalar, Type
from headrace.stores.base import StoredObject

SQL = DuckDbDialect()
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


def sample_csv(objects: Sequence[StoredObject], rows: int) -> Sample:
    """A sample of CSV files that are written like the first of them."""
    con = _connection(objects)
    try:
        told = con.execute(
            "SELECT Delimiter, Quote, Escape, HasHeader, Columns FROM sniff_csv($file)", {"file": objects[0].location}
        ).fetchall()[0]
    except duckdb.Error as error:
        raise BadData(f"{objects[0].key} does not read as CSV: {str(error).splitlines()[0]}") from None
    delimiter, quote, escape, header, columns = told
    dialect = Dialect(bool(header), delimiter, _sign(quote), _sign(escape) if _sign(escape) != "\0" else _sign(quote))
    names = [column["name"] for column in columns]
    files = listed([found.location for found in objects])
    return _counted(con, f"read_csv({files}, {shown(csv_options(dialect, names))})", names, rows, dialect)


def _sign(sign: str) -> str:
    return sign if len(sign) == 1 and sign != "\0" else '"'


def sample_json(objects: Sequence[StoredObject], rows: int) -> Sample:
    """A sample of JSON files: an array of objects, or an object a line."""
    con = _connection(objects)
    files = listed([found.location for found in objects])
    described = _asked(con, f"DESCRIBE SELECT * FROM read_json({files}, records = true, sample_size = {rows})")
    names = [str(row[0]) for row in described]
    columns = ", ".join(f"{SQL.text(name)}: 'VARCHAR'" for name in names)
    return _counted(con, f"read_json({files}, records = true, columns = {{{columns}}})", names, rows, None)


def sample_parquet(objects: Sequence[StoredObject]) -> Sample:
    """The columns of Parquet files, which tell their types themselves."""
    con = _connection(objects)
    files = listed([found.location for found in objects])
    described = _asked(con, f"DESCRIBE SELECT * FROM read_parquet({files})")
    ((total,),) = _asked(con, f"SELECT sum(num_rows) FROM parquet_file_metadata({files})")
    return Sample(tuple(ColumnSample(n, 0, {}, {}, 0, 0, plan_type(t) or STRING) for n, t, *_ in described), int(total))


def _connection(objects: Sequence[StoredObject]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})
    remote.prepare(con, objects)
    con.execute("SET TimeZone = 'UTC'")
    for macro in DuckDbDialect.MACROS:
        con.execute(macro)
    return con


def _asked(con: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    try:
        return con.execute(query).fetchall()
    except duckdb.Error as error:
        raise BadData(str(error).splitlines()[0]) from None


def _counted(
    con: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], rows: int, dialect: Dialect | None
) -> Sample:
    _asked(con, f"CREATE TEMP TABLE sample AS SELECT * FROM {relation} LIMIT {rows}")
    ((total,),) = _asked(con, "SELECT count(*) FROM sample")
    return Sample(tuple(_column(con, name) for name in names), int(total), dialect)


def _column(con: duckdb.DuckDBPyConnection, name: str) -> ColumnSample:
    v = SQL.quoted(name)
    counts = [
        f"count({v})",
        f"count_if(lower({v}) IN ('true', 'false'))",
        f"count_if(regexp_full_match({v}, '[+-]?0[0-9]+'))",
        *(f"count({SQL.cast(v, STRING, t)})" for t in CANDIDATES),
    ]
    values, words, padded, *parsing = _asked(con, f"SELECT {', '.join(counts)} FROM sample")[0]
    odd = {}
    for type_ in CANDIDATES:
        missed = f"{v} IS NOT NULL AND {SQL.cast(v, STRING, type_)} IS NULL"
        odd[type_] = tuple(row[0] for row in _asked(con, f"SELECT DISTINCT {v} FROM sample WHERE {missed} LIMIT 2"))
    return ColumnSample(name, values, dict(zip(CANDIDATES, parsing, strict=True)), odd, words, padded)
