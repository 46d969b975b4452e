"""What a source reads from, and how its columns come into their declared types."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from headrace.engines import keys
from headrace.engines.dialects import SqlDialect
from headrace.plan.ops import Read
from headrace.plan.types import Field, Type

BAD_VALUE = "headrace:bad-value:"
FILE = "_headrace_file"
"""The column of a source with mode FAIL that holds the name of each row's file."""


@dataclass(frozen=True)
class Raw:
    """What a source reads from: a relation with the declared names, and the type in which each column stands there.

    `values` are the columns that no plain cast brings into their type: the SQL of their values, null for what does not
    fit. `texts` is the SQL of the text to tell of such a value, where a cast of the column does not give it. `before`
    is a statement that must run first, such as one that makes the relation.
    """

    relation: str
    types: dict[str, Type]
    before: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def value(declared: Field, raw: Raw, read: Read, dialect: SqlDialect) -> str:
    """A column in its declared type, null for what does not fit; just its name where all fits."""
    name = dialect.quoted(declared.name)
    source = raw.types[declared.name]
    own = raw.values.get(declared.name) or (
        name if source == declared.type else dialect.cast(name, source, declared.type)
    )
    return keys.without_repeated(own, declared.type, dialect) if read.bad_values == "NULL" else own


def checks(read: Read, raw: Raw, dialect: SqlDialect) -> Iterator[str]:
    """Conditions that fail the run at the first bad value of any declared field, with what is needed to find it."""
    values = {f.name: value(f, raw, read, dialect) for f in read.declared}
    for f in read.declared if dialect.name == "duckdb" else ():
        name, own = dialect.quoted(f.name), values[f.name]
        if own == name:
            continue
        shown = raw.texts.get(f.name) or (f"CAST({name} AS VARCHAR)" if f.name in raw.values else name)
        told = f"json_object('node', {read.node_id}, 'field', {dialect.text(f.name)}, 'value', {shown}, 'file', {FILE})"
        yield f"CASE WHEN {name} IS NOT NULL AND {own} IS NULL THEN error('{BAD_VALUE}' || {told}) ELSE TRUE END"
    yield from keys.checks(read, values, dialect)
