"""How long does a page of a long history take?

    python -m benchmarks.server_lists [--runs 100] [--databases sqlite,postgresql] [--save]

One job with a million executions, 50 a page, by signed requests: the first ten pages in turn, and page 10,000. The
count of all is in every answer. `--save` keeps the figures as benchmarks/results/server_lists.json.
"""

import time
from pathlib import Path

from sqlalchemy import insert, update

from benchmarks.figures import Bar, percentile
from benchmarks.history import ended, look_over
from benchmarks.served import Client, Served, ask, opened, served, trivial
from headrace.db.tables import executions, jobs

QUESTION = "How long does a page of a long history take?"
# By default a history is cut long before that.
SETTINGS = {"keep_days": 0, "keep_executions": 0}
RUNS, ROWS, BATCH = 100, 1_000_000, 10_000
PAGE, FIRST_PAGES, FAR = 50, 10, 10_000
P50, P99, FAR_P50 = 10.0, 50.0, 50.0


def measured(folder: Path, database: str, runs: int) -> list[Bar]:
    """All pages over one database."""
    with served(folder, settings=SETTINGS, database=database) as server:
        job_id = server.client().job(trivial("one"))
        _fill(server, job_id)
        client = server.client()  # the first one was idle for too long
        near = [_took(client, job_id, number % FIRST_PAGES) for number in range(FIRST_PAGES + runs)][FIRST_PAGES:]
        far = [_took(client, job_id, FAR) for _ in range(1 + max(5, runs // 10))][1:]
    return [
        Bar("50 of 1,000,000 executions, first pages, p50", P50, percentile(near, 0.5) * 1e3, "ms"),
        Bar("50 of 1,000,000 executions, first pages, p99", P99, percentile(near, 0.99) * 1e3, "ms"),
        Bar("50 of 1,000,000 executions, page 10,000, p50", FAR_P50, percentile(far, 0.5) * 1e3, "ms"),
    ]


def _took(client: Client, job_id: str, page: int) -> float:
    since = time.perf_counter()
    found = client.ask("GET", f"/api/v1/jobs/{job_id}/executions?page={page}&limit={PAGE}")
    took = time.perf_counter() - since
    assert (found["count"], len(found["list"])) == (ROWS, PAGE)
    return took


def _fill(server: Served, job_id: str) -> None:
    """The history of a job, written past the queue: a million runs would take hours."""
    database = opened(server)
    for first in range(0, ROWS, BATCH):
        with database.transaction() as con:
            con.execute(
                insert(executions), [ended(job_id, first + number, 1.7e9 + first + number) for number in range(BATCH)]
            )
    with database.transaction() as con:
        con.execute(update(jobs).where(jobs.c.job_id == job_id).values(execution_count=ROWS))
    database.dispose()
    look_over(server)


if __name__ == "__main__":
    ask("server_lists", QUESTION, measured, runs=RUNS)
