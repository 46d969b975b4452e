"""Writes docs/benchmarks.md from benchmarks/results/*.json: `python -m benchmarks.render [--check]`."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

from benchmarks import (
    bearer,
    big,
    dedupe,
    embedded,
    figures,
    nexusone,
    server_big,
    server_ends,
    server_jobs,
    server_lists,
    server_reads,
    server_stats,
    server_workflows,
    startup,
    storage,
    tiny,
    tpch,
)
from benchmarks.compared import Question, bars
from benchmarks.figures import Bar, Peer, Run
from benchmarks.workloads import HERE, Workload

PAGE = HERE.parent / "docs" / "benchmarks.md"
NOT_YET = "Not measured at full scale yet."
TITLES = {
    "headrace": "Headrace",
    "duckdb": "DuckDB, by hand",
    "duckdb-pushed": "DuckDB, by hand, filter first",
    "polars": "Polars, by hand",
}
Result = Mapping[str, Any]

_HEAD = """\
# Benchmarks

What Headrace costs, measured against the best that we could write by hand. The scripts, and how to run them, are in
[benchmarks/](../benchmarks/README.md); this page is written by `python -m benchmarks.render` from their results.
"""

_EMBEDDED = """\
## How much does it cost over hand-written SQL?

Three jobs, each by `headrace run`, by a hand-written DuckDB script and by a hand-written Polars script. Every run is a
cold process, and the whole process is timed. The engines take turns; the figures are medians, and "× DuckDB" is the
median of the ratios within a round. The inputs lie in the disk cache.

Every engine reads each used field of a CSV file as text and casts it for every row; what does not cast becomes null,
and one file is written in the same format. Headrace does more than that: it tests the form of each value (`1.5` is no
`bigint`), counts the bad values of each field, and publishes the result so that it lasts: staged, flushed to the disk,
renamed. The hand-written scripts end with an `fsync` of their file, since a result that may be lost is not worth
comparing; "no fsync" is their time without it. "Filter first" lets DuckDB filter before it casts the other columns:
less work than the job asks for, because bad values in the rows that are dropped are then not seen. Headrace reads CSV
through buffers of 8 MB, the scripts through those that DuckDB has by default
([decision 37](decisions/0037-smaller-buffers-for-csv.md) has what that makes).

Memory is the peak of the process tree (PSS, looked at every 30 ms as long as it rises). After each run the results are
compared: counts, sums, least and greatest values. A difference stops the benchmark.
"""

_STARTUP = """\
## How long does a small job wait for Headrace itself?

The filter job above on ten rows, from a cold process.
"""


_DEDUPE = """\
## What does it cost to drop duplicates when they do not fit into memory?

`TRANSFORM_DROP_DUPLICATION` keeps the row of each group that is the smallest by all columns, a missing value being
smaller than any other. The engine is given 1 GB and spills; every engine has the same rule and the results are compared
row by row, by checksum. By hand in DuckDB it is a window that numbers the rows: it is the only form we know that gives
the same rows within 1 GB. `arg_min` and `DISTINCT ON` run out of memory there. Polars has no limit of memory.
"""

_BIG = """\
## How much memory do 30 GB of CSV take?

One `headrace run`, from thirty CSV files to one Parquet file. The bar is for the whole process tree, of which the
engine is given 3 GB. The files are one file under thirty names: the disk cache holds it, so the disk is not measured.
"""

_TPCH = """\
## How do analytic jobs of several tables compare?

Five jobs that are derived from TPC-H's queries, at scale factor 1; they are not comparable to published TPC-H results.
The jobs are graphs: filters, joins and aggregates are nodes, and what these can't say is a `TRANSFORM_SQL`. DuckDB has
one statement for each. Whole results are compared. Polars computes products of decimals as doubles, since it keeps too
few digits of them. The start of the process is in every figure.
"""

_TINY = """\
## What does a job of ten rows take, by format and by node?

Milliseconds, half of the runs (p50) and all but one in a hundred (p99) take at most so many. Cold is a process for each
run; warm is one process that reads, runs and publishes the job again and again, as a worker would. By hand in DuckDB
it is one statement, in a connection of its own, and an `fsync`.
"""


_S3 = """\
## What does it cost that data lies in object storage?

The filter job above, the same from Parquet to Parquet, and an aggregation that writes almost nothing; each from the
folder to the folder, and from SeaweedFS on the same machine to it. "Copy" reads the CSV object and writes it again,
with no work in between. The commands take turns, every run in a cold process.

The server works on the same cores as the job, so its CPU time is waited for; "server CPU" says how much of it there
was, and "server's part" is its share of all CPU time. With cores of its own that would cost a job nothing. Two cores
that are never idle would still take 1.7 × the folder's time for the filter: the goal of 1.43 needs a server that takes
bytes for less, or one elsewhere. What is left in Headrace is the start, and what a request costs
([decision 34](decisions/0034-large-files-arrive-before-the-commit.md)).

SeaweedFS compresses text that is stored under a type of text, or under none, and unpacks it at each read; inputs and
results of jobs lie there as `binary/octet-stream`, while the copy names no type.
"""


_SERVER = """\
## What does the server add?

`headrace serve` as it comes: one process tree, the API and the workers in it, on SQLite or on PostgreSQL on the same
machine, both with every commit on the disk. A job of ten rows is CSV → filter → CSV in a folder, nothing less, and its
time is that of the records, from the accepted request to COMPLETED.

How many run at once is a matter of CPU: two cores that do 42 a second give 48 ms to each job. Half of it goes to the
run's own process, which opens and closes an engine instance for each run: 10 ms, most of it the engine registering its
functions. 50 a second would take an instance that is used again, which is against one run seeing nothing of another. On
PostgreSQL, which shares the two cores, a job takes a third more: its statements are round trips, and it runs them in
processes of its own. Decisions [21](decisions/0021-where-the-time-of-the-server-goes.md) and
[33](decisions/0033-what-need-not-be-asked-is-not-asked.md) tell what was measured and cut. At rest the whole system is
the server and one process that waits with the engine loaded; PostgreSQL's client is the rest of the difference.
"""

_QUESTIONS = {
    module.__name__.rpartition(".")[2]: module.QUESTION
    for module in (
        server_jobs,
        server_reads,
        server_lists,
        server_big,
        server_ends,
        server_workflows,
        server_stats,
        nexusone,
    )
}
_COMPARED = {embedded.QUESTION: _EMBEDDED, dedupe.QUESTION: _DEDUPE, big.QUESTION: _BIG, tpch.QUESTION: _TPCH}


def page(results: Mapping[str, Result]) -> str:
    """The whole page. A result that is not there is said to be missing."""
    parts = [_HEAD]
    for question, words in _COMPARED.items():
        parts += [words, _part(results.get(question.name), partial(_compared, question))]
    parts += [_S3, _part(results.get("s3"), _s3)]
    parts += [_STARTUP, _part(results.get("startup"), _startup), _TINY, _part(results.get("tiny"), _tiny), _SERVER]
    for name, question in _QUESTIONS.items():
        parts += [f"### {question}\n", _part(results.get(name), _served)]
    parts += [f"### {bearer.QUESTION}\n", _part(results.get("bearer"), _bearer)]
    return "\n".join(parts)


def _part(result: Result | None, told: Callable[[Result], str]) -> str:
    return told(result) if result else f"{NOT_YET}\n"


def _compared(question: Question, result: Result) -> str:
    if result["scale"] != 1:
        raise ValueError(f"measured at scale {result['scale']}: only full scale is published")
    used = result["settings"]
    told = f"{_where(result)} {used['threads']} threads, a memory limit of {used['memory_limit']} for the engine.\n"
    return "\n".join((told, *(_job(work, result["jobs"][work.name]) for work in question.works)))


def _job(work: Workload, job: Result) -> str:
    runs = {name: [Run(**run) for run in of_engine] for name, of_engine in job["engines"].items()}
    lines = [
        f"### {work.title}\n",
        "| | wall s | × DuckDB | no fsync s | CPU s | peak MB | runs |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_row(TITLES[name], of_engine, runs["duckdb"]) for name, of_engine in runs.items()),
        "",
        f"Rows written: {job['wrote']['count(*)']:,}.\n",
        *_verdicts(bars(work, runs)),
    ]
    return "\n".join(lines) + "\n"


def _row(title: str, runs: Sequence[Run], duckdb: Sequence[Run]) -> str:
    bare = figures.without_fsync(runs)
    cells = (
        f"{figures.walls(runs):.2f}",
        f"{figures.ratio(runs, duckdb):.2f}",
        "" if bare is None else f"{bare:.2f}",
        f"{median(run.cpu for run in runs):.2f}",
        f"{figures.peak(runs) / 1e6:.0f}",
        str(len(runs)),
    )
    return f"| {title} | {' | '.join(cells)} |"


def _s3(result: Result) -> str:
    if result["scale"] != 1:
        raise ValueError(f"measured at scale {result['scale']}: only full scale is published")
    runs = {name: [Run(**run) for run in of_command] for name, of_command in result["commands"].items()}
    lines = [
        f"{_where(result)} {result['bytes'] / 1e9:.1f} GB of CSV.\n",
        "| | wall s | × folder | CPU s | server CPU s | server's part | peak MB | runs |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_s3_row(name, of, runs.get(f"{name.split('-')[0]}-folder"), result["server_cpu"][name])
          for name, of in runs.items()),
        "",
        *_verdicts(storage.bars(runs)),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _s3_row(name: str, runs: Sequence[Run], folder: Sequence[Run] | None, served: Sequence[float]) -> str:
    own, server = median(run.cpu for run in runs), median(served)
    cells = (
        f"{figures.walls(runs):.2f}",
        f"{figures.ratio(runs, folder):.2f}" if folder else "",
        f"{own:.2f}",
        f"{server:.2f}",
        f"{server / (own + server):.0%}",
        f"{figures.peak(runs) / 1e6:.0f}",
        str(len(runs)),
    )
    return f"| {storage.TITLES[name]} | {' | '.join(cells)} |"


def _startup(result: Result) -> str:
    runs = {name: [Run(**run) for run in of_command] for name, of_command in result["commands"].items()}
    lines = [
        _where(result) + "\n",
        "| | wall s | CPU s | runs |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {startup.TITLES[name]} | {figures.walls(of):.3f} | {median(r.cpu for r in of):.3f} | {len(of)} |"
            for name, of in runs.items()
        ),
        "",
        *_verdicts(startup.bars(runs)),
    ]
    return "\n".join(lines) + "\n"


def _served(result: Result) -> str:
    bars = {title: [Bar(**bar) for bar in of] for title, of in result["bars"].items()}
    lines = [
        f"{_where(result)}\n",
        f"| | bar | {' | '.join(bars)} |",
        f"| --- | ---: |{' ---: |' * len(bars)}",
        *(_bar_row(of_all) for of_all in zip(*bars.values(), strict=True)),
        *_peers([Peer(**peer) for peer in result.get("peers", ())]),
    ]
    return "\n".join(lines) + "\n"


def _peers(peers: Sequence[Peer]) -> list[str]:
    if not peers:
        return []
    told = "The same ten rows on the same machine, from what each one's own records tell:"
    return ["", told, "", *(f"- {peer}" for peer in peers)]


def _bearer(result: Result) -> str:
    lines = [
        f"{_where(result)} Milliseconds, half of {result['runs']:,} checks (p50) and all but one in a hundred (p99).\n",
        "| | bar | p50 | p99 |",
        "| --- | ---: | ---: | ---: |",
        *(_check_row(bar, result["checks"][name]) for name, bar in bearer.bars(result["checks"]).items()),
    ]
    return "\n".join(lines) + "\n"


def _check_row(bar: Bar, check: Mapping[str, float]) -> str:
    median_ms = f"{bar.value:.3f}" if bar.is_met else f"**{bar.value:.3f}**, not met"
    return f"| {bar.what} | ≤ {bar.limit:g} | {median_ms} | {check['p99_ms']:.3f} |"


def _bar_row(bars: Sequence[Bar]) -> str:
    first = bars[0]
    cells = " | ".join(f"{bar.value:.4g}" if bar.is_met else f"**{bar.value:.4g}**, not met" for bar in bars)
    return f"| {first.what}, {first.unit} | {'≥' if first.least else '≤'} {first.limit:g} | {cells} |"


def _tiny(result: Result) -> str:
    lines = [
        _where(result) + "\n",
        "| | | p50 | p99 | DuckDB p50 | DuckDB p99 |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {name} | {state} | {tiny.row(job[state])} |"
            for state in ("cold", "warm")
            for name, job in result["jobs"].items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _where(result: Result) -> str:
    on, versions = result["machine"], result["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"Measured on {result['date']}: {on['cpu']}, {on['cores']} cores, {on['memory_gb']:.0f} GB; {told}."


def _verdicts(found: Sequence[Bar]) -> list[str]:
    return [f"- {bar}" for bar in found]


def saved() -> dict[str, Result]:
    """The results that are kept, by name."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in (HERE / "results").glob("*.json")}


def main(arguments: Sequence[str]) -> int:
    text = page(saved())
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/benchmarks.md is stale: python -m benchmarks.render", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
