"""A plan at one instant: what tells the time tells the start of the run, in every node and on every engine."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from headrace.plan.ops import Op, Sql, in_order

S = TypeVar("S", bound=Op)


def pinned(sinks: Sequence[S], now: datetime) -> tuple[S, ...]:
    """The same sinks over texts of SQL that know when the run began. Shared parents stay shared."""
    made: dict[int, Op] = {}
    for op in in_order(sinks):
        parents = [made[id(parent)] for parent in op.parents]
        same = all(new is old for new, old in zip(parents, op.parents, strict=True))
        over = op if same else op.with_parents(parents)
        made[id(op)] = replace(over, now=now) if isinstance(over, Sql) else over
    return tuple(made[id(sink)] for sink in sinks)  # type: ignore[misc]  # a sink stays of its type
