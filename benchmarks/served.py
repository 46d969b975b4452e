"""A server of the benchmarks' own: started in a folder of its own, asked by signed requests, ended at the end."""

import argparse
import http.client
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from benchmarks import data, machine
from benchmarks.figures import Bar, Peer
from benchmarks.measure import environment, tree
from benchmarks.workloads import HERE
from headrace.auth.signature_v2 import ACCESS_KEY, SIGNATURE, TIMESTAMP, sign
from headrace.db import Database
from headrace.db.tables import executions
from tests.support import postgres

ROWS = 10
_JOBS = "/api/v1/jobs"
_START_SECONDS = 60
_POLL = 0.01


class ServerFailed(Exception):
    """The server did not start, or answered what it should not."""


@dataclass(frozen=True, slots=True)
class Key:
    """What signs a request."""

    access_key: str
    secret: str


class Client:
    """One connection to a server."""

    def __init__(self, port: int, key: Key) -> None:
        self._key = key
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, target: str, body: object = None) -> Any:
        """The answer's JSON (the Any is that)."""
        now = str(int(time.time() * 1000))
        signature = sign(method, target, timestamp=now, access_key=self._key.access_key, secret=self._key.secret)
        headers = {TIMESTAMP: now, ACCESS_KEY: self._key.access_key, SIGNATURE: signature}
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, target, body=sent, headers=headers)
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status >= 300:
            raise ServerFailed(f"{method} {target}: {answer.status} {read[:300]!r}")
        return json.loads(read)

    def job(self, body: Mapping[str, object]) -> str:
        """Make a job; its id."""
        return str(self.ask("POST", _JOBS, body)["jobId"])

    def execute(self, job_id: str) -> str:
        """Execute a job; the execution's id."""
        return str(self.ask("POST", f"{_JOBS}/{job_id}/executions")["jobExecutionId"])

    def waited(self, job_id: str, execution_id: str, *, every: float = _POLL) -> Mapping[str, Any]:
        """The execution when it has ended."""
        while True:
            found: Mapping[str, Any] = self.ask("GET", f"{_JOBS}/{job_id}/executions/{execution_id}")
            if "endDate" in found:
                return found
            time.sleep(every)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    process: int
    port: int
    key: Key
    folder: Path
    database: str
    ready_after: float

    @property
    def address(self) -> str:
        """The address of its database."""
        return self.database or f"sqlite:///{self.folder / 'data' / 'headrace.db'}"

    @property
    def children(self) -> tuple[int, ...]:
        """The processes of its runs."""
        return tuple(tree(self.process))[1:]

    @property
    def buckets(self) -> Path:
        """The folder of buckets."""
        return self.folder / "data" / "buckets"

    def client(self) -> Client:
        """A new connection."""
        return Client(self.port, self.key)


@contextmanager
def served(folder: Path, *, settings: Mapping[str, object], database: str = "") -> Iterator[Served]:
    """A server with these settings until the end of the context; its database is a file unless one is given."""
    (folder / "data" / "buckets" / data.BUCKET).mkdir(parents=True, exist_ok=True)
    given = {"data": folder / "data", "port": 0, "rate_limit": 0, **({"database": database} if database else {})}
    variables = {f"HEADRACE_{name.upper()}": str(value) for name, value in {**given, **settings}.items()}
    around = environment(variables)
    headrace = str(Path(sys.executable).with_name("headrace"))
    if database:
        subprocess.run([headrace, "db", "upgrade"], env=around, check=True, capture_output=True)
    key = _key(headrace, around)
    log = folder / "server.log"
    with log.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen([headrace, "serve"], env=around, stdout=out, stderr=out, cwd=folder)
    try:
        port = _port(process, log)
        yield Served(process.pid, port, key, folder, database, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def trivial(name: str, *, runs_at_once: int = 1) -> dict[str, object]:
    """The job of ten rows: CSV, a filter, CSV."""
    fields = [{"name": "id", "type": "bigint"}, {"name": "name", "type": "string"}]
    place = {"regionNo": "1", "bucketName": data.BUCKET, "dataType": "CSV", "fieldList": fields}
    test = {"name": "id", "operator": "GT", "value": "3"}
    nodes = [
        {"type": "SOURCE_OBS", "id": 1, "name": "In", "parentNodeIds": [], "prefix": "in", **place},
        {
            "type": "TRANSFORM_FILTER",
            "id": 2,
            "name": "Filter",
            "parentNodeIds": [1],
            "filterType": "AND",
            "filterConditionList": [test],
        },
        {
            "type": "TARGET_OBS",
            "id": 3,
            "name": "Out",
            "parentNodeIds": [2],
            "prefix": f"out/{name}",
            "updateType": "OVERWRITE",
            **place,
        },
    ]
    return {"name": name, "type": "VISUAL", "maxConcurrentRuns": runs_at_once, "nodes": nodes}


def lay_rows(buckets: Path) -> None:
    """The ten rows that `trivial` reads."""
    file = buckets / data.BUCKET / "in" / "rows.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("id,name\n" + "".join(f"{n},name {n}\n" for n in range(ROWS)), encoding="utf-8")


@contextmanager
def databases(wanted: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """The addresses by their titles: none for SQLite, which is the default; PostgreSQL in a server of its own."""
    where = postgres.programs() if "postgresql" in wanted else None
    with postgres.running(where, lasting=True) if where else nullcontext() as server:
        found = {"SQLite": ""} if "sqlite" in wanted else {}
        yield found if server is None else {**found, "PostgreSQL": server.create("bench")}


def ask(
    name: str,
    question: str,
    measured: Callable[[Path, str, int], list[Bar]],
    *,
    runs: int,
    peers: Mapping[str, Callable[[Path, Path], Peer]] = MappingProxyType({}),
) -> None:
    """Be the command of a benchmark: measure over each database, print, and keep what is to be kept.

    `peers` are what the same is measured of, by the names under which they can be left out.
    """
    parser = argparse.ArgumentParser(description=question)
    if peers:
        parser.add_argument("--without", default="", help=f"leave out some of {', '.join(peers)}")
    given = _given(name, runs, parser)
    without = given.without.split(",") if peers else ()
    wanted = [peer for title, peer in peers.items() if title not in without]
    _measure(name, given, lambda folder, address: measured(folder, address, given.runs), peers=wanted)


def ask_scaled(name: str, question: str, measured: Callable[[Path, str, int, float], list[Bar]], *, runs: int) -> None:
    """The same, for one that a quick look makes smaller."""
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--scale", type=float, default=1.0, help="a quick look, which can't be saved")
    given = _given(name, runs, parser)
    if given.save and given.scale != 1:
        parser.error("--save is for full scale")
    _measure(name, given, lambda folder, address: measured(folder, address, given.runs, given.scale))


def _given(name: str, runs: int, parser: argparse.ArgumentParser) -> argparse.Namespace:
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--save", action="store_true", help=f"keep the figures as results/{name}.json")
    given = parser.parse_args()
    if given.save and given.runs < runs:
        parser.error(f"--save is for at least {runs} runs")
    return given


def _measure(
    name: str,
    given: argparse.Namespace,
    measured: Callable[[Path, str], list[Bar]],
    *,
    peers: Sequence[Callable[[Path, Path], Peer]] = (),
) -> None:
    found: dict[str, list[Bar]] = {}
    with databases(given.databases.split(",")) as addresses:
        for title, address in addresses.items():
            with tempfile.TemporaryDirectory() as folder:
                found[title] = measured(Path(folder), address)
            print("\n".join(f"{title}: {bar}" for bar in found[title]), flush=True)
    beside = [asdict(_beside(peer)) for peer in peers]
    if given.save:
        about = {"date": machine.today(), "machine": machine.description(), "runs": given.runs}
        versions = machine.versions("headrace", "duckdb", "sqlalchemy", "uvicorn")
        bars = {title: [asdict(bar) for bar in of] for title, of in found.items()}
        told = {**about, "versions": versions, "bars": bars, **({"peers": beside} if beside else {})}
        text = json.dumps(told, indent=2) + "\n"
        (HERE / "results" / f"{name}.json").write_text(text, encoding="utf-8")


def _beside(peer: Callable[[Path, Path], Peer]) -> Peer:
    with tempfile.TemporaryDirectory() as folder:
        lay_rows(Path(folder))
        found = peer(Path(folder), Path(folder) / data.BUCKET / "in" / "rows.csv")
    print(found, flush=True)
    return found


def opened(served: Served) -> Database:
    """The database of a server, to read its records."""
    return Database.open(served.address)


def seconds_of(served: Served, client: Client, job_id: str) -> float:
    """Run a job; the seconds from the accepted request to its end."""
    execution_id = client.execute(job_id)
    client.waited(job_id, execution_id, every=0.25)
    e = executions.c
    database = opened(served)
    with database.reading() as con:
        took = con.execute(select(e.status, e.created_at, e.ended_at).where(e.execution_id == execution_id)).one()
    database.dispose()
    assert took.status == "COMPLETED"
    return float(took.ended_at - took.created_at)


def _key(headrace: str, around: Mapping[str, str]) -> Key:
    words = [headrace, "keys", "create", "--name", "bench", "--role", "manager", "--json"]
    done = subprocess.run(words, env=around, check=True, capture_output=True, text=True)
    made = json.loads(done.stdout)
    return Key(made["accessKey"], made["secretKey"])


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    until = time.perf_counter() + _START_SECONDS
    while time.perf_counter() < until:
        told = log.read_text(encoding="utf-8", errors="replace")
        if "listens on" in told:
            port = int(told.split("listens on", 1)[1].split()[0].rsplit(":", 1)[1])
            _ready(port)
            return port
        if process.poll() is not None:
            break
        time.sleep(_POLL)
    raise ServerFailed(log.read_text(encoding="utf-8", errors="replace")[-2000:])


def _ready(port: int) -> None:
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(_POLL)
        finally:
            connection.close()
