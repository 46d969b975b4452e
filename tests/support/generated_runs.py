"""Generated jobs on the embedded engine: over rows that stand in the plan, or over files in a lake."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from headrace.engines.base import Outcome
from headrace.engines.duckdb import DuckDbEngine
from headrace.graph import Graph
from headrace.nodes.examples import Table
from headrace.plan.expr import Constant
from headrace.plan.ops import Collect, Op, Read, Rows, Write, in_order
from headrace.plan.prune import prune
from headrace.plan.types import BIGINT, BOOLEAN, DATE, DOUBLE, INT, STRING, TIMESTAMP, Decimal, Type
from headrace.stores.base import Snapshot, Staged
from headrace.stores.files import FolderStore
from headrace.stores.publish import snapshot
from tests.support import examples
from tests.support.generated import Job
from tests.support.jobs import Json
from tests.support.lake import Lake

_ARROW: Mapping[Type, Any] = {
    BOOLEAN: pyarrow.bool_(),
    INT: pyarrow.int32(),
    BIGINT: pyarrow.int64(),
    DOUBLE: pyarrow.float64(),
    STRING: pyarrow.string(),
    DATE: pyarrow.date32(),
    TIMESTAMP: pyarrow.timestamp("us"),
}
_PLAIN_NUMBER = re.compile(r"-?[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class Ran:
    """What a run on the embedded engine left."""

    outcome: Outcome
    folder: Path

    def bad(self) -> dict[int, dict[str, int]]:
        """The values that became null, by node and column in lower case, where there are any."""
        counted = {
            n: {name.lower(): count for name, count in counts.items() if count}
            for n, counts in self.outcome.bad_values.items()
        }
        return {n: counts for n, counts in counted.items() if counts}

    def parquet(self, node_id: int) -> Any:
        """What a Parquet target wrote, as a table of Arrow."""
        (file,) = (self.folder / str(node_id)).iterdir()
        return pyarrow.parquet.read_table(file)


def over_rows(job: Job) -> tuple[Write, ...]:
    """The targets of a job whose sources are replaced by their rows."""
    sinks = Graph.of(job.nodes).plan().sinks
    made: dict[int, Op] = {}
    for op in in_order(sinks):
        if isinstance(op, Read):
            stored = job.stored[op.node_id]
            made[id(op)] = Rows(node_id=op.node_id, node=op.node, given=stored.schema, rows=stored.rows)
        else:
            made[id(op)] = op.with_parents([made[id(parent)] for parent in op.parents])
    return tuple(op for sink in prune(sinks_of(made, sinks)) if isinstance(op := sink, Write))


def sinks_of(made: Mapping[int, Op], sinks: Sequence[Op]) -> list[Op]:
    """What became of the sinks."""
    return [made[id(sink)] for sink in sinks]


def run_over_rows(job: Job, folder: Path) -> Ran:
    """Run a job over rows; its targets lie in folders of their numbers."""
    return _run(DuckDbEngine(examples.limits(folder)), over_rows(job), {}, folder)


def run_over_files(job: Job, lake: Lake) -> Ran:
    """Put what the sources store into the lake, and run the job; its targets lie in folders of their numbers."""
    for source in job.sources:
        put(lake, source, job.stored[source["id"]])
    writes = Graph.of(job.nodes).plan().pruned
    store = FolderStore(lake.root / "buckets")
    found = {op.node_id: snapshot(store, op.place) for op in in_order(writes) if isinstance(op, Read)}
    return _run(lake.engine(read_back=True), [w for w in writes if isinstance(w, Write)], found, lake.root)


def _run(engine: DuckDbEngine, writes: Sequence[Write], sources: Mapping[int, Snapshot], folder: Path) -> Ran:
    targets = {}
    for write in writes:
        (folder / str(write.node_id)).mkdir()
        targets[write.node_id] = Staged(str(folder / str(write.node_id)), write.place, "run")
    return Ran(engine.run(writes, sources=sources, targets=targets), folder)


def read_back(target: Json, ran: Ran, lake: Lake) -> Ran:
    """What a source of the target's fields reads of what the target wrote."""
    (file,) = (ran.folder / str(target["id"])).iterdir()
    lake.put(f"{target['prefix']}/{file.name}", file.read_bytes())
    source = {**target, "type": "SOURCE_OBS", "id": 1, "parentNodeIds": []}
    (node,) = Graph.of([source]).nodes
    op = node.plan()
    assert isinstance(op, Read)
    sink = Collect(node_id=0, node="result", parent=op)
    found = {1: snapshot(FolderStore(lake.root / "buckets"), op.place)}
    return Ran(lake.engine().run([sink], sources=found, targets={}), ran.folder)


def arrow_type(type_: Type) -> Any:
    """The type of Arrow that a column of this type has in Parquet."""
    return pyarrow.decimal128(type_.precision, type_.scale) if isinstance(type_, Decimal) else _ARROW[type_]


def put(lake: Lake, source: Json, stored: Table) -> None:
    """Write what a source stores; the columns in another order than the node has them, since names decide."""
    fields = stored.schema.fields[::-1]
    rows = [row[::-1] for row in stored.rows]
    name = f"{source['prefix']}/part.{source['dataType'].lower()}"
    match source["dataType"]:
        case "CSV":
            lines = [[f.name for f in fields], *rows]
            lake.put(name, "".join(",".join(map(_quoted, line)) + "\n" for line in lines))
        case "JSON":
            texts = [_object([f.name for f in fields], row) for row in rows]
            lake.put(name, "\n".join(texts) if source["id"] % 2 else f"[{', '.join(texts)}]")
        case _:
            columns = [pyarrow.array([row[i] for row in rows], arrow_type(f.type)) for i, f in enumerate(fields)]
            buffer = io.BytesIO()
            pyarrow.parquet.write_table(pyarrow.table(columns, names=[f.name for f in fields]), buffer)
            lake.put(name, buffer.getvalue())


def _quoted(value: Constant) -> str:
    if value is None:
        return ""
    assert isinstance(value, str)
    plain = value and not set(value) & set(',"\r\n')
    return value if plain else '"' + value.replace('"', '""') + '"'


def _object(names: Sequence[str], row: Sequence[Constant]) -> str:
    """A JSON object; a text that is a plain number or truth stands there as one."""
    return "{" + ", ".join(f"{json.dumps(n)}: {_bare(v)}" for n, v in zip(names, row, strict=True)) + "}"


def _bare(value: Constant) -> str:
    if isinstance(value, str) and (value in ("true", "false") or _PLAIN_NUMBER.fullmatch(value)):
        return value
    return json.dumps(value, ensure_ascii=False)
