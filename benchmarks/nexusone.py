"""What do NexusOne's jobs take: an ingest, a merge into a large table, reads with a token?

    python -m benchmarks.nexusone [--runs 20] [--databases sqlite,postgresql] [--scale 1] [--save]

The ingest is 10,000 rows of CSV into a table; its time is from the accepted trigger to COMPLETED, as the server's
records tell it. The merge is of a tenth of changed rows into a table of ten million, in turn with the same by hand in
DuckDB, from the same files to one that is flushed to the disk; the results are compared. The reads are of one job, by
sixteen connections from a process of their own. `--save` keeps the figures as benchmarks/results/nexusone.json.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import duckdb
from sqlalchemy import select

from benchmarks.figures import Bar, percentile
from benchmarks.load import answers
from benchmarks.served import Served, ServerFailed, ask_scaled, opened, served
from benchmarks.workloads import HERE
from headrace.clock import SystemClock
from headrace.core import clients
from headrace.db.tables import executions

QUESTION = "What do NexusOne's jobs take: an ingest, a merge into a large table, reads with a token?"
RUNS, WARM_UP, ROUNDS = 20, 3, 5
ROWS, TABLE_ROWS = 10_000, 10_000_000
SECONDS, CONNECTIONS = 10, 16
INGEST_MS, MERGE_RATIO, A_SECOND = 300.0, 1.3, 500.0
_POLL = 0.05
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_COLUMNS = "i AS id, 'name ' || i AS name, (i % 1000) / 8 AS qty, DATE '2025-01-01' + (i % 365)::INT AS day"


class Caller:
    """One connection with a token."""

    def __init__(self, port: int, token: str) -> None:
        self._token = token
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON (the Any is that)."""
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        return answered(self._connection, method, path, None if body is None else json.dumps(body), headers)


@dataclass(frozen=True, slots=True)
class Joined:
    """A server, and a client of its own issuer."""

    server: Served
    client_id: str
    secret: str

    @property
    def token(self) -> str:
        """A fresh one: they hold for ten minutes."""
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.secret}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        return str(answered(connection, "POST", "/oauth/token", urlencode(form), _FORM)["access_token"])

    def job(self, name: str, source: str, **properties: object) -> str:
        """A job that ingests into the table of its name; its id."""
        body = {"job_type": "airflow.ingest", "job_name": name, "source": source, "destination": f"bench.{name}"}
        made = Caller(self.server.port, self.token).ask(
            "POST", "/api/jobs", {**body, "properties_json": json.dumps(properties)}
        )
        return str(made["id"])

    def seconds_of(self, job_id: str) -> float:
        """Run a job; the seconds from the accepted trigger to its end."""
        caller = Caller(self.server.port, self.token)
        run = caller.ask("POST", f"/api/jobs/{job_id}/trigger")
        while caller.ask("GET", f"/api/jobs/{job_id}")["status"] == "running":
            time.sleep(_POLL)
        e = executions.c
        database = opened(self.server)
        with database.reading() as con:
            took = con.execute(select(e.status, e.created_at, e.ended_at).where(e.execution_id == run)).one()
        database.dispose()
        assert took.status == "COMPLETED"
        return float(took.ended_at - took.created_at)


def answered(
    connection: http.client.HTTPConnection, method: str, path: str, body: str | None, headers: Mapping[str, str]
) -> Any:
    """The JSON of an answer that is good (the Any is that)."""
    connection.request(method, path, body=body, headers=dict(headers))
    answer = connection.getresponse()
    read = answer.read()
    if answer.status != 200:
        raise ServerFailed(f"{method} {path}: {answer.status} {read[:300]!r}")
    return json.loads(read)


def joined(server: Served) -> Joined:
    """A client that may do all that is measured."""
    database = opened(server)
    with database.transaction() as con:
        roles = ("nx1_ingest", "nx1_monitor")
        made, secret = clients.create(con, account_id="main", name="bench", roles=roles, now=SystemClock().now())
    database.dispose()
    return Joined(server, made.client_id, secret)


def measured(folder: Path, database: str, runs: int, scale: float) -> list[Bar]:
    """All of it over one database."""
    with served(folder, settings={"workers": 1}, database=database) as server:
        one = joined(server)
        source = server.buckets / "bench" / "rows.csv"
        source.parent.mkdir(parents=True, exist_ok=True)
        duckdb.execute(f"COPY (SELECT {_COLUMNS} FROM range({ROWS}) t(i)) TO '{source}' (HEADER)")
        job_id = one.job("ingest", "bench/rows.csv", mode="overwrite")
        ingest = [one.seconds_of(job_id) for _ in range(WARM_UP + runs)][WARM_UP:]
        rate = _reads(one, job_id)
        ratio = _merges(one, int(TABLE_ROWS * scale), min(runs, ROUNDS))
    rows = f"{int(TABLE_ROWS * scale):,}"
    return [
        Bar(f"an ingest of {ROWS:,} rows, warm, p50", INGEST_MS, median(ingest) * 1e3, "ms"),
        Bar(f"a merge of {int(TABLE_ROWS * scale) // 10:,} rows into {rows}, against DuckDB", MERGE_RATIO, ratio, "×"),
        Bar(f"authorised reads of a job, {CONNECTIONS} connections", A_SECOND, rate, "reads/s", least=True),
    ]


def _merges(one: Joined, rows: int, rounds: int) -> float:
    """The median of the ratios within a round, after a first one."""
    bench, table = one.server.buckets / "bench", one.server.buckets / "warehouse" / "bench" / "merge"
    table.mkdir(parents=True)
    changed = f"SELECT {_COLUMNS.replace('i AS id', 'i * 11 + 3 AS id')} FROM range({rows // 10}) t(i)"
    for file, query in (
        (table / "part-0.parquet", f"SELECT {_COLUMNS} FROM range({rows}) t(i)"),
        (bench / "changed.parquet", changed),
    ):
        duckdb.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)")
    job_id = one.job("merge", "bench/changed.parquet", mode="merge", merge_keys=["id"])
    ratios = []
    for _ in range(rounds + 1):
        out = bench / "by-hand.parquet"
        by_hand = _by_hand(table, bench / "changed.parquet", out)
        ratios.append(one.seconds_of(job_id) / by_hand)
        told = [
            duckdb.sql(f"SELECT count(*), sum(id), sum(qty) FROM '{f}'").fetchone() for f in (out, table / "*.parquet")
        ]
        assert told[0] == told[1], told
    return median(ratios[1:])


def _by_hand(table: Path, changed: Path, out: Path) -> float:
    """The seconds of the same merge in DuckDB, which looks at no key."""
    since = time.perf_counter()
    with duckdb.connect() as con:
        con.execute("SET preserve_insertion_order = false")
        con.execute(
            f"COPY (SELECT * FROM '{changed}' UNION ALL SELECT l.* FROM '{table}/*.parquet' l "
            f"ANTI JOIN '{changed}' r ON l.id = r.id) TO '{out}' (FORMAT parquet)"
        )
    handle = os.open(out, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    return time.perf_counter() - since


def _reads(one: Joined, job_id: str) -> float:
    """Reads of a job in a second, from a process of their own."""
    # The token goes by the pipe: others can see a command line.
    words = json.dumps([one.server.port, one.token, f"/api/jobs/{job_id}"])
    command = [sys.executable, "-m", "benchmarks.nexusone", "--load"]
    done = subprocess.run(command, input=words, check=True, capture_output=True, text=True, cwd=HERE.parent)
    took: list[float] = json.loads(done.stdout)
    print(f"a read among {CONNECTIONS}: 99 of 100 below {percentile(took, 0.99) * 1e3:.0f} ms", flush=True)
    return len(took) / SECONDS


def load(port: int, token: str, path: str) -> list[float]:
    """The seconds of each answer."""
    return answers(lambda: partial(Caller(port, token).ask, "GET", path), connections=CONNECTIONS, seconds=SECONDS)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--load"]:
        print(json.dumps(load(*json.load(sys.stdin))))
    else:
        ask_scaled("nexusone", QUESTION, measured, runs=RUNS)
