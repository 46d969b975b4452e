"""Give columns other names.

The named columns get new names and keep their type and place. Two names can be swapped in one node: all new names are
given at once.
"""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import Described, Example, Node, Table, Widget, Wire, column, each, no_repeats
from headrace.plan.expr import Column, Named
from headrace.plan.ops import Op, Project
from headrace.plan.types import fold


class RenamedField(Wire):
    """A column and its new name."""

    name: Annotated[str, Described(min_length=1, description="An existing column.")]
    new_name: Annotated[str, Described(min_length=1, max_length=255, description="The name it gets.")]


class RenameNode(Node):
    """Rename columns."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Columns"
    examples: ClassVar = (
        Example(
            title="Two names swapped",
            given=(Table.of("a int, b int, c int", (1, 2, 3)),),
            fields={"renameFieldList": [{"name": "a", "newName": "b"}, {"name": "b", "newName": "a"}]},
            gives=Table.of("b int, a int, c int", (1, 2, 3)),
        ),
    )

    type: Literal["TRANSFORM_RENAME"] = "TRANSFORM_RENAME"
    rename_field_list: Annotated[
        tuple[RenamedField, ...], Described(min_length=1, description="The columns to rename."), Widget("list", "Names")
    ]

    def plan(self, *parents: Op) -> Op:
        """A projection of plain columns under new names."""
        (parent,) = parents
        path = "renameFieldList"
        each(self.rename_field_list, lambda r: column(parent.schema, r.name, field="name"), field=path)
        no_repeats((r.name for r in self.rename_field_list), field=path, hint="rename each column once")
        names = {fold(r.name): r.new_name for r in self.rename_field_list}
        columns = tuple(Named(names.get(fold(f.name), f.name), Column(f.name, f.type)) for f in parent.schema)
        no_repeats((c.name for c in columns), field=path)
        return Project(node_id=self.id, node=self.name, parent=parent, columns=columns)
