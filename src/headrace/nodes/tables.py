"""What nodes over tables of other systems share: the declared columns, and how a target's are cast."""

from typing import Annotated

from headrace.nodes.base import Described, FieldSpec, NodeError, Widget, each, nearest, no_repeats
from headrace.nodes.define import cast
from headrace.plan.expr import Column, Named
from headrace.plan.ops import Op, Project
from headrace.plan.types import Field, Schema

Fields = Annotated[
    tuple[FieldSpec, ...],
    Described(min_length=1, description="The columns and their types."),
    Widget("fields", "Columns"),
]
TableName = Annotated[str, Described(min_length=1, max_length=255, description="The table."), Widget("text", "Table")]
Connection = Annotated[
    str, Described(min_length=1, max_length=255, description="The connection's id."), Widget("text", "Connection")
]


def declared(specs: tuple[FieldSpec, ...]) -> Schema:
    """The columns that a node declares. Raises NodeError for repeated names."""
    no_repeats((spec.name for spec in specs), field="fieldList")
    return Schema(tuple(spec.field() for spec in specs))


def written(node_id: int, node: str, parent: Op, fields: Schema) -> Project:
    """The parent's rows with just these columns, cast to their types. Raises NodeError for what does not arrive."""

    def value(field: Field) -> Named:
        found = parent.schema.find(field.name)
        if found is None:
            hint = nearest(field.name, parent.schema.names)
            raise NodeError(f"no column {field.name!r} arrives", field="name", hint=hint, code="unknown-column")
        return Named(field.name, cast(Column(found.name, found.type), field.type, field="type"))

    return Project(node_id=node_id, node=node, parent=parent, columns=each(fields, value, field="fieldList"))
