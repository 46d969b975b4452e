"""Runs plans through the Spark dialect on a session of Spark Connect."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headrace.engines.base import Step
from headrace.engines.dialects import SparkDialect
from headrace.engines.raw import Raw
from headrace.engines.spark import SETTINGS, write_options
from headrace.engines.sql import Generator
from headrace.plan.ops import Collect, Op, Read, Write
from headrace.plan.types import Schema
from tests.support.plans import Rows

SERVER = os.environ.get("HEADRACE_SPARK_REMOTE", "")
"""The address (`sc://host:port`) of a Spark to compare with; without it, Sail is started."""

WHY_SKIPPED = "needs the parity environment: make parity"


def sail_fault(reason: str) -> pytest.MarkDecorator:
    """The stand-in answers otherwise than Spark: an expected failure on Sail, and a plain test on Spark."""
    return pytest.mark.xfail(condition=not SERVER, reason=f"Sail: {reason}", strict=True)


@dataclass(frozen=True)
class Ran:
    """What a plan gave: names and types of the columns, and the rows."""

    columns: tuple[tuple[str, str], ...]
    rows: Rows


@dataclass(frozen=True)
class Spark:
    """A session, and how plans run on it."""

    session: Any

    def run(self, op: Op, raws: Mapping[int, Raw] | None = None) -> Ran:
        """The rows of an operation; `raws` tell, by node id, what its sources read from."""
        sink = Collect(node_id=0, node="result", parent=op)

        def raw(read: Read) -> Raw:
            return (raws or {})[read.node_id]

        *steps, last = Generator(SparkDialect(), raw=raw, write=_select, counts=False).generate([sink]).steps
        for step in steps:
            self._do(step)
        frame = self.session.sql(last.statement)
        columns = tuple((f.name, f.dataType.simpleString()) for f in frame.schema.fields)
        table = frame.toArrow()
        # By place, not by name: two columns of one name are still two.
        values = [column.to_pylist() for column in table.columns]
        return Ran(columns, tuple(zip(*values, strict=True)))

    def write(self, op: Write, folder: Path) -> None:
        """Write the rows of a target into a folder, as one file, by the options of the script."""
        *steps, last = Generator(SparkDialect(), raw=_no_files, write=_select, counts=False).generate([op]).steps
        for step in steps:
            self._do(step)
        writer = self.session.sql(last.statement).coalesce(1).write.format("csv" if op.format == "CSV" else "json")
        writer.options(**write_options(op)).mode("overwrite").save(str(folder))

    def _do(self, step: Step) -> None:
        if step.statement.startswith("CACHE TABLE "):
            name = step.statement.removeprefix("CACHE TABLE ").split(" AS\n")[0]
            self.session.sql(f"DROP VIEW IF EXISTS {name}").collect()
            if not SERVER:  # Sail has no CACHE TABLE; the rows are the same
                view = step.statement.replace("CACHE TABLE", "CREATE OR REPLACE TEMPORARY VIEW", 1)
                self.session.sql(view).collect()
                return
        self.session.sql(step.statement).collect()


def settle(session: Any) -> None:
    """Give a session the settings that a script begins with."""
    for name, value in SETTINGS.items():
        session.conf.set(name, value)


def spark_columns(schema: Schema) -> tuple[tuple[str, str], ...]:
    """The columns of a plan as Spark names them."""
    dialect = SparkDialect()
    return tuple((f.name, dialect.type_name(f.type).lower()) for f in schema)


def _select(write: Write, select: str) -> str:
    del write
    return select


def _no_files(read: Read) -> Raw:
    raise NotImplementedError(f"{read.place} is not given")
