"""Give columns another type and name.

Each entry takes a column, casts it to a new type and renames it; all other columns stay as they are, in their place. A
value that can't be cast becomes null, and the run's report counts such values for each column.
"""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import (
    Described,
    Example,
    FieldSpec,
    Node,
    NodeError,
    Table,
    Widget,
    Wire,
    column,
    each,
    no_repeats,
)
from headrace.plan.casts import castable, never_fails
from headrace.plan.expr import Cast, Column, Expr, Named
from headrace.plan.ops import Op, Project
from headrace.plan.types import Schema, Type, fold


class DefinedField(Wire):
    """A column, its new type and its new name."""

    name: Annotated[str, Described(min_length=1, description="An existing column.")]
    new_type: Annotated[str, Described(description="The type to cast to.")]
    new_name: Annotated[str, Described(min_length=1, max_length=255, description="The name it gets; may be the same.")]


class DefineNode(Node):
    """Cast and rename columns."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Columns"
    examples: ClassVar = (
        Example(
            title="Text to numbers; what is no number becomes null and is counted",
            given=(Table.of("sku string, qty string", ("A", "3"), ("B", "4.5"), ("C", "many"), ("D", None)),),
            fields={"defineFieldList": [{"name": "qty", "newType": "int", "newName": "quantity"}]},
            gives=Table.of("sku string, quantity int", ("A", 3), ("B", None), ("C", None), ("D", None)),
            bad_values={"qty": 2},
        ),
        Example(
            title="Fractions are cut toward zero",
            given=(Table.of("price double", (2.9,), (-2.9,), (1e12,), (None,)),),
            fields={"defineFieldList": [{"name": "price", "newType": "int", "newName": "price"}]},
            gives=Table.of("price int", (2,), (-2,), (None,), (None,)),
            bad_values={"price": 1},
        ),
    )

    type: Literal["TRANSFORM_DEFINE"] = "TRANSFORM_DEFINE"
    define_field_list: Annotated[
        tuple[DefinedField, ...],
        Described(min_length=1, description="The columns to define anew."),
        Widget("list", "Columns"),
    ]

    def plan(self, *parents: Op) -> Op:
        """A projection with a cast for each entry."""
        (parent,) = parents
        path = "defineFieldList"
        casts = dict(each(self.define_field_list, lambda d: _cast(d, parent.schema), field=path))
        if len(casts) < len(self.define_field_list):
            no_repeats((d.name for d in self.define_field_list), field=path, hint="define each column once")
        columns = tuple(casts.get(fold(f.name)) or Named(f.name, Column(f.name, f.type)) for f in parent.schema)
        no_repeats((c.name for c in columns), field=path)
        return Project(node_id=self.id, node=self.name, parent=parent, columns=columns)


def _cast(entry: DefinedField, schema: Schema) -> tuple[str, Named]:
    found = column(schema, entry.name, field="name")
    try:
        target = FieldSpec(name=entry.new_name, type=entry.new_type).plan_type()
    except ValueError as error:
        message = error.errors()[0]["msg"] if hasattr(error, "errors") else str(error)
        raise NodeError(message.removeprefix("Value error, "), field="newType", code="unknown-type") from None
    return fold(found.name), Named(entry.new_name, cast(Column(found.name, found.type), target, field="newType"))


def cast(operand: Column, target: Type, *, field: str) -> Expr:
    """The column in the target type, counted under its name when the cast can fail. Raises NodeError without a cast."""
    if operand.type == target:
        return operand
    if not castable(operand.type, target):
        raise NodeError(f"{operand.name!r} is {operand.type}, which does not cast to {target}", field=field)
    return Cast(operand, target, count_as=None if never_fails(operand.type, target) else operand.name)
