"""Read from, and write to, a table of the data catalogue.

A table is named by its database, its name and the version of its schema. The columns are declared all the same, so that
a job can be checked without asking the catalogue.
"""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import Described, Node, Whole, Widget
from headrace.nodes.tables import Fields, TableName, declared, written
from headrace.plan.ops import Op, ReadTable, TablePlace, UpdateType, WriteTable

Database = Annotated[
    str, Described(min_length=1, max_length=255, description="The database."), Widget("text", "Database")
]
Version = Annotated[
    str,
    Described(min_length=1, max_length=100, description="The version of the table's schema, as text."),
    Widget("text", "Schema version"),
]


class SourceCatalog(Node):
    """Read a table of the data catalogue."""

    category: ClassVar = "SOURCE"
    group: ClassVar = "Catalogue"
    arity: ClassVar = (0, 0)
    runs: ClassVar = False

    type: Literal["SOURCE_CATALOG"] = "SOURCE_CATALOG"
    database: Database
    table: TableName
    schema_version: Version
    field_list: Fields

    def plan(self, *parents: Op) -> Op:
        """A read of the declared columns."""
        del parents
        fields = declared(self.field_list)
        place = TablePlace("catalogue", self.database, self.table, self.schema_version)
        return ReadTable(node_id=self.id, node=self.name, place=place, declared=fields, used=fields)


class TargetCatalog(Node):
    """Write a table of the data catalogue."""

    category: ClassVar = "TARGET"
    group: ClassVar = "Catalogue"
    runs: ClassVar = False

    type: Literal["TARGET_CATALOG"] = "TARGET_CATALOG"
    database: Database
    table: TableName
    schema_version: Version
    field_list: Fields
    update_type: Annotated[
        UpdateType,
        Described(description="OVERWRITE replaces the data there, APPEND adds, IGNORE writes only when there is none."),
        Widget("select", "Update"),
    ] = "APPEND"
    coalesce: Annotated[
        Annotated[Whole, Described(ge=1, le=10_000)] | None, Described(description="The greatest number of files.")
    ] = None

    def plan(self, *parents: Op) -> Op:
        """A write of the declared columns, cast to their types."""
        (parent,) = parents
        return WriteTable(
            node_id=self.id,
            node=self.name,
            parent=written(self.id, self.name, parent, declared(self.field_list)),
            place=TablePlace("catalogue", self.database, self.table, self.schema_version),
            mode=self.update_type,
            coalesce=self.coalesce,
        )
