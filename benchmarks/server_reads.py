"""How many signed reads of one job does the server answer in a second?

    python -m benchmarks.server_reads [--runs 10] [--databases sqlite,postgresql] [--save]

Sixteen connections, each asking again as soon as it has its answer, from a process of their own, for so many seconds.
The rate limit of the key is raised. `--save` keeps the figures as benchmarks/results/server_reads.json.
"""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.figures import Bar, percentile
from benchmarks.load import answers
from benchmarks.served import Client, Key, ask, served, trivial
from benchmarks.workloads import HERE

QUESTION = "How many signed reads of one job does the server answer in a second?"
SECONDS, CONNECTIONS = 10, 16
A_SECOND, P99 = 800.0, 100.0


def measured(folder: Path, database: str, runs: int) -> list[Bar]:
    """The rate over one database; `runs` are seconds."""
    with served(folder, settings={}, database=database) as server:
        client = server.client()
        job_id = client.job(trivial("one"))
        words = [str(server.port), server.key.access_key, server.key.secret, f"/api/v1/jobs/{job_id}", str(runs)]
        # The key goes by the pipe: others can see a command line.
        command = [sys.executable, "-m", "benchmarks.server_reads", "--load"]
        done = subprocess.run(
            command, input=json.dumps(words), check=True, capture_output=True, text=True, cwd=HERE.parent
        )
    took: list[float] = json.loads(done.stdout)
    return [
        Bar(f"signed reads of a job, {CONNECTIONS} connections", A_SECOND, len(took) / runs, "reads/s", least=True),
        Bar(f"a signed read among {CONNECTIONS}, p99", P99, percentile(took, 0.99) * 1e3, "ms"),
    ]


def load(port: int, key: Key, target: str, seconds: float) -> list[float]:
    """The seconds of each answer."""
    return answers(lambda: partial(Client(port, key).ask, "GET", target), connections=CONNECTIONS, seconds=seconds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--load"]:
        of_port, access, secret, path, of_seconds = json.load(sys.stdin)
        print(json.dumps(load(int(of_port), Key(access, secret), path, float(of_seconds))))
    else:
        ask("server_reads", QUESTION, measured, runs=SECONDS)
