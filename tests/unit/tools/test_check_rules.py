"""The rules gate: each rule is broken once and seen, and its permitted neighbour passes."""

from pathlib import Path

import pytest

from tools import check_rules


def broken(path: str, text: str) -> list[str]:
    return [finding.rule for finding in check_rules.findings(check_rules.parse(path, text))]


@pytest.mark.parametrize(
    "text",
    ["import pydantic", "from pydantic import BaseModel", "import headrace.errors", "from headrace.nodes import base"],
)
def test_plan_imports_the_standard_library_and_itself_alone(text: str) -> None:
    assert broken("src/headrace/plan/ops.py", text) == ["plan"]
    assert broken("src/headrace/plan/ops.py", "import re\nfrom headrace.plan.types import Schema") == []


@pytest.mark.parametrize(
    "path",
    [
        "src/headrace/plan/ops.py",
        "src/headrace/sqltext/lineage.py",
        "src/headrace/recurrence/__init__.py",
        "src/headrace/execution/supervisor.py",
        "src/headrace/execution/states.py",
        "src/headrace/auth/signature_v2.py",
    ],
)
def test_every_module_that_decides_is_held_pure(path: str) -> None:
    assert broken(path, "import socket") == ["pure"]


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "import os.path",
        "from os import environ",
        "import time",
        "import subprocess",
        "import sqlite3",
        "import logging",
        "import requests",
        "import urllib.request",
        "from urllib import request",
        "from pathlib import Path",
        "def f() -> None:\n    import socket",
        "open('a')",
        "print('a')",
        "def f(path) -> str:\n    return path.read_text()",
        "import pathlib\npathlib.Path('a')",
        "import headrace.clock",
        "from headrace.stores import files",
    ],
)
def test_what_decides_does_no_input_or_output(text: str) -> None:
    assert "pure" in broken("src/headrace/execution/supervisor.py", text)
    assert broken("src/headrace/execution/worker.py", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import date, datetime, time, timedelta",
        "from pathlib import PurePosixPath",
        "from urllib.parse import quote",
        "from headrace.plan.types import Schema",
        "def f(reader) -> None:\n    reader.open()",
    ],
)
def test_what_decides_may_know_values(text: str) -> None:
    assert broken("src/headrace/execution/supervisor.py", text) == []


CLOCK_READS = [
    "import time\ntime.time()",
    "import time as t\nt.monotonic()",
    "from time import perf_counter as now\nnow()",
    "import time\nf(clock=time.monotonic_ns)",
    "import datetime\ndatetime.datetime.now(datetime.UTC)",
    "from datetime import UTC, datetime\ndatetime.now(UTC)",
    "import datetime as dt\ndt.date.today()",
    "from datetime import datetime\ndatetime.utcnow()",
]


@pytest.mark.parametrize("text", CLOCK_READS)
@pytest.mark.parametrize(
    "path", ["src/headrace/nodes/filter.py", "src/headrace/execution/states.py", "tests/unit/test_graph.py"]
)
def test_who_is_told_the_time_does_not_read_it(path: str, text: str) -> None:
    assert "clock" in broken(path, text)


@pytest.mark.parametrize("text", CLOCK_READS)
@pytest.mark.parametrize("path", ["src/headrace/clock.py", "tests/fault/test_kill.py", "tests/support/wait.py"])
def test_others_may_read_the_clock(path: str, text: str) -> None:
    assert broken(path, text) == []


def test_a_given_time_is_not_a_clock() -> None:
    text = "from datetime import datetime\ndatetime(2026, 1, 2)\ndatetime.fromisoformat('2026-01-02')\nclock.now()"

    assert broken("tests/unit/test_graph.py", text) == []


@pytest.mark.parametrize("text", ["async def f() -> None: ...", "class A:\n    async def f(self) -> None: ..."])
def test_async_stands_at_the_edge_only(text: str) -> None:
    assert broken("src/headrace/core/jobs.py", text) == ["async"]
    assert broken("src/headrace/api/naver/routes.py", text) == ["async"]
    assert broken("src/headrace/execution/streaming.py", text) == ["async"]
    assert broken("src/headrace/api/app.py", text) == []
    assert broken("src/headrace/api/middleware/limits.py", text) == []
    assert broken("src/headrace/api/console/streaming.py", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "import duckdb",
        "from duckdb import connect",
        "import pyspark.sql",
        "from rich.console import Console",
        "import sqlglot",
        "class A:\n    import duckdb",
        "try:\n    import duckdb\nexcept ImportError:\n    pass",
        "if True:\n    import duckdb",
        "if TYPE_CHECKING:\n    pass\nelse:\n    import duckdb",
    ],
)
def test_a_heavy_library_is_not_imported_at_the_top(text: str) -> None:
    assert broken("src/headrace/cli/__init__.py", text) == ["heavy"]


@pytest.mark.parametrize(
    "text",
    [
        "def f() -> None:\n    import duckdb",
        "class A:\n    def f(self) -> None:\n        import duckdb",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import duckdb",
        "import duckdbx",
    ],
)
def test_a_heavy_library_may_come_late(text: str) -> None:
    assert broken("src/headrace/cli/__init__.py", text) == []


@pytest.mark.parametrize(
    ("path", "library"),
    [
        ("engines/duckdb.py", "duckdb"),
        ("engines/duckdb_types.py", "duckdb"),
        ("engines/spark.py", "pyspark"),
        ("engines/sql.py", "sqlglot"),
        ("sqltext/parse.py", "sqlglot"),
        ("stores/objects.py", "boto3"),
        ("db/tables.py", "sqlalchemy"),
        ("core/jobs.py", "sqlalchemy"),
        ("execution/queue.py", "sqlalchemy"),
    ],
)
def test_a_heavy_library_has_its_one_place(path: str, library: str) -> None:
    assert broken(f"src/headrace/{path}", f"import {library}") == []
    assert broken("src/headrace/core/inference.py", f"import {library}") == ["heavy"]


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.sleep(1)",
        "from time import sleep\nsleep(1)",
        "from time import sleep as nap\nwait(nap)",
        "import asyncio\nasync def test_a() -> None:\n    await asyncio.sleep(1)",
    ],
)
def test_a_test_does_not_sleep(text: str) -> None:
    assert "sleep" in broken("tests/e2e/test_cancel.py", text)
    assert broken("tests/support/wait.py", text) == []


def test_the_gate_says_where_and_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "src/headrace/execution/states.py"
    place.parent.mkdir(parents=True)
    place.write_text('"""States."""\n\nimport socket\n', encoding="utf-8")

    assert check_rules.main(tmp_path) == 1
    assert capsys.readouterr().err == "src/headrace/execution/states.py:3: pure: imports socket\n"


def test_the_gate_passes_what_is_right(tmp_path: Path) -> None:
    place = tmp_path / "src/headrace/execution/states.py"
    place.parent.mkdir(parents=True)
    place.write_text('"""States."""\n', encoding="utf-8")

    assert check_rules.main(tmp_path) == 0
