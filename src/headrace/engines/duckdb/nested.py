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
from headrace.plan.types import Array, Field, Map, Struct, Type

SQL = DuckDbDialect()
_FITS, _TEXT = "fits", "text"


class Connection(Protocol):
    """As much of a DuckDB connection as is needed here."""

    def execute(self, query: str, parameters: object = None) -> Any:
        """Run a statement."""

    def sqltype(self, type_str: str) -> Any:
        """A type by the engine's word for it, with its parts."""


def is_nested(stored: str) -> bool:
    """Whether the engine's word for a type is that of a list, a struct or a map."""
    return stored.endswith("]") or stored.startswith(("STRUCT(", "MAP("))


def fitting(con: Connection, sql: str, stored: str, declared: Field) -> str:
    """A stored value in its declared type, null where any part of it does not fit. Members go by their names."""
    wanted = SQL.type_name(declared.type)
    if stored == wanted:
        return sql
    cast = f"TRY(CAST({sql} AS {wanted}))"
    # A cast that makes one key of two fails the statement, also when it is tried, or leaves a map with a key twice:
    # that depends on where the engine does it.
    test = _joins_keys(sql, con.sqltype(stored), declared.type, depth=0)
    return f"CASE WHEN {test} THEN NULL ELSE {cast} END" if test else cast


def beside(con: Connection, sql: str, stored: str, declared: Field, *, read: Read, castable: Collection[str]) -> str:
    """What stands for a value of one of several stored types: the value that fits and, to be told, its text."""
    wanted = f"CAST(NULL AS {SQL.type_name(declared.type)})"
    fits = fitting(con, sql, stored, declared) if stored in castable else wanted
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


def _joins_keys(sql: str, stored: Any, type_: Type, *, depth: int) -> str:
    """Whether keys of a map would become one, or none; empty where no map in the value gets keys of another type."""
    inside = dict(stored.children) if stored.id in ("list", "map", "struct") else {}
    match type_:
        case Array(element) if stored.id == "list":
            tests = [_any(sql, inside["child"], element, depth=depth)]
        case Map(key, value) if stored.id == "map":
            wanted, keys = SQL.type_name(key), f"map_keys({sql})"
            joined = f"len(list_distinct(TRY_CAST({keys} AS {wanted}[]))) < len({keys})"
            tests = [
                joined if str(inside["key"]) != wanted else "",
                _any(f"map_values({sql})", inside["value"], value, depth=depth),
            ]
        case Struct(fields) if stored.id == "struct":
            own = {name.lower(): (name, child) for name, child in inside.items()}
            found = [(own[f.name.lower()], f.type) for f in fields if f.name.lower() in own]
            tests = [_joins_keys(f"{sql}.{SQL.quoted(n)}", child, t, depth=depth) for (n, child), t in found]
        case _:
            tests = []
    return " OR ".join(f"({test})" for test in tests if test)


def _any(sql: str, stored: Any, type_: Type, *, depth: int) -> str:
    """The same of a list."""
    inner = _joins_keys(f"e{depth}", stored, type_, depth=depth + 1)
    return f"len(list_filter({sql}, lambda e{depth}: {inner})) > 0" if inner else ""


def _casts(con: Connection, stored: str, wanted: str) -> bool:
    """Structs without one common member do not cast, also inside of others: the engine knows without a value."""
    try:
        con.execute(f"SELECT TRY(CAST(CAST(NULL AS {stored}) AS {wanted}))")
    except duckdb.BinderException:
        return False
    return True
