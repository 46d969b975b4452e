"""Which columns a job really needs: everything else is neither cast nor carried.

Doing this on the plan, not in an engine, makes the set of counted fields a property of the job: the same on every
engine, whatever its optimiser would drop.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from headrace.plan.expr import Column, Expr, Named, Side, columns
from headrace.plan.ops import (
    Aggregate,
    Collect,
    Filter,
    Join,
    Op,
    Project,
    Read,
    ReadTable,
    Rows,
    Sql,
    Union,
    Write,
    WriteTable,
    in_order,
)
from headrace.plan.types import Schema, fold

S = TypeVar("S", bound=Op)
Names = set[str]


def prune(sinks: Sequence[S]) -> tuple[S, ...]:
    """The same sinks over operations that carry only what is needed. Shared parents stay shared."""
    ops = in_order(sinks)
    needed: dict[int, Names] = {id(op): set() for op in ops}
    for op in reversed(ops):
        for parent, names in zip(op.parents, _needs(op, needed[id(op)]), strict=True):
            needed[id(parent)] |= names
    made: dict[int, Op] = {}
    for op in ops:
        made[id(op)] = _narrowed(op, needed[id(op)], [made[id(parent)] for parent in op.parents])
    return tuple(made[id(sink)] for sink in sinks)  # type: ignore[misc]  # a sink narrows to its own type


def _needs(op: Op, wanted: Names) -> list[Names]:
    """What the operation reads of each parent when `wanted` is what is read of it."""
    match op:
        case Project():
            return [_read(c.expr for c in op.columns if fold(c.name) in wanted)]
        case Filter():
            return [wanted | _read([op.test])]
        case Join():
            exprs = [op.condition, *(c.expr for c in op.columns if fold(c.name) in wanted)]
            return [_read(exprs, side="left"), _read(exprs, side="right")]
        case Aggregate():
            return [_all(Schema(op.groups)) | _read(m.expr for m in op.measures if fold(m.name) in wanted)]
        case Union():
            return [_all(op.schema) if op.distinct else wanted for _ in op.inputs]
        case Sql():
            return _asked(op, wanted)
        case Write() | WriteTable() | Collect():
            return [_all(op.schema)]
        case _:
            return [_all(parent.schema) for parent in op.parents]


def _asked(op: Sql, wanted: Names) -> list[Names]:
    needs = {(alias, name) for column in op.columns if fold(column.name) in wanted for alias, name in column.needs}
    needs |= {(source.alias, name) for source in op.sources for name in source.always}
    return [{fold(name) for alias, name in needs if alias == source.alias} for source in op.sources]


def _narrowed(op: Op, wanted: Names, parents: Sequence[Op]) -> Op:
    match op:
        case Read() | ReadTable():
            return replace(op, used=op.declared.only(wanted))
        case Project():
            kept = tuple(c for c in op.columns if fold(c.name) in wanted)
            return replace(op.with_parents(parents), columns=kept)
        case Join():
            kept = tuple(c for c in op.columns if fold(c.name) in wanted)
            return replace(op.with_parents(parents), columns=kept)
        case Aggregate():
            kept = tuple(m for m in op.measures if fold(m.name) in wanted)
            return replace(op.with_parents(parents), measures=kept)
        case Sql():
            kept_columns = tuple(c for c in op.columns if fold(c.name) in wanted)
            return replace(op.with_parents(parents), columns=kept_columns, result=op.result.only(wanted))
        case Union() if not op.distinct:
            return op.with_parents([_picked(parent, op.schema.only(wanted)) for parent in parents])
        case Rows():
            return op
        case _:
            return op.with_parents(parents)


def _picked(parent: Op, schema: Schema) -> Op:
    """The parent with just these columns: it may carry more, which another reader of it needs."""
    if len(parent.schema) == len(schema):
        return parent
    kept = tuple(Named(f.name, Column(f.name, f.type)) for f in parent.schema.only(schema.names))
    return Project(node_id=parent.node_id, node=parent.node, parent=parent, columns=kept)


def _read(exprs: Iterable[Expr], side: Side = "row") -> Names:
    return {fold(c.name) for expr in exprs for c in columns(expr) if c.side == side}


def _all(schema: Schema) -> Names:
    return {fold(name) for name in schema.names}
