"""What does a job of ten rows take, by format and by node, cold and warm?

    python -m benchmarks.tiny [--runs 100] [--only csv,join] [--save]

Cold is a process for each run, warm is one process that runs the job again and again, each time from the text of the
job to the published result. Beside each stands the same work in hand-written DuckDB, with a connection of its own and
an `fsync` each time. They take turns. `--save` keeps the figures as benchmarks/results/tiny.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import data, machine
from benchmarks.figures import percentile
from benchmarks.measure import taken
from benchmarks.workloads import HERE
from headrace.definition import load

RESULT = HERE / "results" / "tiny.json"
ROWS, MINIMUM_RUNS = 10, 100
WARM_UP = 5
FORMATS = {"csv": "CSV", "json": "JSON", "parquet": "PARQUET"}
COLUMNS = {"id": "bigint", "name": "string", "amount": "double", "day": "date", "city": "string", "note": "string"}
TOTALS = {"city": "string", "total": "double"}
HAND = """
import os, sys
import duckdb
duckdb.connect(config={"threads": int(sys.argv[3])}).execute(sys.argv[1])
with open(sys.argv[2], "rb") as written:
    os.fsync(written.fileno())
"""
Step = tuple[Mapping[str, object], Mapping[str, str]]

_EQUAL = {"leftField": "id", "joinOperator": "EQ", "rightField": "id", "conditionOperator": "HEAD"}
_WHERE = {"name": "day", "operator": "GTE", "value": "2022-07-01"}
_SUM = {"name": "amount", "ResultName": "total", "function": "SUM"}
_ASK = "SELECT city, sum(amount) AS total FROM orders GROUP BY city"
STEPS: Mapping[str, Step] = {
    "filter": ({"type": "TRANSFORM_FILTER", "filterType": "AND", "filterConditionList": [_WHERE]}, COLUMNS),
    "join": (
        {
            "type": "TRANSFORM_JOIN",
            "joinType": "INNER",
            "leftNodeId": 1,
            "rightNodeId": 2,
            "joinConditionList": [_EQUAL],
        },
        COLUMNS,
    ),
    "aggregate": ({"type": "TRANSFORM_AGGREGATE", "groupByList": ["city"], "aggregateFieldList": [_SUM]}, TOTALS),
    "dedupe": ({"type": "TRANSFORM_DROP_DUPLICATION", "dropFieldList": ["city"]}, COLUMNS),
    "sql": (
        {"type": "TRANSFORM_SQL", "sourceNameList": [{"parentId": 1, "newName": "orders"}], "sql": _ASK},
        TOTALS,
    ),
}
_SMALLEST = "QUALIFY row_number() OVER (PARTITION BY city ORDER BY id, name, amount, day, note) = 1"
QUERIES = {
    **dict.fromkeys(FORMATS, "FROM orders"),
    "filter": "FROM orders WHERE day >= DATE '2022-07-01'",
    "join": "SELECT orders.* FROM orders JOIN orders AS other USING (id)",
    "aggregate": _ASK,
    "dedupe": f"FROM orders {_SMALLEST}",
    "sql": _ASK,
}


def job(name: str) -> dict[str, Any]:
    """A job as it is sent: a copy in a format, or a node between Parquet and Parquet."""
    kind = FORMATS.get(name, "PARQUET")
    step, columns = STEPS.get(name, (None, COLUMNS))
    sources = [
        _object("SOURCE_OBS", number, kind, kind.lower(), COLUMNS) for number in ((1, 2) if name == "join" else (1,))
    ]
    parents = [source["id"] for source in sources]
    steps = [{"id": 3, "name": "Step", "parentNodeIds": parents, **step}] if step else []
    target = _object("TARGET_OBS", 4, kind, f"out/{name}", columns)
    more = {"parentNodeIds": [3] if step else parents, "updateType": "OVERWRITE"}
    return {"name": name, "nodes": [*sources, *steps, {**target, **more}]}


def _object(type_: str, number: int, kind: str, prefix: str, columns: Mapping[str, str]) -> dict[str, object]:
    fields = [{"name": column, "type": column_type} for column, column_type in columns.items()]
    place = {"regionNo": "1", "bucketName": data.BUCKET, "prefix": prefix, "dataType": kind}
    return {"type": type_, "id": number, "name": f"{type_} {number}", "parentNodeIds": [], **place, "fieldList": fields}


def by_hand(name: str, bucket: Path, output: Path) -> str:
    """The same in SQL."""
    kind = FORMATS.get(name, "PARQUET").lower()
    files = f"'{bucket}/{kind}/*.{kind}'"
    types = ", ".join(f"'{column}': '{type_.replace('string', 'varchar')}'" for column, type_ in COLUMNS.items())
    known = {"csv": f"read_csv({files}, header = true, columns = {{{types}}})", "parquet": f"read_parquet({files})"}
    read = known.get(kind, f"read_json({files}, format = 'newline_delimited', columns = {{{types}}})")
    return f"COPY (WITH orders AS (FROM {read}) {QUERIES[name]}) TO '{output}' (FORMAT {kind})"


def laid(storage: Path) -> None:
    """The ten rows in every format."""
    con = data.connected(str(storage.parent))
    for kind in FORMATS.values():
        file = storage / data.BUCKET / kind.lower() / f"rows.{kind.lower()}"
        file.parent.mkdir(parents=True)
        query = f"SELECT * REPLACE (CAST(amount AS DOUBLE) AS amount) FROM ({data.ORDERS.query})"
        data.make(file, data.Input(file.name, ROWS, query, f"FORMAT {kind}"), con)


def cold(name: str, storage: Path, threads: int) -> dict[str, Sequence[str]]:
    """The commands that are timed for a job."""
    file, output = storage.parent / f"{name}.json", storage.parent / f"{name}.out"
    file.write_text(json.dumps(job(name)), encoding="utf-8")
    ours = [str(Path(sys.executable).with_name("headrace")), "run", str(file), "--storage", str(storage), "--json"]
    statement = by_hand(name, storage / data.BUCKET, output)
    limits = ["--threads", str(threads), "--set", f"temp_directory={storage.parent / 'spill'}"]
    return {
        "headrace": [*ours, *limits],
        "duckdb": [sys.executable, "-c", HAND, statement, str(output), str(threads)],
    }


def again(name: str, storage: Path, threads: int) -> dict[str, Callable[[], None]]:
    """The same as calls."""
    import duckdb

    from headrace.cli.running import DONE, run
    from headrace.settings import current_settings

    text, output = json.dumps(job(name)), storage.parent / f"{name}.out"
    given = {"storage": str(storage), "threads": str(threads), "temp_directory": str(storage.parent / "spill")}
    statement = by_hand(name, storage / data.BUCKET, output)

    def ours() -> None:
        report, code = run(load(text), {}, current_settings(given))
        assert code == DONE, report.failure

    def theirs() -> None:
        with duckdb.connect(config={"threads": threads}) as con:
            con.execute(statement)
        with output.open("rb") as written:
            os.fsync(written.fileno())

    return {"headrace": ours, "duckdb": theirs}


def warm(name: str, storage: Path, threads: int, runs: int) -> dict[str, list[float]]:
    """The seconds of each run in this process, after a few that are thrown away."""
    calls = again(name, storage, threads)
    took: dict[str, list[float]] = {engine: [] for engine in calls}
    for number in range(WARM_UP + runs):
        for engine, call in calls.items():
            since = time.perf_counter()
            call()
            if number >= WARM_UP:
                took[engine].append(time.perf_counter() - since)
    return took


def measured(name: str, storage: Path, threads: int, runs: int) -> dict[str, dict[str, list[float]]]:
    """The seconds of each run, cold and warm, by engine."""
    commands = cold(name, storage, threads)
    took: dict[str, list[float]] = {engine: [] for engine in commands}
    for number in range(1 + runs):
        for engine, command in commands.items():
            wall = taken(command, env={}, memory=False).wall
            if number:
                took[engine].append(wall)
    words = [sys.executable, "-m", "benchmarks.tiny", "--warm", name, str(storage), str(threads), str(runs)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=HERE.parent)
    return {"cold": took, "warm": json.loads(done.stdout)}


def row(times: Mapping[str, Sequence[float]]) -> str:
    """Half of the runs and all but one in a hundred take at most so many milliseconds."""
    cells = (
        f"{percentile(times[engine], share) * 1e3:.1f}" for engine in ("headrace", "duckdb") for share in (0.5, 0.99)
    )
    return " | ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description="What does a job of ten rows take?")
    parser.add_argument("--runs", type=int, default=MINIMUM_RUNS)
    parser.add_argument("--only", default="", help=f"some of {', '.join(QUERIES)}")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--save", action="store_true", help=f"keep the figures as results/{RESULT.name}")
    given = parser.parse_args()
    if given.save and (given.runs < MINIMUM_RUNS or given.only):
        parser.error(f"--save is for all jobs, with at least {MINIMUM_RUNS} runs")
    jobs = {}
    with tempfile.TemporaryDirectory() as folder:
        laid(storage := Path(folder) / "buckets")
        for name in given.only.split(",") if given.only else QUERIES:
            jobs[name] = measured(name, storage, given.threads, given.runs)
            for state, times in jobs[name].items():
                print(f"{name:10} {state}, ms: headrace p50 | p99 | duckdb p50 | p99: {row(times)}", flush=True)
    if given.save:
        about = {"date": machine.today(), "machine": machine.description()}
        versions = machine.versions("headrace", "duckdb")
        result = {**about, "versions": versions, "settings": {"threads": given.threads}, "jobs": jobs}
        RESULT.write_text(json.dumps(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--warm"]:
        of_job, place, of_threads, of_runs = sys.argv[2:]
        print(json.dumps(warm(of_job, Path(place), int(of_threads), int(of_runs))))
    else:
        main()
