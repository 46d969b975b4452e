"""Examples: small inputs and outputs that stand in the documentation and run on every engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.plan.expr import Constant
from headrace.plan.ops import Rows
from headrace.plan.types import Field, Schema, parse_type


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with their columns."""

    schema: Schema
    rows: tuple[tuple[Constant, ...], ...]

    @classmethod
    def of(cls, columns: str, *rows: tuple[Constant, ...]) -> "Table":
        """A table from its columns, `"id bigint, name string"`, and its rows."""
        pairs = (column.strip().split(" ", 1) for column in columns.split(", "))
        return cls(Schema(tuple(Field(name, parse_type(kind)) for name, kind in pairs)), rows)

    def operation(self, node_id: int) -> Rows:
        """The table as an operation of a plan."""
        return Rows(node_id=node_id, node=f"input {node_id}", given=self.schema, rows=self.rows)


@dataclass(frozen=True, slots=True)
class Example:
    """What a node of these fields makes of what it is given.

    A transform has a table for each parent, whose node ids are 1, 2 and so on. A source has files (name and text), a
    target writes one. `bad_values` are the counts that the run reports, by field.
    """

    title: str
    fields: Mapping[str, Any]
    given: tuple[Table, ...] = ()
    gives: Table | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    writes: str = ""
    bad_values: Mapping[str, int] = field(default_factory=dict)
