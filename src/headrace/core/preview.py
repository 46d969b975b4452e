"""The first rows of a table of the warehouse, read by an engine of this process in little memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headrace.execution.machine import limits
from headrace.graph import read_node
from headrace.ids import new_id
from headrace.nodes.base import Node
from headrace.plan.ops import Collect, Read
from headrace.plan.types import Schema
from headrace.settings import Settings
from headrace.stores.base import Store
from headrace.stores.publish import snapshot

_MEMORY = "256MB"


@dataclass(frozen=True, slots=True)
class Preview:
    """Columns and rows; `more` says whether there are others."""

    schema: Schema
    rows: tuple[tuple[Any, ...], ...]
    more: bool


def preview(source: Mapping[str, Any], *, store: Store, settings: Settings, first: int, limit: int) -> Preview:
    """The rows of a source node after the `first` ones, at most so many. Raises StoreMissing when there is no data."""
    from headrace.engines.duckdb import DuckDbEngine

    node = read_node({**source, "id": 1, "name": "table", "parentNodeIds": []}, 0)
    assert isinstance(node, Node), node
    read = node.plan()
    assert isinstance(read, Read)
    found = snapshot(store, read.place)
    sink = Collect(node_id=2, node="rows", parent=read, limit=first + limit + 1)
    with limits(settings, f"preview-{new_id()}") as allowed:
        Path(allowed.temp_directory).mkdir(parents=True, exist_ok=True)
        engine = DuckDbEngine(replace(allowed, threads=1, memory=_MEMORY))
        rows: Sequence[tuple[Any, ...]] = engine.run([sink], sources={1: found}, targets={}).collected[2]
    return Preview(read.schema, tuple(rows[first : first + limit]), more=len(rows) > first + limit)
