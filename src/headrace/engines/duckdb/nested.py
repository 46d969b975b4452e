"""Nested columns of Parquet files, as SQL that brings them into their declared types, null for what does not fit.

Files of one source may hold a column in several types. Then each file's own values are brought into the declared type
where the file is read, and stand beside the fact that there was a value: else what does not fit could not be told from
what is missing.
"""

from collections.abc import Collection, Iterable
from typing import Any, Protocol

import duckdb

from headrace.engines.dialects import DuckDbDialect
from headrace.errors import BadData
from headrace.plan.ops import Read
from headrace.plan.types import Field, Map

SQL = DuckDbDialect()
_FITS, _TEXT = "fits", "text"


class Connection(Protocol):
    """As much of a DuckDB connection as is needed here."""

    def execute(self, query: str, parameters: object = None) -> Any:
        """Run a statement."""


def is_nested(stored: str) -> bool:
    """Whether the engine's word for a type is that of a list, a struct or a map."""
    return stored.endswith("]") or stored.startswith(("STRUCT(", "MAP("))


def fitting(sql: str, stored: str, declared: Field) -> str:
    """A stored value in its declared type, null where any part of it does not fit. Members go by their names."""
    wanted = SQL.type_name(declared.type)
    if stored == wanted:
        return sql
    cast = f"TRY(CAST({sql} AS {wanted}))"
    if not isinstance(declared.type, Map) or not stored.startswith("MAP("):
        return cast
    # A cast that makes one key of two fails the statement, also when it is tried.
    keys = f"TRY(CAST(map_keys({sql}) AS {SQL.type_name(declared.type.key)}[]))"
    return f"CASE WHEN len(list_distinct({keys})) < len({keys}) THEN NULL ELSE {cast} END"


def beside(sql: str, stored: str, declared: Field, read: Read, *, castable: Collection[str]) -> str:
    """What stands for a value of one of several stored types: the value that fits and, to be told, its text."""
    wanted = f"CAST(NULL AS {SQL.type_name(declared.type)})"
    fits = fitting(sql, stored, declared) if stored in castable else wanted
    told = f", {_TEXT} := CAST({sql} AS VARCHAR)" if read.bad_values == "FAIL" else ""
    return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({_FITS} := {fits}{told}) END"


def fits(sql: str) -> str:
    """The value of what `beside` made."""
    return f"{sql}.{_FITS}"


def text(sql: str) -> str:
    """The text of what `beside` made."""
    return f"{sql}.{_TEXT}"


def castable(con: Connection, read: Read, declared: Field, stored: Iterable[str]) -> frozenset[str]:
    """Those of the stored types of which a value may fit. Raises BadData when there is none."""
    names = frozenset(stored)
    found = frozenset(name for name in names if _casts(con, name, SQL.type_name(declared.type)))
    if not found:
        shown = ", ".join(sorted(names))
        told = f"{read.place}: column {declared.name!r} is stored as {shown}, which does not cast to {declared.type}"
        raise BadData(told, hint="declare the type that is stored", node_id=read.node_id, node=read.node)
    return found


def _casts(con: Connection, stored: str, wanted: str) -> bool:
    """Structs without one common member do not cast, also inside of others: the engine knows without a value."""
    try:
        con.execute(f"SELECT TRY(CAST(CAST(NULL AS {stored}) AS {wanted}))")
    except duckdb.BinderException:
        return False
    return True
