"""The jobs are sound, and every engine does the same one."""

import json

import pytest

from benchmarks import data
from benchmarks.checks import Summary, differences, summary
from benchmarks.embedded import Bench, Engine, duckdb, duckdb_pushed, headrace
from benchmarks.measure import taken
from benchmarks.workloads import WORKLOADS, Workload
from headrace.graph import Graph


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    storage, _ = data.prepared(tmp_path_factory.mktemp("benchmarks"), 0.0005)
    (storage / "work").mkdir()
    return Bench(storage, threads=1, memory_limit="500MB")


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda work: str(work.name))
def test_the_job_is_sound(work: Workload) -> None:
    nodes = json.loads(work.job.read_text(encoding="utf-8"))["nodes"]

    assert Graph.of(nodes).problems == ()


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda work: str(work.name))
def test_the_hand_written_script_writes_what_headrace_writes(work: Workload, bench: Bench) -> None:
    wrote = [_written(bench, work, engine) for engine in (headrace, duckdb, duckdb_pushed)]

    assert int(str(wrote[0]["count(*)"])) > 0
    assert differences(wrote[0], wrote[1]) == []
    assert differences(wrote[0], wrote[2]) == []


def _written(bench: Bench, work: Workload, engine: Engine) -> Summary:
    taken(engine(bench, work), env={}, memory=False)
    files = bench.bucket / "out" / work.name / f"*.{work.format}" if engine is headrace else bench.output(work)
    return summary(work.name, str(files))
