"""How long do the statistics of a long history take?

    python -m benchmarks.server_stats [--runs 100] [--databases sqlite,postgresql] [--save]

Twenty jobs with a million executions in the 30 days until now, by signed requests: the vendor's three statistics, and
those of single jobs. What ended up to ten minutes ago is summed up before, as the server does by and by; the rest is
looked at by each request. `--save` keeps the figures as benchmarks/results/server_stats.json.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import delete, insert, update

from benchmarks.figures import Bar, percentile
from benchmarks.history import ended, look_over
from benchmarks.served import Client, Served, ask, opened, served, trivial
from headrace.core import dashboard, job_figures
from headrace.db import tables
from headrace.db.tables import accounts, execution_hours, executions

QUESTION = "How long do the statistics of a long history take?"
# By default a history is cut long before that.
SETTINGS = {"keep_days": 0, "keep_executions": 0}
RUNS, ROWS, BATCH, JOBS, DAYS = 100, 1_000_000, 10_000, 20, 30
P50 = 20.0
_KOREA = timezone(timedelta(hours=9))
_STATS = "/api/v1/stats"


def measured(folder: Path, database: str, runs: int) -> list[Bar]:
    """All statistics over one database."""
    with served(folder, settings=SETTINGS, database=database) as server:
        client = server.client()
        jobs = [client.job(trivial(f"job-{number}")) for number in range(JOBS)]
        now = time.time()
        _fill(server, jobs, now)
        _sum_up(server, now)
        days, week = _period(now, DAYS), _period(now, 7)
        asked = {
            f"how {ROWS:,} executions ended": (f"executions?{days}", ROWS),
            f"the days of {ROWS:,} executions": (f"executions-interval?{days}", None),
            f"the times of {ROWS:,} executions": (f"executions-times?{days}", None),
            f"{JOBS} jobs with {ROWS:,} executions": (f"jobs?{days}&page=0&limit={JOBS}", None),
            f"a job of them, by {DAYS} days": (f"jobs/{jobs[0]}?{days}", ROWS // JOBS),
            "a job of them, by 168 hours": (f"jobs/{jobs[0]}?{week}&interval=HOUR", None),
        }
        client = server.client()  # the first one was idle for too long
        took = {name: _took(client, f"{_STATS}/{target}", total, runs) for name, (target, total) in asked.items()}
    return [Bar(f"{name}, p50", P50, percentile(times, 0.5) * 1e3, "ms") for name, times in took.items()]


def _took(client: Client, target: str, total: int | None, runs: int) -> list[float]:
    times = []
    for _ in range(runs + 1):
        since = time.perf_counter()
        found = client.ask("GET", target)
        times.append(time.perf_counter() - since)
        assert total is None or found["totalCount"] == total, found
    return times[1:]


def _period(now: float, days: int) -> str:
    """So many days until now."""
    first, last = (datetime.fromtimestamp(at, _KOREA) for at in (now - days * 86_400, now))
    return f"startDate={first:%Y-%m-%dT%H:%M:%S}&endDate={last:%Y-%m-%dT%H:%M:%S}"


def _fill(server: Served, jobs: Sequence[str], now: float) -> None:
    """The history of the jobs, written past the queue: a million runs would take hours."""
    database, random = opened(server), Random(1)
    between = (DAYS * 86_400 - 60) / ROWS
    for first in range(0, ROWS, BATCH):
        rows = [_ended(jobs[n % JOBS], n, now - (ROWS - n) * between, random) for n in range(first, first + BATCH)]
        with database.transaction() as con:
            con.execute(insert(executions), rows)
    database.dispose()


def _sum_up(server: Served, now: float) -> None:
    """All hours anew: the server may have summed up some of them before all of their executions were written."""
    database = opened(server)
    with database.transaction() as con:
        for table in (execution_hours, tables.job_figures):
            con.execute(delete(table))
        con.execute(update(accounts).values(summed_until=None, figures_until=None))
    for sum_up in (dashboard.sum_up, job_figures.sum_up):
        more = True
        while more:
            with database.transaction() as con:
                more = sum_up(con, now=now)
    database.dispose()
    look_over(server)


def _ended(job_id: str, number: int, at: float, random: Random) -> dict[str, Any]:
    begun = at + random.lognormvariate(-3, 1)
    return ended(
        job_id,
        number,
        at,
        status="COMPLETED" if random.random() < 0.95 else "FAILED",
        started_at=begun,
        ended_at=begun + random.lognormvariate(0, 1.5),
        rows_read=number,
        rows_written=number // 2,
    )


if __name__ == "__main__":
    ask("server_stats", QUESTION, measured, runs=RUNS)
