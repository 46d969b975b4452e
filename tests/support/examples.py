"""Runs the examples of node types, on any engine that runs plans."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headrace.engines.base import Engine, Limits, Outcome
from headrace.graph import Graph, read_node
from headrace.nodes import registry
from headrace.nodes.base import Node
from headrace.nodes.examples import Example
from headrace.plan.ops import Collect, Op, Sink, Write
from headrace.plan.prune import prune
from headrace.stores.base import Snapshot, Staged, StoredObject

NODE_ID = 10
LIMITS = Limits(threads=2, memory="1GB", temp_directory="", temp_size="10GB")


def all_examples() -> Iterator[tuple[type[Node], Example]]:
    """Every example of every node type."""
    for node in registry().values():
        yield from itertools.product([node], node.examples)


def limits(folder: Path) -> Limits:
    """Limits of a small run that spills into the folder."""
    return Limits(threads=2, memory="1GB", temp_directory=str(folder / "spill"), temp_size="10GB")


def node_of(kind: type[Node], example: Example) -> Node:
    """The example's node, with the ids that examples promise: parents 1, 2 …"""
    parents = list(range(1, len(example.given) + 1))
    sent = {"type": kind.type_word(), "id": NODE_ID, "name": "it", "parentNodeIds": parents, **example.fields}
    read = read_node(sent, 0)
    assert isinstance(read, Node), read
    return read


def meaning(kind: type[Node], example: Example) -> Op:
    """The operation of the example's node over its given rows."""
    return node_of(kind, example).plan(*(table.operation(i) for i, table in enumerate(example.given, start=1)))


def run(engine: Engine, kind: type[Node], example: Example, folder: Path) -> Outcome:
    """Run the example: its files lie below the folder, and what a target writes goes to `folder/out`."""
    op = meaning(kind, example)
    sink: Sink = op if isinstance(op, Write) else Collect(node_id=NODE_ID, node="result", parent=op)
    sources = {NODE_ID: snapshot(op, example, folder)} if example.files else {}
    (folder / "out").mkdir()
    staged = Staged(str(folder / "out"), op.place, "run") if isinstance(op, Write) else None
    return engine.run(prune([sink]), sources=sources, targets={NODE_ID: staged} if staged else {})


def snapshot(op: Any, example: Example, folder: Path) -> Snapshot:
    """The example's files as the snapshot of the place that the operation reads."""
    found = []
    for name, content in example.files.items():
        path = folder / name
        path.write_text(content, encoding="utf-8", newline="")
        found.append(StoredObject(op.place.bucket, f"{op.place.prefix}/{name}", path.stat().st_size, "e", str(path)))
    return Snapshot(op.place, tuple(found))


def rows_equal(got: Any, wanted: Any) -> bool:
    """Whether two sets of rows are the same but for order; averages to 1e-9 relative."""
    return sorted(map(_key, got)) == sorted(map(_key, wanted))


def _key(row: Any) -> str:
    return repr([round(v, 9) if isinstance(v, float) else v for v in row])


__all__ = ["Graph", "all_examples", "limits", "meaning", "node_of", "rows_equal", "run"]
