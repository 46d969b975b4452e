"""Split a text into columns.

The text of one column is cut at every delimiter, and the pieces become new columns behind the others. A piece that is
not there is missing; the last column takes all that is left, delimiters and all, so that nothing is lost. The column
itself stays.

The vendor listed this type at its launch and removed it later; its fields were never shown in public: these are ours.
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
    column,
    no_repeats,
)
from headrace.plan.casts import kind
from headrace.plan.expr import Column, Named, Piece
from headrace.plan.ops import Op, Project

MOST_SIGNS = 100


class SplitFieldNode(Node):
    """Split a text into columns."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Columns"
    examples: ClassVar = (
        Example(
            title="Two pieces; the last takes the rest",
            given=(Table.of("path string", ("a.b.c",), ("a",), ("",), (None,), (".b",)),),
            fields={"fieldName": "path", "delimiter": ".", "newFieldList": ["first", "rest"]},
            gives=Table.of(
                "path string, first string, rest string",
                ("a.b.c", "a", "b.c"),
                ("a", "a", None),
                ("", "", None),
                (None, None, None),
                (".b", "", "b"),
            ),
        ),
    )

    type: Literal["TRANSFORM_SPLIT_FIELD"] = "TRANSFORM_SPLIT_FIELD"
    field_name: Annotated[str, Described(min_length=1, description="The column to split."), Widget("column", "Column")]
    delimiter: Annotated[
        str,
        Described(min_length=1, max_length=MOST_SIGNS, description="Where to cut: this very text."),
        Fillable(),
        Widget("text", "Delimiter"),
    ]
    new_field_list: Annotated[
        tuple[Annotated[str, Described(min_length=1, max_length=255)], ...],
        Described(min_length=1, max_length=1000, description="The names of the new columns."),
        Widget("list", "New columns"),
    ]

    def plan(self, *parents: Op) -> Op:
        """A projection with a column for each piece."""
        (parent,) = parents
        found = column(parent.schema, self.field_name, field="fieldName")
        if kind(found.type) != "text":
            raise NodeError(
                f"{found.name!r} is {found.type}, not text",
                field="fieldName",
                hint="cast it with TRANSFORM_DEFINE before",
                code="type-mismatch",
            )
        if not 1 <= len(self.delimiter) <= MOST_SIGNS:  # a parameter may have brought it
            raise NodeError(f"a delimiter has 1 to {MOST_SIGNS} signs", field="delimiter", code="bad-value")
        whole = Column(found.name, found.type)
        last = len(self.new_field_list) - 1
        pieces = [
            Named(name, Piece(whole, self.delimiter, index, last=index == last))
            for index, name in enumerate(self.new_field_list)
        ]
        columns = (*(Named(f.name, Column(f.name, f.type)) for f in parent.schema), *pieces)
        no_repeats((c.name for c in columns), field="newFieldList")
        return Project(node_id=self.id, node=self.name, parent=parent, columns=columns)
