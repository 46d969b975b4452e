"""What does the server add to a big job?

    python -m benchmarks.server_big [--runs 5] [--databases sqlite,postgresql] [--save]

The filter job of `embedded` on one file of CSV, by `headrace run` and by the server, in turn, with all threads. The
time of the server is from the accepted request to COMPLETED, as its records tell it. `--save` keeps the figures as
benchmarks/results/server_big.json.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks import data
from benchmarks.compared import Bench, headrace
from benchmarks.figures import Bar
from benchmarks.measure import taken
from benchmarks.served import ask, seconds_of, served
from benchmarks.workloads import WORKLOADS

QUESTION = "What does the server add to a big job?"
RUNS, ROWS = 5, 10_000_000
SHARE, SECONDS = 0.05, 0.5


def measured(folder: Path, database: str, runs: int) -> list[Bar]:
    """The longer time over one database, against the command."""
    work = WORKLOADS[0]
    with served(folder, settings={"workers": 1}, database=database) as server:
        bench = Bench(server.buckets, len(os.sched_getaffinity(0)), "4GB")
        bench.work.mkdir(exist_ok=True)
        file = server.buckets / data.BUCKET / data.ORDERS.key
        file.parent.mkdir(parents=True, exist_ok=True)
        data.make(file, replace(data.ORDERS, rows=ROWS), data.connected(str(folder)))
        body = json.loads(work.job.read_text(encoding="utf-8"))
        client = server.client()
        condition = {"numWorker": min(10, max(2, len(os.sched_getaffinity(0))))}
        job_id = client.job({**body, "jobCondition": condition})
        command = headrace(bench, work)
        alone, by_server = [], []
        for _ in range(runs + 1):
            alone.append(taken(command, env={}, memory=False).wall)
            by_server.append(seconds_of(server, client, job_id))
    more = median(mine - its for mine, its in zip(by_server[1:], alone[1:], strict=True))
    most = max(SECONDS, SHARE * median(alone[1:]))
    return [Bar(f"a filter of {ROWS:,} rows by the server, over `headrace run`", most, more, "s more")]


if __name__ == "__main__":
    ask("server_big", QUESTION, measured, runs=RUNS)
