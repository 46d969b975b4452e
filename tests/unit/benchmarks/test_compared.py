"""The jobs are sound, and every engine does the same one."""

import json
import shutil

import pytest

from benchmarks import data
from benchmarks.checks import Summary, differences, summary
from benchmarks.compared import Bench, Engine, duckdb, duckdb_pushed, headrace
from benchmarks.measure import taken
from benchmarks.workloads import EVERY, Workload
from headrace.graph import Graph


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("benchmarks")
    storage = folder / "scale-0.0005"
    for inputs in data.SETS:
        # Those of TPC-H are large enough for every query to find something.
        made, _ = data.prepared(folder / inputs, 0.01 if inputs == "tpch" else 0.0005, inputs)
        shutil.copytree(made / data.BUCKET, storage / data.BUCKET, dirs_exist_ok=True)
    (storage / "work").mkdir()
    return Bench(storage, threads=1, memory_limit="500MB")


@pytest.mark.parametrize("work", EVERY.values(), ids=lambda work: str(work.name))
def test_the_job_is_sound(work: Workload) -> None:
    nodes = json.loads(work.job.read_text(encoding="utf-8"))["nodes"]

    assert Graph.of(nodes).problems == ()


@pytest.mark.parametrize("work", EVERY.values(), ids=lambda work: str(work.name))
def test_the_hand_written_script_writes_what_headrace_writes(work: Workload, bench: Bench) -> None:
    by_hand = (duckdb, duckdb_pushed) if work.barrier else (duckdb,)
    wrote = _written(bench, work, headrace)

    assert int(str(wrote["count(*)"])) > 0
    assert [differences(wrote, _written(bench, work, engine)) for engine in by_hand] == [[]] * len(by_hand)


def _written(bench: Bench, work: Workload, engine: Engine) -> Summary:
    taken(engine(bench, work), env={}, memory=False)
    files = bench.bucket / "out" / work.name / f"*.{work.format}" if engine is headrace else bench.output(work)
    return summary(work.name, str(files))
