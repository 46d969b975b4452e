"""A bucket in a folder, and plans that run over it on the embedded engine: no claims, no publication."""

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from headrace.engines.base import Limits, Outcome
from headrace.engines.duckdb import DuckDbEngine
from headrace.plan.ops import Place, Read, in_order
from headrace.stores.base import Snapshot, Staged
from headrace.stores.files import FolderStore
from headrace.stores.publish import snapshot
from tests.support.jobs import Json, plan

LIMITS = Limits(threads=2, memory="500MB", temp_directory="", temp_size="1GB")


@dataclass(frozen=True)
class Lake:
    """A folder of buckets with the bucket `lake`."""

    root: Path

    def put(self, key: str, content: str | bytes) -> Path:
        """Store an object."""
        path = self.root / "buckets" / "lake" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def put_parquet(self, key: str, **columns: Any) -> Path:
        """Store a Parquet object."""
        buffer = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
        return self.put(key, buffer.getvalue())

    def engine(
        self, kind: type[DuckDbEngine] = DuckDbEngine, *, read_back: bool = False, **limits: Any
    ) -> DuckDbEngine:
        """An engine that spills below the root."""
        return kind(replace(LIMITS, temp_directory=str(self.root / "spill"), **limits), read_back=read_back)

    def run(self, *nodes: Json, engine: DuckDbEngine | None = None) -> Outcome:
        """Run the job of these nodes; what target N writes lies in the folder `N`."""
        writes = plan(*nodes).pruned
        store = FolderStore(self.root / "buckets")
        sources: dict[int, Snapshot] = {
            op.node_id: snapshot(store, op.place, or_nothing=op.exact)
            for op in in_order(writes)
            if isinstance(op, Read)
        }
        targets = {}
        for write in writes:
            folder = self.root / str(write.node_id)
            folder.mkdir()
            assert isinstance(write.place, Place)
            targets[write.node_id] = Staged(str(folder), write.place, "run")
        return (engine or self.engine()).run(writes, sources=sources, targets=targets)

    def text(self, node_id: int = 9) -> str:
        """What a target wrote."""
        return "".join(path.read_text("utf-8") for path in sorted((self.root / str(node_id)).iterdir()))

    def rows(self, node_id: int = 9) -> list[list[str]]:
        """The rows of a CSV target, sorted, without its header."""
        return sorted(list(csv.reader(io.StringIO(self.text(node_id))))[1:])
