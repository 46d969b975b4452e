"""Bring the rows of two nodes together.

A row of the left node is paired with each row of the right node for which the conditions hold. The result has the left
columns, then the right ones; a right column whose name the left has already gets the prefix (`right_` unless told). A
missing value never matches, not even another missing one. An outer join also keeps the rows without a partner, with
nulls for the other side.

Conditions combine from left to right, beginning with HEAD: `a` HEAD, `b` OR, `c` AND reads as (`a` or `b`) and `c`.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import (
    Described,
    Example,
    Node,
    NodeError,
    Table,
    Whole,
    Widget,
    Wire,
    column,
    each,
    no_repeats,
)
from headrace.plan.casts import comparable
from headrace.plan.expr import All, Cast, Column, Compare, Comparison, Expr, Named, Some
from headrace.plan.ops import Join, JoinKind, Op
from headrace.plan.types import Schema, Type

_CARRIERS = Table.of("carrier string, name string", ("AA", "American"), ("UA", "United"), (None, "nobody"))
_FLIGHTS = Table.of("name string, carrier string", ("f1", "UA"), ("f2", "ZZ"), ("f3", None))
_SAME_CARRIER = [{"leftField": "carrier", "joinOperator": "EQ", "rightField": "carrier", "conditionOperator": "HEAD"}]


class JoinCondition(Wire):
    """A comparison of a left column with a right one, and how it combines with those before it."""

    left_field: Annotated[str, Described(min_length=1, description="A column of the left node.")]
    join_operator: Annotated[Comparison, Described(description="How to compare.")]
    right_field: Annotated[str, Described(min_length=1, description="A column of the right node.")]
    condition_operator: Annotated[
        Literal["HEAD", "AND", "OR"], Described(description="HEAD for the first; AND or OR for the others.")
    ]


class JoinNode(Node):
    """Pair the rows of two nodes."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Combine"
    arity: ClassVar = (2, 2)
    examples: ClassVar = (
        Example(
            title="Inner: only pairs; the right columns of equal name get the prefix",
            given=(_FLIGHTS, _CARRIERS),
            fields={"joinType": "INNER", "leftNodeId": 1, "rightNodeId": 2, "joinConditionList": _SAME_CARRIER},
            gives=Table.of(
                "name string, carrier string, right_carrier string, right_name string", ("f1", "UA", "UA", "United")
            ),
        ),
        Example(
            title="Full outer: rows without a partner are kept",
            given=(_FLIGHTS, _CARRIERS),
            fields={
                "joinType": "FULL_OUTER",
                "leftNodeId": 1,
                "rightNodeId": 2,
                "joinConditionList": _SAME_CARRIER,
                "prefix": "c_",
            },
            gives=Table.of(
                "name string, carrier string, c_carrier string, c_name string",
                ("f1", "UA", "UA", "United"),
                ("f2", "ZZ", None, None),
                ("f3", None, None, None),
                (None, None, "AA", "American"),
                (None, None, None, "nobody"),
            ),
        ),
        Example(
            title="Left outer on a range: numbers of different types compare by value",
            given=(
                Table.of("day int", (1,), (5,), (9,)),
                Table.of("start bigint, stop double", (0, 4.0), (5, 6.0)),
            ),
            fields={
                "joinType": "LEFT_OUTER",
                "leftNodeId": 1,
                "rightNodeId": 2,
                "joinConditionList": [
                    {"leftField": "day", "joinOperator": "GTE", "rightField": "start", "conditionOperator": "HEAD"},
                    {"leftField": "day", "joinOperator": "LT", "rightField": "stop", "conditionOperator": "AND"},
                ],
            },
            gives=Table.of("day int, start bigint, stop double", (1, 0, 4.0), (5, 5, 6.0), (9, None, None)),
        ),
    )

    type: Literal["TRANSFORM_JOIN"] = "TRANSFORM_JOIN"
    join_type: Annotated[
        JoinKind, Described(description="Which rows without a partner are kept."), Widget("select", "Join")
    ]
    left_node_id: Annotated[Whole, Described(description="The parent whose columns come first.")]
    right_node_id: Annotated[Whole, Described(description="The other parent.")]
    join_condition_list: Annotated[
        tuple[JoinCondition, ...],
        Described(min_length=1, description="When two rows are a pair."),
        Widget("conditions", "Where"),
    ]
    prefix: Annotated[
        str, Described(max_length=100, description="Put before right columns whose name the left has already.")
    ] = "right_"

    def plan(self, *parents: Op) -> Op:
        """A join of both parents."""
        left, right = self._sides(parents)
        tests = each(self.join_condition_list, lambda c: _test(c, left.schema, right.schema), field="joinConditionList")
        return Join(
            node_id=self.id,
            node=self.name,
            left=left,
            right=right,
            kind=self.join_type,
            condition=self._condition(tests),
            columns=self._columns(left.schema, right.schema),
        )

    def _sides(self, parents: Sequence[Op]) -> tuple[Op, Op]:
        by_id = dict(zip(self.parent_node_ids, parents, strict=True))
        sides = (("leftNodeId", self.left_node_id), ("rightNodeId", self.right_node_id))
        for field, node_id in sides:
            if node_id not in by_id:
                known = " and ".join(map(str, by_id))
                raise NodeError(f"{node_id} is not a parent", field=field, hint=f"the parents are {known}")
        if self.left_node_id == self.right_node_id:
            raise NodeError("left and right are the same node", field="rightNodeId", hint="name the other parent")
        return by_id[self.left_node_id], by_id[self.right_node_id]

    def _condition(self, tests: Sequence[Expr]) -> Expr:
        whole = tests[0]
        for index, (condition, test) in enumerate(zip(self.join_condition_list, tests, strict=True)):
            path = f"joinConditionList[{index}].conditionOperator"
            if (condition.condition_operator == "HEAD") != (index == 0):
                raise NodeError(
                    "HEAD marks the first condition, and only it", field=path, hint="use AND or OR after it"
                )
            if index:
                pair = (whole, test)
                whole = All(pair) if condition.condition_operator == "AND" else Some(pair)
        return whole

    def _columns(self, left: Schema, right: Schema) -> tuple[Named, ...]:
        ours = [Named(f.name, Column(f.name, f.type, "left")) for f in left]
        theirs = [
            Named(self.prefix + f.name if left.find(f.name) else f.name, Column(f.name, f.type, "right")) for f in right
        ]
        no_repeats(
            (c.name for c in (*ours, *theirs)), field="prefix", hint="choose a prefix that makes all names different"
        )
        return (*ours, *theirs)


def _test(condition: JoinCondition, left: Schema, right: Schema) -> Expr:
    ours = column(left, condition.left_field, field="leftField")
    theirs = column(right, condition.right_field, field="rightField")
    common = comparable(ours.type, theirs.type)
    if common is None:
        raise NodeError(
            f"{ours.name!r} is {ours.type} and {theirs.name!r} is {theirs.type}: they can't be compared",
            field="rightField",
            hint="cast one of them with TRANSFORM_DEFINE before",
            code="type-mismatch",
        )
    return Compare(
        condition.join_operator,
        _as(Column(ours.name, ours.type, "left"), common),
        _as(Column(theirs.name, theirs.type, "right"), common),
    )


def _as(operand: Column, target: Type) -> Expr:
    return operand if operand.type == target else Cast(operand, target)
