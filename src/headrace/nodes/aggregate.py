"""Sum up groups of rows.

Rows with equal values in the columns of `groupByList` are a group (missing values are alike), and each group becomes
one row: the group's columns first, then the aggregates. With an empty `groupByList` all rows are one group, also when
there are none. Missing values are left out of every aggregate; a group that has no others gives null, and 0 for counts.
COUNT and COUNT_DISTINCT are ours, not the vendor's; COUNT with the name `*` counts rows, whatever they hold.

A sum of whole numbers is a `bigint`, and running over it fails the run; a sum of `decimal(p,s)` is a
`decimal(min(38,p+10),s)`; an average is a `double`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AliasChoices, model_validator

from headrace.nodes.base import (
    Described,
    Example,
    Node,
    NodeError,
    Table,
    Widget,
    Wire,
    column,
    each,
    no_repeats,
)
from headrace.plan.casts import kind, orderable
from headrace.plan.expr import Call, Column, Function, Named, Value
from headrace.plan.ops import Aggregate, Op
from headrace.plan.types import INT, Field, Schema


class AggregateField(Wire):
    """A column, a function over it, and the name of the result."""

    name: Annotated[str, Described(min_length=1, description="The column to aggregate; `*` for a COUNT of rows.")]
    result_name: Annotated[
        str,
        Described(
            min_length=1,
            max_length=255,
            description="The name of the result. `resultName` is accepted as well.",
            validation_alias=AliasChoices("ResultName", "resultName"),
            serialization_alias="ResultName",
        ),
    ]
    function: Annotated[Function, Described(description="What to compute.")]

    @model_validator(mode="before")
    @classmethod
    def _one_spelling(cls, sent: object) -> object:
        if isinstance(sent, dict) and "ResultName" in sent and "resultName" in sent:
            raise ValueError("ResultName and resultName are the same field: send one of them")
        return sent


class AggregateNode(Node):
    """One row for each group."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Rows"
    examples: ClassVar = (
        Example(
            title="Sums and extremes by group",
            given=(
                Table.of(
                    "sku string, qty int, price decimal(6,2)",
                    ("A", 1, None),
                    ("A", 3, None),
                    ("B", None, None),
                    (None, 5, None),
                    (None, 6, None),
                ),
            ),
            fields={
                "groupByList": ["sku"],
                "aggregateFieldList": [
                    {"name": "qty", "ResultName": "total", "function": "SUM"},
                    {"name": "qty", "ResultName": "largest", "function": "MAX"},
                    {"name": "price", "ResultName": "turnover", "function": "SUM"},
                ],
            },
            gives=Table.of(
                "sku string, total bigint, largest int, turnover decimal(16,2)",
                ("A", 4, 3, None),
                ("B", None, None, None),
                (None, 11, 6, None),
            ),
        ),
        Example(
            title="Counts: rows, values, different values",
            given=(Table.of("sku string, city string", ("A", "x"), ("A", "x"), ("A", None), ("B", None)),),
            fields={
                "groupByList": ["sku"],
                "aggregateFieldList": [
                    {"name": "*", "ResultName": "rows", "function": "COUNT"},
                    {"name": "city", "ResultName": "cities", "function": "COUNT"},
                    {"name": "city", "ResultName": "different", "function": "COUNT_DISTINCT"},
                ],
            },
            gives=Table.of("sku string, rows bigint, cities bigint, different bigint", ("A", 3, 2, 1), ("B", 1, 0, 0)),
        ),
        Example(
            title="All rows as one group",
            given=(Table.of("qty int, day date", (1, None), (2, None), (None, None)),),
            fields={
                "groupByList": [],
                "aggregateFieldList": [
                    {"name": "qty", "ResultName": "mean", "function": "AVG"},
                    {"name": "day", "ResultName": "first", "function": "MIN"},
                ],
            },
            gives=Table.of("mean double, first date", (1.5, None)),
        ),
    )

    type: Literal["TRANSFORM_AGGREGATE"] = "TRANSFORM_AGGREGATE"
    group_by_list: Annotated[
        tuple[str, ...],
        Described(description="The columns that make a group; may be empty."),
        Widget("columns", "Group by"),
    ]
    aggregate_field_list: Annotated[
        tuple[AggregateField, ...], Described(min_length=1, description="The results."), Widget("list", "Results")
    ]

    def plan(self, *parents: Op) -> Op:
        """An aggregation of the parent."""
        (parent,) = parents
        groups = each(self.group_by_list, lambda name: column(parent.schema, name, field=""), field="groupByList")
        for index, found in enumerate(groups):
            if not orderable(found.type):
                raise NodeError(f"{found.name!r} is {found.type}, which makes no groups", field=f"groupByList[{index}]")
        measures = each(self.aggregate_field_list, lambda a: _measure(a, parent.schema), field="aggregateFieldList")
        no_repeats((*(g.name for g in groups), *(m.name for m in measures)), field="aggregateFieldList")
        return Aggregate(node_id=self.id, node=self.name, parent=parent, groups=groups, measures=measures)


def _measure(entry: AggregateField, schema: Schema) -> Named:
    if entry.name == "*" and entry.function == "COUNT":
        return Named(entry.result_name, Call("COUNT", Value(1, INT)))
    found = column(schema, entry.name, field="name")
    if entry.function != "COUNT":  # what is there can be counted, whatever it is
        _refuse_unfit(entry, found)
    return Named(entry.result_name, Call(entry.function, Column(found.name, found.type)))


def _refuse_unfit(entry: AggregateField, found: Field) -> None:
    needs_number = entry.function in ("SUM", "AVG")
    if kind(found.type) != "number" if needs_number else not orderable(found.type):
        raise NodeError(
            f"{entry.function} needs {'a number' if needs_number else 'values with an order'}, "
            f"and {found.name!r} is {found.type}",
            field="function",
            hint="cast it with TRANSFORM_DEFINE before" if needs_number else "",
            code="type-mismatch",
        )
