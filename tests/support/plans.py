"""Runs plans whose inputs stand in them on the embedded engine."""

from pathlib import Path
from typing import Any

from headrace.engines.duckdb import DuckDbEngine
from headrace.plan.ops import Collect, Op
from tests.support import examples

Rows = tuple[tuple[Any, ...], ...]


def collected(op: Op, folder: Path) -> Rows:
    """The rows of an operation over given rows."""
    sink = Collect(node_id=0, node="result", parent=op)
    outcome = DuckDbEngine(examples.limits(folder)).run([sink], sources={}, targets={})
    return outcome.collected[0]
