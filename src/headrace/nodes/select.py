"""Keep some columns.

The columns named in `fieldList` are kept, in that order; all others are left out. Types are only checked: a type that
is not the column's is a problem, and Define is the node that casts.
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
    column,
    each,
    no_repeats,
)
from headrace.plan.expr import Column, Named
from headrace.plan.ops import Op, Project
from headrace.plan.types import Schema


class SelectNode(Node):
    """Keep the named columns, in the given order."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Columns"
    examples: ClassVar = (
        Example(
            title="Two of three columns, in another order",
            given=(Table.of("id bigint, name string, note string", (1, "A", "x"), (2, "B", None)),),
            fields={"fieldList": [{"name": "name", "type": "string"}, {"name": "id", "type": "bigint"}]},
            gives=Table.of("name string, id bigint", ("A", 1), ("B", 2)),
        ),
    )

    type: Literal["TRANSFORM_SELECT"] = "TRANSFORM_SELECT"
    field_list: Annotated[
        tuple[FieldSpec, ...], Described(min_length=1, description="The columns to keep."), Widget("columns", "Keep")
    ]

    def plan(self, *parents: Op) -> Op:
        """A projection of plain columns."""
        (parent,) = parents
        no_repeats((f.name for f in self.field_list), field="fieldList", hint="keep each column once")
        columns = each(self.field_list, lambda f: _kept(f, parent.schema), field="fieldList")
        return Project(node_id=self.id, node=self.name, parent=parent, columns=columns)


def _kept(spec: FieldSpec, schema: Schema) -> Named:
    found = column(schema, spec.name, field="name")
    if found.type != spec.plan_type():
        raise NodeError(
            f"{spec.name!r} is {found.type}, not {spec.plan_type()}",
            field="type",
            hint=f"write {str(found.type)!r} here, or cast it with TRANSFORM_DEFINE before",
            code="type-mismatch",
        )
    return Named(spec.name, Column(found.name, found.type))
