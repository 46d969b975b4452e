"""Keep one row of each group of duplicates.

Rows with equal values in the columns of `dropFieldList` are duplicates of one another (missing values are alike); all
columns are kept. Which row stays does not depend on chance or on the engine: the smallest by all columns in their
order, a missing value being smaller than any other.
"""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import (
    Described,
    Example,
    Fault,
    Node,
    NodeError,
    Table,
    Widget,
    column,
    each,
    no_repeats,
)
from headrace.plan.casts import orderable
from headrace.plan.ops import Distinct, Op


class DropDuplicationNode(Node):
    """Keep one row of each group of duplicates."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Rows"
    examples: ClassVar = (
        Example(
            title="One row a customer: the smallest by all columns",
            given=(
                Table.of(
                    "customer string, visit date, page int",
                    ("K", None, 9),
                    ("K", None, 3),
                    ("L", None, 1),
                    (None, None, 2),
                ),
            ),
            fields={"dropFieldList": ["customer"]},
            gives=Table.of("customer string, visit date, page int", ("K", None, 3), ("L", None, 1), (None, None, 2)),
        ),
        Example(
            title="Over all columns: each different row once",
            given=(Table.of("a int, b string", (1, "x"), (1, "x"), (1, None), (1, None)),),
            fields={"dropFieldList": ["a", "b"]},
            gives=Table.of("a int, b string", (1, "x"), (1, None)),
        ),
    )

    type: Literal["TRANSFORM_DROP_DUPLICATION"] = "TRANSFORM_DROP_DUPLICATION"
    drop_field_list: Annotated[
        tuple[str, ...],
        Described(min_length=1, description="The columns that are compared."),
        Widget("columns", "Compare"),
    ]

    def plan(self, *parents: Op) -> Op:
        """A distinct of the parent."""
        (parent,) = parents
        path = "dropFieldList"
        no_repeats(self.drop_field_list, field=path, hint="name each column once")
        keys = each(self.drop_field_list, lambda name: column(parent.schema, name, field=""), field=path)
        unordered = [f for f in parent.schema if not orderable(f.type)]
        if unordered:
            raise NodeError.of(
                [
                    Fault(
                        f"{f.name!r} is {f.type}, which has no order, so that no row is the smallest",
                        path,
                        "leave the column out with TRANSFORM_SELECT before",
                        "type-mismatch",
                    )
                    for f in unordered
                ]
            )
        return Distinct(node_id=self.id, node=self.name, parent=parent, keys=tuple(key.name for key in keys))
