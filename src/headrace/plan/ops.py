"""The operations a job is made of.

A job's meaning is a small acyclic graph of these values: two sinks that share a parent share the very same object, and
an engine computes such a parent once. Every operation carries the id and the name of the node that it came from, so
that errors, counts and script steps can name it, and a fingerprint of all that decides its rows.

Each operation has one output, its rows. A second one (rejected rows) is meant to be an operation of its own that names
its parent and the port, so that the ones here stay as they are.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Literal, Self

from headrace.plan.expr import Constant, Expr, Named
from headrace.plan.types import Field, Schema

Format = Literal["CSV", "JSON", "NDJSON", "PARQUET"]
BadValues = Literal["NULL", "FAIL"]
JoinKind = Literal["INNER", "LEFT_OUTER", "RIGHT_OUTER", "FULL_OUTER"]
UpdateType = Literal["OVERWRITE", "APPEND", "IGNORE"]
WriteMode = Literal[UpdateType, "MERGE"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where data lies: one exact object, or all that is under a prefix."""

    bucket: str
    prefix: str
    region: str = "1"

    def __str__(self) -> str:
        return f"{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class TablePlace:
    """A table that some other system keeps: the catalogue's database, or a connection, and the table's name there."""

    system: Literal["catalogue", "MySQL", "PostgreSQL"]
    container: str
    table: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.system} table {self.container}.{self.table}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text file is written. The defaults are those of semantics: RFC 4180 with a header, UTF-8."""

    header: bool = True
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    null_value: str = ""
    encoding: str = "UTF-8"
    compression: str = "NONE"


@dataclass(frozen=True, kw_only=True)
class Op:
    """What all operations have: the node they came from."""

    node_id: int
    node: str

    @property
    def parents(self) -> tuple["Op", ...]:
        """The operations whose rows this one reads, in order."""
        return ()

    @property
    def schema(self) -> Schema:
        """The columns of the rows that it gives."""
        raise NotImplementedError

    def with_parents(self, parents: Sequence["Op"]) -> Self:
        """The same operation over other parents."""
        del parents
        return self

    @cached_property
    def fingerprint(self) -> str:
        """64 hex digits that are equal when the rows are, given the same data: node ids and names do not count."""
        own = [(f.name, getattr(self, f.name)) for f in fields(self) if f.name not in _NOT_MEANING]
        text = repr((type(self).__name__, own, [parent.fingerprint for parent in self.parents]))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class OneParent(Op):
    """What the operations over one other have."""

    parent: Op

    @property
    def parents(self) -> tuple[Op, ...]:
        """The one parent."""
        return (self.parent,)

    @property
    def schema(self) -> Schema:
        """The parent's, unless the operation says otherwise."""
        return self.parent.schema

    def with_parents(self, parents: Sequence[Op]) -> Self:
        """The same operation over another parent."""
        return replace(self, parent=parents[0])


_NOT_MEANING = ("node_id", "node", "parent", "left", "right", "inputs", "current", "incoming")


@dataclass(frozen=True, kw_only=True)
class Read(Op):
    """The rows of the objects at a place, cast to the declared fields.

    `declared` is what the node says about the data; `used` is the part of it that the job needs (all of it until
    `prune` has looked). Values that do not parse to their type are null and counted per used field, or with
    `bad_values` FAIL an error over all declared ones. With `exact` files that hold other columns, or columns of other
    types, fail the run.
    """

    place: Place
    format: Format
    declared: Schema
    used: Schema
    dialect: Dialect = Dialect()
    bad_values: BadValues = "NULL"
    exact: bool = False

    @property
    def schema(self) -> Schema:
        """The used fields."""
        return self.used


@dataclass(frozen=True, kw_only=True)
class ReadTable(Op):
    """The rows of a table of another system, cast to the declared fields; `used` is as in Read."""

    place: TablePlace
    declared: Schema
    used: Schema

    @property
    def schema(self) -> Schema:
        """The used fields."""
        return self.used


@dataclass(frozen=True, kw_only=True)
class Rows(Op):
    """Rows that are given, not read: the inputs of examples and previews."""

    given: Schema
    rows: tuple[tuple[Constant, ...], ...]

    @property
    def schema(self) -> Schema:
        """The given fields."""
        return self.given


@dataclass(frozen=True, kw_only=True)
class Project(OneParent):
    """Each row as other columns."""

    columns: tuple[Named, ...]

    @property
    def schema(self) -> Schema:
        """The named expressions."""
        return _schema(self.columns)


@dataclass(frozen=True, kw_only=True)
class Filter(OneParent):
    """The rows for which the test is true: neither false nor unknown."""

    test: Expr


@dataclass(frozen=True, kw_only=True)
class Join(Op):
    """Pairs of rows from both sides for which the condition is true; `columns` say what comes out, from which side."""

    left: Op
    right: Op
    kind: JoinKind
    condition: Expr
    columns: tuple[Named, ...]

    @property
    def parents(self) -> tuple[Op, ...]:
        """Left, right."""
        return (self.left, self.right)

    @property
    def schema(self) -> Schema:
        """The named columns."""
        return _schema(self.columns)

    def with_parents(self, parents: Sequence[Op]) -> Self:
        """The same join of other sides."""
        return replace(self, left=parents[0], right=parents[1])


@dataclass(frozen=True, kw_only=True)
class Union(Op):
    """The rows of all inputs, which have the same columns in the same order; without repeats when `distinct`."""

    inputs: tuple[Op, ...]
    distinct: bool

    @property
    def parents(self) -> tuple[Op, ...]:
        """All inputs."""
        return self.inputs

    @property
    def schema(self) -> Schema:
        """That of the first input."""
        return self.inputs[0].schema

    def with_parents(self, parents: Sequence[Op]) -> Self:
        """The same union of other inputs."""
        return replace(self, inputs=tuple(parents))


@dataclass(frozen=True, kw_only=True)
class Aggregate(OneParent):
    """One row for each group: the groups' columns first, then the measures. Without groups, exactly one row."""

    groups: tuple[Field, ...]
    measures: tuple[Named, ...]

    @property
    def schema(self) -> Schema:
        """Groups, then measures."""
        return Schema((*self.groups, *_schema(self.measures)))


@dataclass(frozen=True, kw_only=True)
class Distinct(OneParent):
    """One row for each different set of values in the key columns: the smallest by all columns, nulls first."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SqlSource:
    """One parent of a text of SQL: its alias there, the columns that the text sees, and those that its rows need."""

    alias: str
    schema: Schema
    always: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """A column of the result of a text, and what it needs beside what the rows do: pairs of alias and column."""

    name: str
    needs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Sql(Op):
    """The rows of a query in Spark SQL over the inputs, each under the alias of its source.

    The text is its own meaning: an engine reads it again by `headrace.sqltext`, over the same sources, and computes the
    columns of `result` alone. `columns` say what each of them reads, so that `prune` need not know SQL. `now` is the
    start of the run, for the functions that tell the time; a plan has none before it runs.
    """

    inputs: tuple[Op, ...]
    sources: tuple[SqlSource, ...]
    text: str
    columns: tuple[SqlColumn, ...]
    result: Schema
    now: datetime | None = None

    @property
    def parents(self) -> tuple[Op, ...]:
        """All inputs."""
        return self.inputs

    @property
    def schema(self) -> Schema:
        """The columns of the query."""
        return self.result

    def with_parents(self, parents: Sequence[Op]) -> Self:
        """The same query over other inputs."""
        return replace(self, inputs=tuple(parents))


@dataclass(frozen=True, kw_only=True)
class Merge(Op):
    """The rows of `incoming`, and those of `current` whose keys no row of it has. Both have the same columns.

    A row of `incoming` with a missing key, or with the keys of another one, fails the run.
    """

    current: Op
    incoming: Op
    keys: tuple[str, ...]

    @property
    def parents(self) -> tuple[Op, ...]:
        """Current, incoming."""
        return (self.current, self.incoming)

    @property
    def schema(self) -> Schema:
        """That of the incoming rows."""
        return self.incoming.schema

    def with_parents(self, parents: Sequence[Op]) -> Self:
        """The same merge of other rows."""
        return replace(self, current=parents[0], incoming=parents[1])


@dataclass(frozen=True, kw_only=True)
class Write(OneParent):
    """A sink: the parent's rows as files at a place. The columns are already those of the target.

    With MERGE the parent is a Merge with what lies there, so that the new files replace all old ones.
    """

    place: Place
    format: Format
    mode: WriteMode
    coalesce: int | None = None
    dialect: Dialect = Dialect()


@dataclass(frozen=True, kw_only=True)
class WriteTable(OneParent):
    """A sink: the parent's rows into a table of another system. The columns are already those of the target."""

    place: TablePlace
    mode: UpdateType
    coalesce: int | None = None


@dataclass(frozen=True, kw_only=True)
class Collect(OneParent):
    """A sink: at most `limit` of the parent's rows (all of them without), handed back to the caller."""

    limit: int | None = None


Target = Write | WriteTable
Sink = Target | Collect


def _schema(columns: tuple[Named, ...]) -> Schema:
    return Schema(tuple(Field(c.name, c.expr.type) for c in columns))


def in_order(sinks: Sequence[Op]) -> tuple[Op, ...]:
    """Every operation that the sinks need, once, parents before children."""
    found: dict[int, Op] = {}

    def visit(op: Op) -> Iterator[Op]:
        if id(op) in found:
            return
        for parent in op.parents:
            yield from visit(parent)
        if id(op) not in found:
            found[id(op)] = op
            yield op

    return tuple(op for sink in sinks for op in visit(sink))
