"""Read from, and write to, a table of Cloud DB for MySQL.

The table is named by the id of a connection and its own name. The columns are declared, as for object storage.
"""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import Described, Node, Widget
from headrace.nodes.tables import Connection, Fields, TableName, declared, written
from headrace.plan.ops import Op, ReadTable, TablePlace, UpdateType, WriteTable


class SourceMySql(Node):
    """Read a table of Cloud DB for MySQL."""

    category: ClassVar = "SOURCE"
    group: ClassVar = "Databases"
    arity: ClassVar = (0, 0)
    runs: ClassVar = False

    type: Literal["SOURCE_CDB_MYSQL"] = "SOURCE_CDB_MYSQL"
    connection_id: Connection
    table: TableName
    field_list: Fields

    def plan(self, *parents: Op) -> Op:
        """A read of the declared columns."""
        del parents
        fields = declared(self.field_list)
        place = TablePlace("MySQL", self.connection_id, self.table)
        return ReadTable(node_id=self.id, node=self.name, place=place, declared=fields, used=fields)


class TargetMySql(Node):
    """Write a table of Cloud DB for MySQL."""

    category: ClassVar = "TARGET"
    group: ClassVar = "Databases"
    runs: ClassVar = False

    type: Literal["TARGET_CDB_MYSQL"] = "TARGET_CDB_MYSQL"
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
        place = TablePlace("MySQL", self.connection_id, self.table)
        return WriteTable(node_id=self.id, node=self.name, parent=rows, place=place, mode=self.update_type)
