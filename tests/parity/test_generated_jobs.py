"""Generated jobs give the rows of the reference on the embedded engine and through the Spark dialect.

What Sail is known to do otherwise is recognised by what a job contains, before its rows are looked at; such a job is
set aside, and the reasons are printed. HEADRACE_GENERATED_JOBS is how many jobs are compared, the same at each run.
"""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from headrace.plan.ops import Op
from tests.parity.running import SERVER, WHY_SKIPPED, Spark, spark_columns
from tests.parity.sail_faults import job_fault
from tests.support import generated_runs
from tests.support.generated import Job, jobs
from tests.support.plans import collected
from tests.support.reference import differences

pytest.importorskip("pysail", reason=WHY_SKIPPED)

COUNT = int(os.environ.get("HEADRACE_GENERATED_JOBS", "450"))
LEAST = 300
"""Of the jobs that are drawn by default, so many must really be compared."""


@pytest.mark.timeout(1200)
def test_generated_jobs_give_the_same_rows_on_both_engines(
    spark: Spark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aside: Counter[str] = Counter()
    told: list[str] = []
    compared = 0

    # No phase shrinks and none stops: every job is looked at, and all that differ are told together.
    @settings(
        max_examples=COUNT,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(jobs(files=False))
    def compare(job: Job) -> None:
        nonlocal compared
        if not SERVER and (why := job_fault(job)):
            aside[why] += 1
            return
        compared += 1
        told.extend(f"{what}\n{job!r}" for what in _unlike(job, spark, tmp_path))

    compare()
    with capsys.disabled():
        print(f"\ngenerated jobs: {compared} compared, {aside.total()} set aside")
        for why, count in aside.most_common():
            print(f"  {count:4} {why}")
    assert not told, "\n\n".join(told[:20])
    assert compared >= min(COUNT, LEAST)


def _unlike(job: Job, spark: Spark, folder: Path) -> list[str]:
    """How the rows of each target differ, in words."""
    told = []
    for write in generated_runs.over_rows(job):
        wanted, op = job.tables[write.node_id], write.parent
        told += [f"DuckDB, node {write.node_id}: {what}" for what in differences(wanted, collected(op, folder))]
        told += [f"Spark, node {write.node_id}: {what}" for what in _on_spark(job, op, write.node_id, spark)]
    return told


def _on_spark(job: Job, op: Op, node_id: int, spark: Spark) -> list[str]:
    try:
        ran = spark.run(op)
    except Exception as error:  # noqa: BLE001  # what one job does must not hide the others
        return [f"{type(error).__name__}: {str(error)[:500]}"]
    if ran.columns != spark_columns(op.schema):
        return [f"columns {ran.columns}, not {spark_columns(op.schema)}"]
    return differences(job.tables[node_id], ran.rows)
