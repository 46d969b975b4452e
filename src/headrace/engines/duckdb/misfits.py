"""Nested values of JSON that do not fit their declared type, as SQL over DuckDB's type JSON.

The reader of JSON fails at the first such value. A source that has one is read again with its nested columns as JSON,
and brought into their types here: the cast that tries would put null for the part that does not fit, and keep the rest.
"""

from headrace.engines.dialects import DuckDbDialect
from headrace.plan.casts import kind
from headrace.plan.types import Array, Map, Struct, Type

SQL = DuckDbDialect()


def fitting(sql: str, type_: Type) -> str:
    """The value of a nested type, null where any part of it does not fit."""
    misfit = _misfit(sql, type_, depth=0)
    return f"CASE WHEN {misfit} THEN NULL ELSE TRY_CAST({sql} AS {SQL.type_name(type_)}) END"


def _misfit(sql: str, type_: Type, *, depth: int) -> str:
    """Whether a value is there that is not of the type; empty for types that take any value."""
    match type_:
        case Array(element):
            tests = [_is_no("ARRAY", sql), _any(f"TRY_CAST({sql} AS JSON[])", element, depth=depth)]
        case Map(key, value):
            keys = f"json_keys({sql})"
            values = f"map_values(TRY_CAST({sql} AS MAP(VARCHAR, JSON)))"
            tests = [
                _is_no("OBJECT", sql),
                _any(f"list_transform({keys}, lambda k: to_json(k))", key, depth=depth),
                _any(values, value, depth=depth),
            ]
        case Struct(fields):
            parts = ", ".join(f"{SQL.quoted(f.name)} JSON" for f in fields)
            inside = f"TRY_CAST({sql} AS STRUCT({parts}))"
            own = [_misfit(f"{inside}.{SQL.quoted(f.name)}", f.type, depth=depth) for f in fields]
            tests = [_is_no("OBJECT", sql), *own]
        case _ if kind(type_) == "text":
            return ""
        case _:
            return f"json_type({sql}) <> 'NULL' AND TRY_CAST({sql} AS {SQL.type_name(type_)}) IS NULL"
    return " OR ".join(f"({test})" for test in tests if test)


def _is_no(word: str, sql: str) -> str:
    return f"json_type({sql}) NOT IN ('{word}', 'NULL')"


def _any(sql: str, type_: Type, *, depth: int) -> str:
    """The same of a list."""
    inner = _misfit(f"e{depth}", type_, depth=depth + 1)
    return f"len(list_filter({sql}, lambda e{depth}: {inner})) > 0" if inner else ""
