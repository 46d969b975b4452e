"""A merge as SQL: the new rows, and the old ones that they do not replace."""

from headrace.engines.dialects import SqlDialect
from headrace.plan.ops import Merge

MERGED = "headrace:merge:"
"""Begins the message of a merge whose new rows have no clear keys; JSON follows."""


def text(op: Merge, dialect: SqlDialect, *, current: str, incoming: str) -> str:
    """The query over the relations of both sides."""
    names = [dialect.quoted(name) for name in op.schema.names]
    same = " AND ".join(f"l.{key} = r.{key}" for key in map(dialect.quoted, op.keys))
    anti = "ANTI JOIN" if dialect.name == "duckdb" else "LEFT ANTI JOIN"
    return (
        f"SELECT {', '.join(names)}\nFROM {incoming}\nWHERE {_clear(op, dialect, incoming)}\nUNION ALL\n"
        f"SELECT {', '.join(f'l.{name}' for name in names)}\nFROM {current} AS l\n{anti} {incoming} AS r ON {same}"
    )


def _clear(op: Merge, dialect: SqlDialect, incoming: str) -> str:
    """A condition that fails unless every new row has all keys, and no other row has the same."""
    keys = [dialect.quoted(key) for key in op.keys]
    missing = " OR ".join(f"{key} IS NULL" for key in keys)
    shown = ", ', ', ".join(f"coalesce(CAST({key} AS STRING), 'null')" for key in keys)
    rows = (
        f"SELECT concat({shown}) AS shown, {missing} AS missing FROM {incoming} "
        f"GROUP BY {', '.join(keys)} HAVING count(*) > 1 OR {missing}"
    )
    return f"(\n  SELECT CASE WHEN count(*) = 0 THEN TRUE ELSE {_failing(op, dialect)} END\n  FROM ({rows})\n)"


def _failing(op: Merge, dialect: SqlDialect) -> str:
    if dialect.name == "duckdb":
        return f"error('{MERGED}' || json_object('node', {op.node_id}, 'key', min(shown), 'missing', bool_or(missing)))"
    return f"CAST(raise_error(concat('{MERGED}', min(shown))) AS BOOLEAN)"
