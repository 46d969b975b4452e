"""Keep the rows that match.

Each condition tests one column. With AND a row is kept when every condition holds; with OR, when at least one does. A
comparison with a missing value is never true, so such a row is dropped. The value is written as text and compared in
the column's type: for a `bigint` column "10" is greater than "9". Text is compared by code point.

EQ, NE, GT, LT, GTE and LTE are the vendor's operators and take a `value`. The others are ours: IS_NULL and IS_NOT_NULL
take nothing, IN and NOT_IN a list of `values`, BETWEEN the least and the greatest as `values`, LIKE a pattern as
`value` (`%` any text, `_` one character, `\\` before either means the sign itself).
"""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import model_validator

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
from headrace.plan.casts import kind, orderable
from headrace.plan.expr import All, Column, Compare, Expr, IsNull, Like, Not, OneOf, Some, Value
from headrace.plan.literals import parse_literal
from headrace.plan.ops import Filter, Op
from headrace.plan.types import Field, Schema

_ESCAPES = re.compile(r"(?<!\\)(?:\\\\)*\\(?![%_\\])")
Operator = Literal[
    "EQ", "NE", "GT", "LT", "GTE", "LTE", "IS_NULL", "IS_NOT_NULL", "IN", "NOT_IN", "BETWEEN", "LIKE"
]  # fmt: skip


class Condition(Wire):
    """One test of one column."""

    name: Annotated[str, Described(min_length=1, description="The column to test.")]
    operator: Annotated[Operator, Described(description="How to compare.")]
    value: Annotated[str | None, Described(description="What to compare with, as text."), Fillable()] = None
    values: Annotated[
        tuple[str, ...], Described(max_length=10_000, description="For IN, NOT_IN, BETWEEN."), Fillable()
    ] = ()

    @model_validator(mode="after")
    def _takes_what_it_needs(self) -> "Condition":
        counts = {"IS_NULL": (0, 0), "IS_NOT_NULL": (0, 0), "IN": (1, 10_000), "NOT_IN": (1, 10_000), "BETWEEN": (2, 2)}
        least, most = counts.get(self.operator, (0, 0))
        if not least <= len(self.values) <= most:
            needs = "two values" if least == 2 else "a list of values" if least else "no values"
            raise ValueError(f"{self.operator} takes {needs}, and there are {len(self.values)}")
        if (self.value is not None) != (self.operator not in counts):
            raise ValueError(f"{self.operator} {'takes no value' if self.operator in counts else 'needs a value'}")
        return self


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
        Example(
            title="A list, a range, a pattern, a gap",
            given=(
                Table.of(
                    "sku string, qty int, note string",
                    ("A", 1, "50% off"),
                    ("B", 5, "500 off"),
                    ("C", 5, None),
                    ("A", None, "5%"),
                    (None, 3, "50%"),
                ),
            ),
            fields={
                "filterType": "AND",
                "filterConditionList": [
                    {"name": "sku", "operator": "IN", "values": ["A", "C"]},
                    {"name": "note", "operator": "LIKE", "value": "5%\\%%"},
                    {"name": "qty", "operator": "BETWEEN", "values": ["1", "4"]},
                    {"name": "note", "operator": "IS_NOT_NULL"},
                ],
            },
            gives=Table.of("sku string, qty int, note string", ("A", 1, "50% off")),
        ),
        Example(
            title="Not in a list, or missing",
            given=(Table.of("sku string", ("A",), ("B",), (None,)),),
            fields={
                "filterType": "OR",
                "filterConditionList": [
                    {"name": "sku", "operator": "NOT_IN", "values": ["A"]},
                    {"name": "sku", "operator": "IS_NULL"},
                ],
            },
            gives=Table.of("sku string", ("B",), (None,)),
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
    operand = Column(found.name, found.type)
    if condition.operator == "IS_NULL":
        return IsNull(operand)
    if condition.operator == "IS_NOT_NULL":
        return Not(IsNull(operand))
    if not orderable(found.type):
        raise NodeError(f"{found.name!r} is {found.type}, which can't be compared", field="name", code="type-mismatch")
    values = each(condition.values, lambda text: _value(text, found, field=""), field="values")
    one = condition.value or ""
    match condition.operator:
        case "IN":
            return OneOf(operand, values)
        case "NOT_IN":
            return Not(OneOf(operand, values))
        case "BETWEEN":
            return All((Compare("GTE", operand, values[0]), Compare("LTE", operand, values[1])))
        case "LIKE":
            return _like(operand, one)
        case comparison:
            return Compare(comparison, operand, _value(one, found, field="value"))


def _value(text: str, of: Field, *, field: str) -> Value:
    try:
        return Value(parse_literal(text, of.type), of.type)
    except ValueError as error:
        raise NodeError(f"{of.name!r} is {of.type}, and {error}", field=field, code="bad-value") from None


def _like(operand: Column, pattern: str) -> Like:
    if kind(operand.type) != "text":
        raise NodeError(f"LIKE needs text, and {operand.name!r} is {operand.type}", field="name", code="type-mismatch")
    if _ESCAPES.search(pattern):
        hint = "write two backslashes for one"
        raise NodeError(f"{pattern!r}: a backslash stands before %, _ or a backslash", field="value", hint=hint)
    return Like(operand, pattern)
