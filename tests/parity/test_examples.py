"""Every example of every node type gives the same rows and columns on both engines."""

from pathlib import Path
from typing import Any

import pytest

from headrace.engines import heads
from headrace.engines import spark as engine
from headrace.engines.raw import Raw
from headrace.nodes.base import Node
from headrace.nodes.examples import Example
from headrace.plan.ops import Read, Write
from headrace.plan.types import STRING, Field, Schema
from tests.parity.running import WHY_SKIPPED, Spark, sail_fault, spark_columns
from tests.support import examples
from tests.support.plans import collected

pytest.importorskip("pysail", reason=WHY_SKIPPED)

_ID = examples.NODE_ID
_FAULTS = {
    "SOURCE_OBS: CSV": "a quoted empty field is read as missing, whatever emptyValue and nullValue say",
    "SOURCE_OBS: JSON": "a number in a field that is declared text is an error",
    "TARGET_OBS: CSV": "empty text is written as nothing, and coalesce(1) gives more than one file",
    "TARGET_OBS: JSON": "null keys are left out, whatever ignoreNullFields says",
}


# Its script needs a variable of the session, which Sail does not have.
_NOT_BOTH = ("TRANSFORM_ENCRYPT",)


def _params(category: str) -> list[Any]:
    found = []
    for kind, example in examples.all_examples():
        if kind.type_word() in _NOT_BOTH:
            continue
        name = f"{kind.type_word()}: {example.title}"
        marks = [sail_fault(why) for start, why in _FAULTS.items() if name.startswith(start)]
        if kind.category == category:
            found.append(pytest.param(kind, example, id=name, marks=marks))
    return found


@pytest.mark.parametrize(("kind", "example"), _params("TRANSFORM"))
def test_an_example_gives_the_rows_it_promises_on_both_engines(
    kind: type[Node], example: Example, spark: Spark, tmp_path: Path
) -> None:
    op = examples.meaning(kind, example)
    ran = spark.run(op)
    assert example.gives is not None
    assert ran.columns == spark_columns(op.schema)
    assert examples.rows_equal(ran.rows, example.gives.rows)
    assert examples.rows_equal(ran.rows, collected(op, tmp_path))


@pytest.mark.parametrize(("kind", "example"), _params("SOURCE"))
def test_a_source_reads_what_it_promises(kind: type[Node], example: Example, spark: Spark, tmp_path: Path) -> None:
    op = examples.meaning(kind, example)
    assert isinstance(op, Read)
    assert example.gives is not None
    ran = [spark.run(op, {_ID: raw}) for raw in _raws(op, example, tmp_path)]
    assert {r.columns for r in ran} == {spark_columns(op.schema)}
    assert examples.rows_equal([row for r in ran for row in r.rows], example.gives.rows)


@pytest.mark.parametrize(("kind", "example"), _params("TARGET"))
def test_a_target_writes_what_it_promises(kind: type[Node], example: Example, spark: Spark, tmp_path: Path) -> None:
    op = examples.meaning(kind, example)
    assert isinstance(op, Write)
    spark.write(op, tmp_path / "out")
    files = sorted((tmp_path / "out").glob("part-*"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert sorted(lines) == sorted(example.writes.splitlines())


def _raws(op: Read, example: Example, folder: Path) -> list[Raw]:
    """One relation for each file: columns in the file's order, as its header says."""
    raws = []
    for found in examples.snapshot(op, example, folder).objects:
        schema, array = engine.stored(op), False
        if op.format == "CSV" and op.dialect.header:
            names = heads.matched(op, found, heads.header(found, op.dialect))
            schema = Schema(tuple(Field(name, STRING) for name in names))
        if op.format == "JSON":
            array = heads.is_array(found)
        raws.append(engine.source(op, found.location, schema, array=array))
    return raws
