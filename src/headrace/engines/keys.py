"""Maps with a key that stands twice: which of its values counts is up to each reader, so such a map is a bad value."""

from collections.abc import Iterator, Mapping

from headrace.engines.dialects import SqlDialect
from headrace.plan.ops import Read
from headrace.plan.types import Array, Map, Struct, Type

REPEATED_KEY = "headrace:repeated-key:"
"""Begins the message of such a failure; JSON follows."""


def checks(read: Read, values: Mapping[str, str], dialect: SqlDialect) -> Iterator[str]:
    """For each used column with maps a condition that fails the run where one has a key twice, on DuckDB alone."""
    for f in read.used if dialect.name == "duckdb" else ():
        own = values[f.name]
        if test := _repeats(own, f.type, dialect, depth=0):
            told = f"'node', {read.node_id}, 'field', {dialect.text(f.name)}, 'value', CAST({own} AS VARCHAR)"
            yield f"CASE WHEN {test} THEN error('{REPEATED_KEY}' || json_object({told})) ELSE TRUE END"


def without_repeated(sql: str, type_: Type, dialect: SqlDialect) -> str:
    """The value, null where a map in it has a key twice. On the embedded engine alone."""
    test = _repeats(sql, type_, dialect, depth=0) if dialect.name == "duckdb" else ""
    return f"CASE WHEN {test} THEN NULL ELSE {sql} END" if test else sql


def _repeats(sql: str, type_: Type, dialect: SqlDialect, *, depth: int) -> str:
    """Whether a map in the value has a key twice; empty when there is no map in the type."""
    match type_:
        case Map(key, value):
            keys = f"map_keys({sql})"
            tests = [
                f"len(list_distinct({keys})) < len({keys})",
                _any(keys, key, dialect, depth=depth),
                _any(f"map_values({sql})", value, dialect, depth=depth),
            ]
        case Array(element):
            tests = [_any(sql, element, dialect, depth=depth)]
        case Struct(fields):
            tests = [_repeats(f"{sql}.{dialect.quoted(f.name)}", f.type, dialect, depth=depth) for f in fields]
        case _:
            return ""
    return " OR ".join(f"({test})" for test in tests if test)


def _any(sql: str, type_: Type, dialect: SqlDialect, *, depth: int) -> str:
    """The same of a list."""
    inner = _repeats(f"e{depth}", type_, dialect, depth=depth + 1)
    return f"len(list_filter({sql}, lambda e{depth}: {inner})) > 0" if inner else ""
