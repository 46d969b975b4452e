"""Read from, and write to, a table of Cloud DB for PostgreSQL.

The table is named by the id of a connection and its own name. The columns are declared, as for object storage.
"""

from typing import ClassVar, Literal

from headrace.nodes.tables import SourceDatabase, TargetDatabase


class SourcePostgreSql(SourceDatabase):
    """Read a table of Cloud DB for PostgreSQL."""

    system: ClassVar = "PostgreSQL"

    type: Literal["SOURCE_CDB_POSTGRESQL"] = "SOURCE_CDB_POSTGRESQL"


class TargetPostgreSql(TargetDatabase):
    """Write a table of Cloud DB for PostgreSQL."""

    system: ClassVar = "PostgreSQL"

    type: Literal["TARGET_CDB_POSTGRESQL"] = "TARGET_CDB_POSTGRESQL"
