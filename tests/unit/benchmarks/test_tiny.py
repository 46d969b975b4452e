"""The tiny jobs are sound, and by hand they are the same."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from benchmarks.data import BUCKET
from benchmarks.tiny import FORMATS, QUERIES, again, job, laid
from headrace.graph import Graph


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "buckets"
    laid(folder)
    return folder


@pytest.mark.parametrize("name", QUERIES)
def test_a_job_is_sound(name: str) -> None:
    assert Graph.of(job(name)["nodes"]).problems == ()


@pytest.mark.parametrize("name", QUERIES)
def test_the_statement_by_hand_gives_the_rows_of_the_job(name: str, storage: Path) -> None:
    calls: Mapping[str, object] = again(name, storage, threads=1)
    for call in calls.values():
        assert callable(call)
        call()
    kind = FORMATS.get(name, "PARQUET").lower()
    (ours,) = (storage / BUCKET / "out" / name).glob(f"*.{kind}")

    found = _rows(ours, kind)
    assert found
    assert found == _rows(storage.parent / f"{name}.out", kind)


def _rows(file: Path, kind: str) -> list[tuple[object, ...]]:
    return duckdb.execute(f"SELECT * FROM read_{kind}('{file}') ORDER BY ALL").fetchall()
