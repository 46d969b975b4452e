"""Any job gives on the embedded engine what the reference in plain Python says: see docs/explanation/proof.md.

HEADRACE_GENERATED_JOBS is how many jobs each property tries; with it they are others at each run.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from headrace.graph import Graph
from tests.support import generated_runs
from tests.support.generated import Job, jobs
from tests.support.lake import Lake
from tests.support.reference import differences

ASKED = os.environ.get("HEADRACE_GENERATED_JOBS", "")


def tries(count: int) -> settings:
    """So many jobs, the same ones at each run unless a number is asked for."""
    slow = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
    return settings(
        max_examples=int(ASKED or count),
        derandomize=not ASKED,
        database=None,
        deadline=None,
        print_blob=bool(ASKED),
        suppress_health_check=slow,
    )


@contextmanager
def lake() -> Iterator[Lake]:
    """A bucket for one job."""
    with TemporaryDirectory() as folder:
        yield Lake(Path(folder))


@pytest.mark.timeout(0 if ASKED else 300)
@tries(150)
@given(jobs(files=False))
def test_a_job_over_rows_gives_the_rows_types_and_counts_of_the_reference(job: Job) -> None:
    with lake() as place:
        ran = generated_runs.run_over_rows(job, place.root)
        for target in job.targets:
            wanted, got = job.tables[target["id"]], ran.parquet(target["id"])
            types = [(f.name, generated_runs.arrow_type(f.type)) for f in wanted.schema]
            assert [(f.name, f.type) for f in got.schema] == types
            assert differences(wanted, zip(*(column.to_pylist() for column in got.columns), strict=True)) == []
        assert ran.bad() == job.bad


@pytest.mark.timeout(0 if ASKED else 300)
@tries(200)
@given(jobs(files=True, targets=("CSV", "JSON", "PARQUET")))
def test_a_job_over_files_writes_what_a_source_reads_back_as_the_rows_of_the_reference(job: Job) -> None:
    with lake() as place:
        ran = generated_runs.run_over_files(job, place)
        assert ran.bad() == job.bad
        for target in job.targets:
            again = generated_runs.read_back(target, ran, place)
            assert differences(job.tables[target["id"]], again.outcome.collected[0]) == []
            assert again.bad() == {}


@tries(150)
@given(jobs(files=True, targets=("CSV", "JSON", "PARQUET")))
def test_a_generated_job_is_sound_and_its_columns_are_known_without_running(job: Job) -> None:
    graph = Graph.of(job.nodes)
    assert [str(problem) for problem in graph.problems] == []
    operations = graph.plan().by_node
    assert {n: op.schema.fields for n, op in operations.items()} == {n: t.schema.fields for n, t in job.tables.items()}
