"""Groups: what a SELECT computes over each of them, and what the rest of it may read."""

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from headrace.plan.types import fold
from headrace.sqltext.scopes import Work
from headrace.sqltext.tree import (
    Aggregate,
    Call,
    Case,
    Column,
    Const,
    Convert,
    Exists,
    Expr,
    Grouping,
    InQuery,
    Over,
    Ref,
    Single,
    operands,
)


def aggregated(expr: Expr) -> bool:
    """Whether an aggregate over groups stands in the expression: one before OVER is none."""
    return any(isinstance(part, Aggregate) for part in _outside_windows(expr))


def _outside_windows(expr: Expr) -> Sequence[Expr]:
    found: list[Expr] = []
    waiting = [expr]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Over):
            waiting += (*part.call.args, *part.partition, *(key.expr for key in part.order))
            continue
        found.append(part)
        waiting += operands(part)
    return found


class Grouper:
    """Puts the groups of one SELECT between its source and its columns."""

    def __init__(self, work: Work, node: exp.Select, keys: Sequence[Expr]) -> None:
        self.work = work
        self.node = node
        self.label = work.label("groups")
        self.keys = tuple(Column(f"key_{number}", key) for number, key in enumerate(keys, start=1))
        self.aggregates: list[Column] = []
        for column in self.keys:
            work.derived[self.label, fold(column.name)] = work.derivation(column.expr)

    def grouping(self) -> Grouping:
        """The groups with all that was asked of them."""
        return Grouping(self.label, self.keys, tuple(self.aggregates))

    def over_groups(self, expr: Expr, node: exp.Expr) -> Expr:
        """The expression over the groups. Raises SqlInvalid for a column that is neither grouped nor aggregated."""
        for key in self.keys:
            if key.expr == expr and not isinstance(expr, Const):
                return Ref(self.label, key.name, expr.type)
        match expr:
            case Aggregate():
                return self._aggregate(expr)
            case Ref():
                message = f"{expr.name!r} is neither in GROUP BY nor in an aggregate"
                raise self.work.fault(node, message, self.node, hint="group by it, or take min or max of it")
            case Const() | Exists() | Single():
                return expr
            case Call():
                return replace(expr, args=tuple(self.over_groups(arg, node) for arg in expr.args))
            case Convert() | InQuery():
                return replace(expr, operand=self.over_groups(expr.operand, node))
            case Case():
                branches = tuple((self.over_groups(t, node), self.over_groups(v, node)) for t, v in expr.branches)
                return replace(expr, branches=branches, otherwise=self.over_groups(expr.otherwise, node))
            case Over():
                args = tuple(self.over_groups(arg, node) for arg in expr.call.args)
                return replace(
                    expr,
                    call=replace(expr.call, args=args),
                    partition=tuple(self.over_groups(part, node) for part in expr.partition),
                    order=tuple(replace(key, expr=self.over_groups(key.expr, node)) for key in expr.order),
                )

    def _aggregate(self, expr: Aggregate) -> Ref:
        for column in self.aggregates:
            if column.expr == expr:
                return Ref(self.label, column.name, expr.type)
        made = Column(f"value_{len(self.aggregates) + 1}", expr)
        self.work.derived[self.label, fold(made.name)] = self.work.derivation(expr)
        self.aggregates.append(made)
        return Ref(self.label, made.name, expr.type)
