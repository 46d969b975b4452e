"""Read from, and write to, a table of Cloud DB for MySQL.

The table is named by the id of a connection and its own name. The columns are declared, as for object storage.
"""

from typing import ClassVar, Literal

from headrace.nodes.tables import SourceDatabase, TargetDatabase


class SourceMySql(SourceDatabase):
    """Read a table of Cloud DB for MySQL."""

    system: ClassVar = "MySQL"

    type: Literal["SOURCE_CDB_MYSQL"] = "SOURCE_CDB_MYSQL"


class TargetMySql(TargetDatabase):
    """Write a table of Cloud DB for MySQL."""

    system: ClassVar = "MySQL"

    type: Literal["TARGET_CDB_MYSQL"] = "TARGET_CDB_MYSQL"
