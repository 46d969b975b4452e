"""The warehouse: a folder `schema/table` of Parquet in one bucket for each table, and the columns that it has."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, and_, select

from headrace.db.tables import warehouse_tables

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
Columns = Sequence[Mapping[str, Any]]


def is_name(text: str) -> bool:
    """Whether a schema or a table can have this name."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class TableName:
    """A table of the warehouse; the names differ by more than case."""

    schema: str
    table: str

    @classmethod
    def of(cls, text: str) -> "TableName":
        """The table of `schema.table`. Raises ValueError that says what is wrong."""
        schema, dot, table = text.strip().partition(".")
        if not dot or not _NAME.fullmatch(schema) or not _NAME.fullmatch(table):
            raise ValueError(f"{text[:100]!r} is not schema.table: letters, digits, - and _ on both sides of one dot")
        return cls(schema.lower(), table.lower())

    @property
    def prefix(self) -> str:
        """Where its files lie in the bucket."""
        return f"{self.schema}/{self.table}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


def columns(con: Connection, account_id: str, table: TableName) -> Columns | None:
    """The columns of a table, as entries of a `fieldList`; None when no job of ours fills it."""
    found: Columns | None = con.scalar(select(warehouse_tables.c.columns).where(_this(account_id, table)))
    return found


def keep(con: Connection, account_id: str, table: TableName, columns: Columns, *, now: datetime) -> None:
    """Write down the columns of a table."""
    values = {"columns": [dict(each) for each in columns], "updated_at": now.timestamp()}
    if con.execute(sa.update(warehouse_tables).where(_this(account_id, table)).values(values)).rowcount:
        return
    names = {"account_id": account_id, "schema_name": table.schema, "table_name": table.table}
    con.execute(sa.insert(warehouse_tables).values(**names, **values))


def _this(account_id: str, table: TableName) -> sa.ColumnElement[bool]:
    c = warehouse_tables.c
    return and_(c.account_id == account_id, c.schema_name == table.schema, c.table_name == table.table)
