"""A query as it was understood: names resolved, types known, conversions spelled out.

These are plain values. Every relation has a label that no other relation of the query has, so a column is told by the
label and its name, whatever query it stands in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from headrace.plan.expr import Constant
from headrace.plan.types import BOOLEAN, Schema, Type

Frame = Literal["ROWS", "RANGE"]
JoinKind = Literal["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "LEFT SEMI", "LEFT ANTI"]
CastMode = Literal["strict", "try", "widen"]


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of a relation."""

    relation: str
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Const:
    """A constant."""

    value: Constant
    type: Type


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator, by its name on the allow-list."""

    name: str
    args: tuple["Expr", ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Convert:
    """A value in another type. What does not fit: an error (strict), null (try); a widening always fits."""

    operand: "Expr"
    type: Type
    mode: CastMode
    told: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose test is true, or of `otherwise`."""

    branches: tuple[tuple["Expr", "Expr"], ...]
    otherwise: "Expr"
    type: Type


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A value over the rows of a group. `count` without arguments counts rows."""

    name: str
    args: tuple["Expr", ...]
    distinct: bool
    type: Type


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order."""

    expr: "Expr"
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Over:
    """A value over a window of rows; `frame` is its kind with both ends, as SQL has them."""

    call: "Call | Aggregate"
    partition: tuple["Expr", ...]
    order: tuple[Order, ...]
    frame: tuple[Frame, str, str] | None

    @property
    def type(self) -> Type:
        """That of the call."""
        return self.call.type


@dataclass(frozen=True, slots=True)
class InQuery:
    """Whether a value is among the rows of a query of one column."""

    operand: "Expr"
    query: "Query"

    @property
    def type(self) -> Type:
        """Boolean."""
        return BOOLEAN


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether a query has rows."""

    query: "Query"

    @property
    def type(self) -> Type:
        """Boolean."""
        return BOOLEAN


@dataclass(frozen=True, slots=True)
class Single:
    """The one value of a query of one column and at most one row."""

    query: "Query"
    type: Type


Expr = Ref | Const | Call | Convert | Case | Aggregate | Over | InQuery | Exists | Single


@dataclass(frozen=True, slots=True)
class Column:
    """An expression and the name it gets."""

    name: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of a declared alias."""

    label: str
    alias: str


@dataclass(frozen=True, slots=True)
class Shared:
    """The rows of a query of the WITH clause, by its label there."""

    label: str
    query: str


@dataclass(frozen=True, slots=True)
class Derived:
    """The rows of a query in brackets."""

    label: str
    query: "Query"


@dataclass(frozen=True, slots=True)
class Joined:
    """Pairs of rows."""

    left: "Relation"
    right: "Relation"
    kind: JoinKind
    condition: Expr | None


Relation = Source | Shared | Derived | Joined


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups and what is aggregated over each; the rest of the query reads both as columns of `label`."""

    label: str
    keys: tuple[Column, ...]
    aggregates: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the order of a result: one of its columns, or a hidden one with an expression of its own."""

    name: str
    hidden: Expr | None
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A SELECT. With a grouping, `having`, the columns and the keys read the groups; else the source."""

    source: Relation | None
    where: Expr | None
    grouping: Grouping | None
    having: Expr | None
    columns: tuple[Column, ...]
    distinct: bool
    schema: Schema
    order: tuple[Key, ...] = ()
    limit: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Stacked:
    """The rows of two queries, column by column in the types of `schema`; without repeats when `distinct`."""

    left: "Query"
    right: "Query"
    distinct: bool
    schema: Schema
    order: tuple[Key, ...] = ()
    limit: int | None = None
    offset: int | None = None


Query = Select | Stacked
Derivation = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Checked:
    """A text that can be run.

    `shared` holds the queries of all WITH clauses, each before those that read it. `sources` are the
    declared aliases; `lineage` says for each result column from which (alias, column) its values derive.
    """

    query: Query
    shared: tuple[tuple[str, Query], ...]
    sources: tuple[str, ...]
    lineage: dict[str, Derivation]
    warnings: tuple[str, ...] = ()

    @property
    def schema(self) -> Schema:
        """The columns of the result."""
        return self.query.schema


def operands(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside this one; queries inside it are not looked into."""
    match expr:
        case Ref() | Const() | Exists() | Single():
            return ()
        case Call() | Aggregate():
            return expr.args
        case Convert() | InQuery():
            return (expr.operand,)
        case Case():
            return (*(part for branch in expr.branches for part in branch), expr.otherwise)
        case Over():
            return (*expr.call.args, *expr.partition, *(key.expr for key in expr.order))


def inside(expr: Expr) -> Iterator[Expr]:
    """The expression and all inside it; queries inside it are not looked into."""
    yield expr
    for part in operands(expr):
        yield from inside(part)


def mapped(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with each of those directly inside it changed."""
    match expr:
        case Ref() | Const() | Exists() | Single():
            return expr
        case Call() | Aggregate():
            return replace(expr, args=tuple(map(change, expr.args)))
        case Convert() | InQuery():
            return replace(expr, operand=change(expr.operand))
        case Case():
            branches = tuple((change(test), change(value)) for test, value in expr.branches)
            return replace(expr, branches=branches, otherwise=change(expr.otherwise))
        case Over():
            return replace(
                expr,
                call=replace(expr.call, args=tuple(map(change, expr.call.args))),
                partition=tuple(map(change, expr.partition)),
                order=tuple(replace(key, expr=change(key.expr)) for key in expr.order),
            )
