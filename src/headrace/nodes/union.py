"""Put the rows of several nodes below one another.

Columns are matched by name, whatever their order; the result has the columns of the first parent. A column that one
parent lacks, or has more, is a problem. Types must be equal or widen without loss (`int` with `bigint`, `date` with
`timestamp`); no engine ever picks a type. ALL keeps every row, DISTINCT each different row once.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import Described, Example, Fault, Node, NodeError, Table, Widget, nearest
from headrace.plan.casts import kind, widened
from headrace.plan.expr import Cast, Column, Expr, Named
from headrace.plan.ops import Op, Project, Union
from headrace.plan.types import Field, Schema


class UnionNode(Node):
    """Stack the rows of all parents."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "Combine"
    arity: ClassVar = (2, None)
    examples: ClassVar = (
        Example(
            title="By name, widened",
            given=(
                Table.of("id int, name string", (1, "A"), (1, "A")),
                Table.of("name string, id bigint", ("B", 5_000_000_000)),
            ),
            fields={"unionType": "ALL"},
            gives=Table.of("id bigint, name string", (1, "A"), (1, "A"), (5_000_000_000, "B")),
        ),
        Example(
            title="Each different row once; missing values are alike",
            given=(Table.of("id int", (1,), (1,), (None,)), Table.of("id int", (1,), (2,), (None,))),
            fields={"unionType": "DISTINCT"},
            gives=Table.of("id int", (1,), (2,), (None,)),
        ),
    )

    type: Literal["TRANSFORM_UNION"] = "TRANSFORM_UNION"
    union_type: Annotated[
        Literal["ALL", "DISTINCT"],
        Described(description="Whether repeated rows are kept."),
        Widget("select", "Rows"),
    ]

    def plan(self, *parents: Op) -> Op:
        """A union over the parents, each brought to the common columns."""
        fields = self._common([parent.schema for parent in parents])
        inputs = tuple(self._aligned(parent, fields) for parent in parents)
        return Union(node_id=self.id, node=self.name, inputs=inputs, distinct=self.union_type == "DISTINCT")

    def _common(self, schemas: Sequence[Schema]) -> tuple[Field, ...]:
        faults: list[Fault] = []
        fields = []
        for parent, schema in zip(self.parent_node_ids, schemas, strict=True):
            faults += _differences(parent, schema, self.parent_node_ids[0], schemas[0])
        if faults:
            raise NodeError.of(faults)
        for first in schemas[0]:
            common = first.type
            for parent, schema in zip(self.parent_node_ids[1:], schemas[1:], strict=True):
                wider = widened(common, schema[first.name].type)
                if wider is None:
                    faults.append(_unlike(first, common, parent, schema[first.name]))
                else:
                    common = wider
            fields.append(Field(first.name, common))
            if self.union_type == "DISTINCT" and kind(common) == "nested":
                faults.append(Fault(f"{first.name!r} is {common}, whose values can't be told apart", "unionType"))
        if faults:
            raise NodeError.of(faults)
        return tuple(fields)

    def _aligned(self, parent: Op, fields: Sequence[Field]) -> Op:
        columns = tuple(Named(f.name, _as(parent.schema[f.name], f)) for f in fields)
        if all(isinstance(c.expr, Column) for c in columns) and parent.schema.names == tuple(c.name for c in columns):
            return parent
        return Project(node_id=self.id, node=self.name, parent=parent, columns=columns)


def _as(own: Field, common: Field) -> Expr:
    plain = Column(own.name, own.type)
    return plain if own.type == common.type else Cast(plain, common.type)


def _differences(parent: int, schema: Schema, first_parent: int, first: Schema) -> list[Fault]:
    lacks = [f.name for f in first if schema.find(f.name) is None]
    extra = [f.name for f in schema if first.find(f.name) is None]
    faults = [
        Fault(f"node {parent} lacks column {name!r}", "parentNodeIds", nearest(name, extra), "unknown-column")
        for name in lacks
    ]
    faults += [
        Fault(
            f"node {first_parent} lacks column {name!r} of node {parent}",
            "parentNodeIds",
            nearest(name, lacks),
            "unknown-column",
        )
        for name in extra
    ]
    return faults


def _unlike(first: Field, common: object, parent: int, other: Field) -> Fault:
    return Fault(
        f"{first.name!r} is {common} and, in node {parent}, {other.type}: no type holds both without loss",
        "parentNodeIds",
        "cast one of them with TRANSFORM_DEFINE before",
        "type-mismatch",
    )
