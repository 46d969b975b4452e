"""Drop rows with missing values.

With ANY a row is dropped when at least one of the columns has no value, with ALL when none of them has. Without
columns all columns count. Empty text and NaN are values.

The vendor listed this type at its launch and removed it later; its fields were never shown in public. `dropFieldList`
is named as in the vendor's node for duplicates, `dropType` is ours.
"""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import Described, Example, Node, Table, Widget, column, each, no_repeats
from headrace.plan.expr import All, Column, IsNull, Not, Some
from headrace.plan.ops import Filter, Op


class DropNullNode(Node):
    """Drop rows with missing values."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Rows"
    examples: ClassVar = (
        Example(
            title="A row must have both values",
            given=(Table.of("a int, b string, c int", (1, "x", None), (2, None, 5), (None, None, 6), (3, "", 7)),),
            fields={"dropFieldList": ["a", "b"]},
            gives=Table.of("a int, b string, c int", (1, "x", None), (3, "", 7)),
        ),
        Example(
            title="Only rows without any value are dropped",
            given=(Table.of("a int, b string", (1, None), (None, None)),),
            fields={"dropFieldList": [], "dropType": "ALL"},
            gives=Table.of("a int, b string", (1, None)),
        ),
    )

    type: Literal["TRANSFORM_DROP_NULL"] = "TRANSFORM_DROP_NULL"
    drop_field_list: Annotated[
        tuple[str, ...],
        Described(description="The columns to look at; none stands for all."),
        Widget("columns", "Columns"),
    ] = ()
    drop_type: Annotated[
        Literal["ANY", "ALL"],
        Described(description="Whether one missing value is enough, or all must be missing."),
        Widget("select", "Drop when missing"),
    ] = "ANY"

    def plan(self, *parents: Op) -> Op:
        """A filter over the parent."""
        (parent,) = parents
        no_repeats(self.drop_field_list, field="dropFieldList", hint="name each column once")
        names = self.drop_field_list or parent.schema.names
        found = each(names, lambda name: column(parent.schema, name, field=""), field="dropFieldList")
        present = tuple(Not(IsNull(Column(f.name, f.type))) for f in found)
        test = All(present) if self.drop_type == "ANY" else Some(present)
        return Filter(node_id=self.id, node=self.name, parent=parent, test=test)
