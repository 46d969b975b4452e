import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import duckdb
import pytest

from headrace.engines.base import Outcome
from headrace.engines.duckdb import DuckDbEngine
from headrace.errors import Cancelled, StoreError
from headrace.plan.ops import Place, Read, in_order
from headrace.stores.access import Access
from headrace.stores.base import Snapshot, Staged, StoredObject, go_on_always
from tests.support.jobs import plan, source, target
from tests.support.lake import Lake

streams = pytest.importorskip("headrace.engines.duckdb.streams")

ROWS = b"id,name\n" + b"1,a\n" * 100_000


class _Broken(io.BytesIO):
    """Bytes of which the first megabyte can't be had past its half."""

    def __init__(self, data: bytes, trouble: Callable[[], None]) -> None:
        super().__init__(data)
        self.trouble = trouble

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0 or self.tell() + size > 200_000:
            self.trouble()
        return super().read(size)


@dataclass
class _Elsewhere:
    """An origin whose objects are bytes here."""

    data: bytes
    trouble: Callable[[], None] = go_on_always
    stops: list[Callable[[], None]] = field(default_factory=list)

    def open(self, found: StoredObject, go_on: Callable[[], None] = go_on_always) -> BinaryIO:
        self.stops.append(go_on)
        return _Broken(self.data, self.trouble)

    def access(self, bucket: str) -> Access:
        raise AssertionError("no keys are needed for text")


def run(root: Path, origin: _Elsewhere, engine: DuckDbEngine, key: str = "in/a b*.csv") -> Outcome:
    writes = plan(source(), target()).pruned
    found = StoredObject("lake", key, len(origin.data), "1", f"s3://lake/{key}", origin)
    (root / "9").mkdir()
    sources = {1: Snapshot(Place("lake", "in"), (found,))}
    return engine.run(writes, sources=sources, targets={9: Staged(str(root / "9"), Place("lake", "out"), "run")})


@pytest.mark.parametrize("key", ["in/a.csv", "in/a b*.csv", "in/q?x=1.csv", "in/100%25+[1].csv", "in/한글'.csv"])
def test_text_is_read_by_its_name_as_it_is(key: str, tmp_path: Path) -> None:
    outcome = run(tmp_path, _Elsewhere(ROWS), Lake(tmp_path).engine(), key)
    assert outcome.reads[1].rows == 100_000
    assert Lake(tmp_path).rows() == [["1", "a"]] * 100_000


def test_a_failure_keeps_its_words_and_tells_its_node(tmp_path: Path) -> None:
    def fail() -> None:
        raise StoreError("'lake/in/a.csv': the endpoint sulks", hint="be kind")

    with pytest.raises(StoreError) as caught:
        run(tmp_path, _Elsewhere(ROWS, fail), Lake(tmp_path).engine())
    assert (caught.value.message, caught.value.hint) == ("'lake/in/a.csv': the endpoint sulks", "be kind")
    assert (caught.value.node_id, caught.value.node) == (1, "node 1")


def test_a_cancel_is_heard_while_bytes_are_waited_for(tmp_path: Path) -> None:
    engine = Lake(tmp_path).engine()
    origin = _Elsewhere(ROWS)

    def wait() -> None:
        engine.cancel()
        origin.stops[-1]()
        raise AssertionError("it was not heard")

    origin.trouble = wait
    with pytest.raises(Cancelled):
        run(tmp_path, origin, engine)


def test_nothing_but_the_objects_of_the_run_can_be_opened() -> None:
    origin = _Elsewhere(ROWS)
    (read,) = [op for op in in_order(plan(source(), target()).pruned) if isinstance(op, Read)]
    found = StoredObject("lake", "in/a.csv", len(ROWS), "1", "s3://lake/in/a.csv", origin)
    sources, files = streams.streamed({1: read}, {1: Snapshot(Place("lake", "in"), (found,))}, go_on_always)
    (name,) = [each.location for each in sources[1].objects]
    with duckdb.connect() as con:
        con.register_filesystem(files)
        con.execute("SET allowed_paths = $files", {"files": [name]})
        con.execute("SET enable_external_access = false")
        assert con.execute(f"SELECT count(*) FROM read_csv('{name}')").fetchall() == [(100_000,)]
        for other in ("objects://lake/in/b.csv", "objects://other/in/a.csv", "objects://lake/in/*"):
            with pytest.raises(duckdb.PermissionException):
                con.execute(f"SELECT * FROM read_csv('{other}')")
        with pytest.raises(duckdb.Error):
            con.execute(f"COPY (SELECT 1) TO '{name}'")
    assert origin.data == ROWS
