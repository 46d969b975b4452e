"""Keep the rows that match.

Each condition tests one column. With AND a row is kept when every condition holds; with OR, when at least one does. A
comparison with a missing value is never true, so such a row is dropped. The value is written as text and compared in
the column's type: for a `bigint` column "10" is greater than "9". Text is compared by code point.
"""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import (
    Described,
    Example,
    Fillable,
    Node,
    NodeError,
    Table,
    Widget,
    Wire,
    column,
    each,
)
from headrace.plan.casts import orderable
from headrace.plan.expr import All, Column, Compare, Comparison, Expr, Some, Value
from headrace.plan.literals import parse_literal
from headrace.plan.ops import Filter, Op
from headrace.plan.types import Schema


class Condition(Wire):
    """One test of one column."""

    name: Annotated[str, Described(min_length=1, description="The column to test.")]
    operator: Annotated[Comparison, Described(description="How to compare.")]
    value: Annotated[str, Described(description="What to compare with, as text."), Fillable()]


class FilterNode(Node):
    """Keep only the rows that match all, or any, of the conditions."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Rows"
    examples: ClassVar = (
        Example(
            title="Rows named A; a missing name never matches",
            given=(Table.of("id bigint, name string", (1, "A"), (2, "B"), (3, None)),),
            fields={"filterType": "AND", "filterConditionList": [{"name": "name", "operator": "EQ", "value": "A"}]},
            gives=Table.of("id bigint, name string", (1, "A")),
        ),
        Example(
            title="Numbers compare as numbers; one condition is enough",
            given=(Table.of("id bigint, qty double", (9, 0.5), (10, 1.5), (11, None), (8, 99.0)),),
            fields={
                "filterType": "OR",
                "filterConditionList": [
                    {"name": "id", "operator": "GT", "value": "9"},
                    {"name": "qty", "operator": "LTE", "value": "0.5"},
                ],
            },
            gives=Table.of("id bigint, qty double", (9, 0.5), (10, 1.5), (11, None)),
        ),
        Example(
            title="Not equal drops missing values too; quotes and backslashes are plain text",
            given=(Table.of("note string", ("it's",), ("a\\b",), ("가나",), ("",), (None,)),),
            fields={"filterType": "AND", "filterConditionList": [{"name": "note", "operator": "NE", "value": "a\\b"}]},
            gives=Table.of("note string", ("it's",), ("가나",), ("",)),
        ),
    )

    type: Literal["TRANSFORM_FILTER"] = "TRANSFORM_FILTER"
    filter_type: Annotated[
        Literal["AND", "OR"],
        Described(description="Whether all conditions must hold, or one is enough."),
        Widget("select", "Match"),
    ]
    filter_condition_list: Annotated[
        tuple[Condition, ...], Described(min_length=1, description="The tests."), Widget("conditions", "Conditions")
    ]

    def plan(self, *parents: Op) -> Op:
        """A filter over the parent."""
        (parent,) = parents
        tests = each(self.filter_condition_list, lambda c: _test(c, parent.schema), field="filterConditionList")
        test = All(tests) if self.filter_type == "AND" else Some(tests)
        return Filter(node_id=self.id, node=self.name, parent=parent, test=test)


def _test(condition: Condition, schema: Schema) -> Expr:
    found = column(schema, condition.name, field="name")
    if not orderable(found.type):
        raise NodeError(f"{found.name!r} is {found.type}, which can't be compared", field="name", code="type-mismatch")
    try:
        value = parse_literal(condition.value, found.type)
    except ValueError as error:
        raise NodeError(f"{found.name!r} is {found.type}, and {error}", field="value", code="bad-value") from None
    return Compare(condition.operator, Column(found.name, found.type), Value(value, found.type))
