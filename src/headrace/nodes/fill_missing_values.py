"""Put a value where there is none.

Each entry names a column and what its missing values become. The value is written as text and has to be one of the
column's type. NaN counts as missing in `float` and `double` columns, as in Spark; empty text does not.
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
    no_repeats,
)
from headrace.plan.expr import Column, Filled, Named, Value
from headrace.plan.literals import parse_literal
from headrace.plan.ops import Op, Project
from headrace.plan.types import Schema, fold


class MissingValueField(Wire):
    """A column and the value for its gaps."""

    name: Annotated[str, Described(min_length=1, description="The column.")]
    default_value: Annotated[str, Described(description="What missing values become, as text."), Fillable()]


class FillMissingValuesNode(Node):
    """Put a value where there is none."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Columns"
    examples: ClassVar = (
        Example(
            title="A number, a text, a truth; NaN is missing, empty text is not",
            given=(
                Table.of(
                    "qty int, price double, note string, sold boolean",
                    (None, float("nan"), "", None),
                    (2, 1.5, None, True),
                ),
            ),
            fields={
                "missingValueFieldList": [
                    {"name": "qty", "defaultValue": "0"},
                    {"name": "price", "defaultValue": "-1"},
                    {"name": "note", "defaultValue": "none"},
                    {"name": "sold", "defaultValue": "no"},
                ]
            },
            gives=Table.of(
                "qty int, price double, note string, sold boolean", (0, -1.0, "", False), (2, 1.5, "none", True)
            ),
        ),
    )

    type: Literal["TRANSFORM_FILL_MISSING_VALUES"] = "TRANSFORM_FILL_MISSING_VALUES"
    missing_value_field_list: Annotated[
        tuple[MissingValueField, ...],
        Described(min_length=1, description="The columns to fill."),
        Widget("list", "Values"),
    ]

    def plan(self, *parents: Op) -> Op:
        """A projection in which the named columns have no gaps."""
        (parent,) = parents
        path = "missingValueFieldList"
        no_repeats((entry.name for entry in self.missing_value_field_list), field=path, hint="fill each column once")
        filled = dict(each(self.missing_value_field_list, lambda entry: _filled(entry, parent.schema), field=path))
        columns = tuple(Named(f.name, filled.get(fold(f.name)) or Column(f.name, f.type)) for f in parent.schema)
        return Project(node_id=self.id, node=self.name, parent=parent, columns=columns)


def _filled(entry: MissingValueField, schema: Schema) -> tuple[str, Filled]:
    found = column(schema, entry.name, field="name")
    try:
        value = parse_literal(entry.default_value, found.type)
    except ValueError as error:
        raise NodeError(
            f"{found.name!r} is {found.type}, and {error}", field="defaultValue", code="bad-value"
        ) from None
    return fold(found.name), Filled(Column(found.name, found.type), Value(value, found.type))
