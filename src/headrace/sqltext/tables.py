"""The tables that a query names as `schema.table`, and the query over aliases in their place."""

from dataclasses import dataclass

from sqlglot import exp

from headrace.plan.types import fold
from headrace.sqltext.faults import SqlFault, SqlInvalid
from headrace.sqltext.reading import place_of, read


@dataclass(frozen=True, slots=True)
class Named:
    """A query whose tables stand under aliases: alias, schema and table of each."""

    text: str
    tables: tuple[tuple[str, str, str], ...]


def aliased(text: str) -> Named:
    """The query over one alias for each table. Raises SqlInvalid for what is no query, or names a catalog."""
    aliases: dict[tuple[str, str], str] = {}
    found: dict[str, tuple[str, str]] = {}
    changes: list[tuple[int, int, str]] = []
    for node in read(text).find_all(exp.Table):
        schema, table = node.args.get("db"), node.this
        if not isinstance(schema, exp.Identifier) or not isinstance(table, exp.Identifier):
            continue
        if node.args.get("catalog") is not None:
            raise SqlInvalid([SqlFault("a table is named schema.table", place_of(text, node), "leave the catalog out")])
        key = (fold(schema.name), fold(table.name))
        alias = aliases.setdefault(key, f"{schema.name}.{table.name}")
        found.setdefault(alias, (schema.name, table.name))
        own = "" if node.args.get("alias") is not None else f" AS `{table.name}`"
        changes.append((schema.meta["start"], table.meta["end"] + 1, f"`{alias}`{own}"))
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return Named(text, tuple((alias, *names) for alias, names in found.items()))
