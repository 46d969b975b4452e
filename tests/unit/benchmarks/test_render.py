"""The page of results: what it says, and that it is the one that is checked in."""

from typing import Any

import pytest

from benchmarks import render
from benchmarks.workloads import WORKLOADS

RUN = {"wall": 2.0, "cpu": 3.0, "pss": 200_000_000, "rss": 210_000_000, "fsync": None}
BY_HAND = {**RUN, "wall": 1.6, "fsync": 0.1}


def result(scale: float = 1) -> dict[str, Any]:
    engines = {"headrace": [RUN] * 3, "duckdb": [BY_HAND] * 3}
    return {
        "date": "2025-01-31",
        "machine": {"cpu": "A processor", "cores": 2, "memory_gb": 24.6, "kernel": "6.1"},
        "versions": {"python": "3.11.7", "duckdb": "1.5.5"},
        "scale": scale,
        "settings": {"threads": 2, "memory_limit": "4GB"},
        "inputs": [],
        "jobs": {work.name: {"engines": engines, "wrote": {"count(*)": 1234567}} for work in WORKLOADS},
    }


def test_the_page_in_docs_is_that_of_the_results() -> None:
    assert render.main(["--check"]) == 0, "write it again: python -m benchmarks.render"


def test_what_was_not_measured_is_said_to_be_missing() -> None:
    assert render.page({}).count(render.NOT_YET) == 16


def test_figures_stand_beside_their_bars() -> None:
    lines = render.page({"embedded": result()}).splitlines()

    assert "Measured on 2025-01-31: A processor, 2 cores, 25 GB; python 3.11.7, duckdb 1.5.5. 2 threads, a memory " \
        "limit of 4GB for the engine." in lines  # fmt: skip
    assert "| Headrace | 2.00 | 1.25 |  | 3.00 | 200 | 3 |" in lines
    assert "| DuckDB, by hand | 1.60 | 1.00 | 1.50 | 3.00 | 200 | 3 |" in lines
    assert "- wall time, against hand-written DuckDB: 1.25 ×, at most 1.15: **not met**" in lines
    assert "- wall time, against hand-written DuckDB: 1.25 ×, at most 1.30: met" in lines
    assert "- peak memory: 200.00 MB, at most 310.00: met" in lines
    assert "Rows written: 1,234,567." in lines


def test_a_quick_look_is_not_published() -> None:
    with pytest.raises(ValueError, match="only full scale"):
        render.page({"embedded": result(scale=0.05)})


def test_object_storage_is_told_with_the_part_of_its_server() -> None:
    commands = {"filter-folder": [RUN], "filter-s3": [{**RUN, "wall": 5.0, "cpu": 4.0}], "copy": [RUN]}
    served = {"filter-folder": [0.0], "filter-s3": [6.0], "copy": [1.0]}
    page = render.page({"s3": {**result(), "bytes": 1_900_000_000, "commands": commands, "server_cpu": served}})

    assert "1.9 GB of CSV." in page
    assert "| filter, object storage | 5.00 | 2.50 | 4.00 | 6.00 | 60% | 200 | 1 |" in page
    assert "| copy of the CSV object | 2.00 |  | 3.00 | 1.00 | 25% | 200 | 1 |" in page
    assert "- filter, storage against folder: 2.50 ×, at most 1.43: **not met**" in page


def test_the_time_of_short_commands_is_told() -> None:
    commands = {"headrace-run": [{**RUN, "wall": 0.4}], "headrace-version": [{**RUN, "wall": 0.25}]}
    page = render.page({"startup": {**result(), "commands": commands}})

    assert "| `headrace run` of ten rows | 0.400 | 3.000 | 1 |" in page
    assert "- a job of ten rows, cold: 0.40 s, at most 0.80: met" in page
    assert "- `headrace --version`: 0.25 s, at most 0.20: **not met**" in page


def test_a_promise_about_memory_alone_stands_alone() -> None:
    page = render.page({"big": {**result(), "jobs": {"big": result()["jobs"]["w1"]}}})

    assert "- peak memory: 200.00 MB, at most 4000.00: met" in page
    assert "- wall time" not in page


def test_tiny_jobs_are_told_in_milliseconds() -> None:
    times = {"headrace": [0.04, 0.05, 0.09], "duckdb": [0.01, 0.02, 0.03]}
    page = render.page({"tiny": {**result(), "jobs": {"csv": {"cold": times, "warm": times}}}})

    assert "| csv | cold | 50.0 | 90.0 | 20.0 | 30.0 |" in page
    assert "| csv | warm | 50.0 | 90.0 | 20.0 | 30.0 |" in page


def test_the_server_s_figures_stand_beside_each_other_and_say_what_is_not_met() -> None:
    least = {"what": "reads", "limit": 800.0, "unit": "reads/s", "least": True}
    bars = {"SQLite": [{**least, "value": 900.0}], "PostgreSQL": [{**least, "value": 700.5}]}
    about = {name: result()[name] for name in ("date", "machine", "versions")}

    lines = render.page({"server_reads": {**about, "bars": bars}}).splitlines()

    assert "| | bar | SQLite | PostgreSQL |" in lines
    assert "| reads, reads/s | ≥ 800 | 900 | **700.5**, not met |" in lines


def test_what_a_user_would_take_instead_stands_below_our_own_figures() -> None:
    bar = {"what": "many", "limit": 50.0, "value": 40.0, "unit": "jobs/s", "least": True}
    peers = [{"name": "Prefect 3", "p50": 11.0, "rate": 0.31}]
    page = render.page({"server_jobs": {**result(), "bars": {"SQLite": [bar]}, "peers": peers}})

    assert "| many, jobs/s | ≥ 50 | **40**, not met |" in page
    assert "- Prefect 3: p50 11,000 ms, many at once 0.31/s\n" in page


def test_the_checks_of_callers_stand_beside_their_bar() -> None:
    checks = {"RS256": {"median_ms": 0.15, "p99_ms": 6.5}, "key": {"median_ms": 1.25, "p99_ms": 7.0}}
    page = render.page({"bearer": {**result(), "runs": 2000, "checks": checks}})

    assert "half of 2,000 checks" in page
    assert "| a token, RS256 | ≤ 1 | 0.150 | 6.500 |" in page
    assert "| a key in Authorization-PSK | ≤ 1 | **1.250**, not met | 7.000 |" in page
