"""How long does a small job wait for Headrace itself?

    python -m benchmarks.startup [--runs 11] [--save]

The filter job on ten rows, every run in a cold process, against the same job in hand-written DuckDB; and the shortest
command. The commands take turns. `--save` keeps the figures as benchmarks/results/startup.json.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks import data, machine
from benchmarks.compared import Bench, duckdb, headrace
from benchmarks.figures import Bar, Run, walls
from benchmarks.measure import taken
from benchmarks.workloads import HERE, WORKLOADS

RESULT = HERE / "results" / "startup.json"
ROWS = 10
MINIMUM_RUNS = 11
RUN_SECONDS, VERSION_SECONDS = 0.8, 0.2
TITLES = {
    "headrace-run": "`headrace run` of ten rows",
    "duckdb-run": "the same job, hand-written DuckDB",
    "headrace-version": "`headrace --version`",
    "import-duckdb": "`python -c 'import duckdb'`",
    "python": "`python -c pass`",
}


def commands(bench: Bench) -> dict[str, Sequence[str]]:
    """What is timed, in the order of the turns."""
    job = WORKLOADS[0]
    return {
        "headrace-run": headrace(bench, job),
        "duckdb-run": duckdb(bench, job),
        "headrace-version": [headrace(bench, job)[0], "--version"],
        "import-duckdb": [sys.executable, "-c", "import duckdb"],
        "python": [sys.executable, "-c", "pass"],
    }


def taking_turns(timed: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Run]]:
    """Every command once a round. The first round fills the disk cache and is thrown away."""
    runs: dict[str, list[Run]] = {name: [] for name in timed}
    for number in range(rounds + 1):
        for name, command in timed.items():
            took = taken(command, env={}, memory=False)
            if number:
                runs[name].append(Run(took.wall, took.cpu, took.pss, took.rss))
    return runs


def bars(runs: Mapping[str, Sequence[Run]]) -> tuple[Bar, Bar]:
    """The promises about short commands."""
    return (
        Bar("a job of ten rows, cold", RUN_SECONDS, walls(runs["headrace-run"]), "s"),
        Bar("`headrace --version`", VERSION_SECONDS, walls(runs["headrace-version"]), "s"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="How long does a small job wait for Headrace itself?")
    parser.add_argument("--runs", type=int, default=MINIMUM_RUNS)
    parser.add_argument("--save", action="store_true", help=f"keep the figures as results/{RESULT.name}")
    given = parser.parse_args()
    if given.save and given.runs < MINIMUM_RUNS:
        parser.error(f"--save is for at least {MINIMUM_RUNS} runs")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), len(os.sched_getaffinity(0)), "4GB")
        bench.work.mkdir()
        file = bench.bucket / data.ORDERS.key
        file.parent.mkdir(parents=True)
        data.make(file, replace(data.ORDERS, rows=ROWS), data.connected(folder))
        runs = taking_turns(commands(bench), given.runs)
    for name, of_command in runs.items():
        print(f"{TITLES[name].replace('`', ''):40}{walls(of_command):8.3f} s")
    print("\n".join(map(str, bars(runs))))
    if given.save:
        result = {
            "date": machine.today(),
            "machine": machine.description(),
            "versions": machine.versions("headrace", "duckdb"),
            "commands": {name: [asdict(run) for run in of_command] for name, of_command in runs.items()},
        }
        RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
