"""What nodes over tables of other systems share: the declared columns, and how a target's are cast."""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import Described, FieldSpec, Node, NodeError, Widget, each, nearest, no_repeats
from headrace.nodes.define import cast
from headrace.plan.expr import Column, Named
from headrace.plan.ops import Op, Project, ReadTable, TablePlace, UpdateType, WriteTable
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


class SourceDatabase(Node):
    """Read a table of a database, named by a connection."""

    category: ClassVar = "SOURCE"
    group: ClassVar = "Databases"
    arity: ClassVar = (0, 0)
    runs: ClassVar = False
    system: ClassVar[Literal["MySQL", "PostgreSQL"]]

    connection_id: Connection
    table: TableName
    field_list: Fields

    def plan(self, *parents: Op) -> Op:
        """A read of the declared columns."""
        del parents
        fields = declared(self.field_list)
        place = TablePlace(self.system, self.connection_id, self.table)
        return ReadTable(node_id=self.id, node=self.name, place=place, declared=fields, used=fields)


class TargetDatabase(Node):
    """Write a table of a database, named by a connection."""

    category: ClassVar = "TARGET"
    group: ClassVar = "Databases"
    runs: ClassVar = False
    system: ClassVar[Literal["MySQL", "PostgreSQL"]]

    connection_id: Connection
    table: TableName
    field_list: Fields
    update_type: Annotated[
        UpdateType,
        Described(
            description="OVERWRITE replaces the rows there, APPEND adds, IGNORE writes only when there are none."
        ),
        Widget("select", "Update"),
    ] = "APPEND"

    def plan(self, *parents: Op) -> Op:
        """A write of the declared columns, cast to their types."""
        (parent,) = parents
        rows = written(self.id, self.name, parent, declared(self.field_list))
        place = TablePlace(self.system, self.connection_id, self.table)
        return WriteTable(node_id=self.id, node=self.name, parent=rows, place=place, mode=self.update_type)
