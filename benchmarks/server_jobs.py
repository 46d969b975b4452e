"""What does the server add to a job of ten rows, and how many can it run?

    python -m benchmarks.server_jobs [--runs 200] [--databases sqlite,postgresql] [--without prefect,airflow] [--save]

The job is CSV → filter → CSV in a folder, sent by signed requests. Its time is from the accepted request to COMPLETED,
as the server's records tell it. A cold run is the first of a server whose child has just been
killed. Prefect and Airflow are measured beside it, as `prefect.py` and `airflow.py` in benchmarks/peers say; their
tasks do the same to the same rows, without Headrace's guarantees. `--save` keeps the figures as
benchmarks/results/server_jobs.json.
"""

import os
import signal
import time
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.figures import Bar, percentile
from benchmarks.measure import pss, tree
from benchmarks.peers import airflow, prefect
from benchmarks.served import Client, Served, ask, lay_rows, opened, seconds_of, served, trivial
from headrace.db.tables import executions

QUESTION = "What does the server add to a job of ten rows, and how many can it run?"
RUNS, COLD, JOBS = 200, 11, 20
WARM_UP = 10
REST_SECONDS = 35
P50, P99, COLD_SECONDS, A_SECOND, READY, REST = 60.0, 250.0, 500.0, 50.0, 2.0, 150.0


def measured(folder: Path, database: str, runs: int) -> list[Bar]:
    """All of it over one database."""
    with served(folder, settings={}, database=database) as server:
        ready = server.ready_after
        # What was started ahead and is not needed has gone by then.
        time.sleep(REST_SECONDS)
        rest = sum(map(pss, tree(server.process)))
        lay_rows(server.buckets)
        client = server.client()
        one = client.job(trivial("one"))
        warm = [seconds_of(server, client, one) for _ in range(WARM_UP + runs)][WARM_UP:]
        cold = [_cold(client, server, one) for _ in range(COLD)]
        rate = _at_once(client, server, runs * 2)
    return [
        Bar("a job of ten rows, warm, p50", P50, percentile(warm, 0.5) * 1e3, "ms"),
        Bar("a job of ten rows, warm, p99", P99, percentile(warm, 0.99) * 1e3, "ms"),
        Bar("a job of ten rows, cold process, p50", COLD_SECONDS, percentile(cold, 0.5) * 1e3, "ms"),
        Bar("jobs of ten rows, many at once", A_SECOND, rate, "jobs/s", least=True),
        Bar("start to ready", READY, ready, "s"),
        Bar("the whole system at rest (PSS)", REST, rest / 1e6, "MB"),
    ]


def _cold(client: Client, server: Served, job_id: str) -> float:
    for child in server.children:
        os.kill(child, signal.SIGKILL)
    return seconds_of(server, client, job_id)


def _at_once(client: Client, server: Served, count: int) -> float:
    """Jobs a second, from the first accepted request to the last end."""
    jobs = [client.job(trivial(f"many-{number}")) for number in range(JOBS)]
    asked = [(jobs[number % JOBS], client.execute(jobs[number % JOBS])) for number in range(count)]
    for job_id, execution_id in asked:
        assert client.waited(job_id, execution_id, every=0.25)["status"] == "COMPLETED"
    e = executions.c
    database = opened(server)
    with database.reading() as con:
        of_jobs = select(func.min(e.created_at), func.max(e.ended_at)).where(e.job_id.in_(jobs))
        first, last = con.execute(of_jobs).one()
    database.dispose()
    return count / float(last - first)


if __name__ == "__main__":
    beside = {"prefect": prefect.measured, "airflow": airflow.measured}
    ask("server_jobs", QUESTION, measured, runs=RUNS, peers=beside)
