"""Arrays, maps and structs come through every node alike on the embedded engine and through the Spark dialect."""

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from headrace.engines.dialects import SparkDialect, literal
from headrace.engines.raw import Raw
from headrace.graph import Graph
from headrace.plan.ops import Write
from headrace.plan.types import INT, STRING, Array, Field, Map, Scalar, Struct, Type
from tests.parity.running import WHY_SKIPPED, Spark, spark_columns
from tests.support.generated_nested import wire
from tests.support.jobs import Json, node, source, target
from tests.support.lake import Lake

pytest.importorskip("pysail", reason=WHY_SKIPPED)

SQL = SparkDialect()
POINT = Struct((Field("x", INT), Field("a b", STRING)))
TYPES: Mapping[str, Type] = {
    "id": INT,
    "tags": Array(STRING),
    "props": Map(STRING, INT),
    "at": POINT,
    "deep": Array(Struct((Field("points", Map(STRING, POINT)), Field("on", Scalar("date"))))),
}
Row = tuple[Any, ...]
WHOLE: Row = (
    1, ["a", "a", "나"], {"k": 1, "K": 2}, {"x": 1, "a b": "it's"},
    [{"points": {"p": {"x": 1, "a b": "b"}}, "on": "2024-02-29"}],
)  # fmt: skip
ROWS: tuple[Row, ...] = (
    WHOLE,
    (2, [], {}, {"x": None, "a b": None}, []),
    (3, None, None, None, None),
    (4, [None, ""], {"k": None}, {"x": -7, "a b": ""}, [None, {"points": None, "on": None}]),
    (5, ["[1]"], {"": 0}, {"x": 0, "a b": "null"}, [{"points": {"p": None}, "on": "0001-01-01"}]),
)
NOTHING: Row = (None,) * len(TYPES)
_CONDITION = {"leftField": "id", "joinOperator": "EQ", "rightField": "id", "conditionOperator": "HEAD"}
_COUNTS = [{"name": name, "ResultName": name, "function": "COUNT"} for name in TYPES]


def filtered(name: str, operator: str, *, parent: int = 1, node_id: int = 2) -> Json:
    return node(
        "TRANSFORM_FILTER", node_id, (parent,), filterType="AND",
        filterConditionList=[{"name": name, "operator": operator}],
    )  # fmt: skip


def joined(kind: str) -> list[Json]:
    """Each row with its likes among those that have tags."""
    join = node(
        "TRANSFORM_JOIN", 3, (1, 2), joinType=kind, leftNodeId=1, rightNodeId=2, prefix="r_",
        joinConditionList=[_CONDITION],
    )  # fmt: skip
    return [filtered("tags", "IS_NOT_NULL"), join]


CASES: Mapping[str, tuple[list[Json], list[Row]]] = {
    "all as they are": ([], list(ROWS)),
    "some, in another order": (
        [node("TRANSFORM_SELECT", 2, (1,), fieldList=[wire("AT", POINT), wire("id", INT)])],
        [(row[3], row[0]) for row in ROWS],
    ),
    "renamed": (
        [node("TRANSFORM_RENAME", 2, (1,), renameFieldList=[{"name": "deep", "newName": "가 b"}])],
        list(ROWS),
    ),
    "beside a cast": (
        [node("TRANSFORM_DEFINE", 2, (1,), defineFieldList=[{"name": "id", "newType": "string", "newName": "id"}])],
        [(str(row[0]), *row[1:]) for row in ROWS],
    ),
    "where one is missing": ([filtered("props", "IS_NULL")], [ROWS[2]]),
    "where one is there": ([filtered("deep", "IS_NOT_NULL")], [row for row in ROWS if row[0] != 3]),
    "without rows that miss any": (
        [node("TRANSFORM_DROP_NULL", 2, (1,), dropFieldList=[], dropType="ANY")],
        [row for row in ROWS if row[0] != 3],
    ),
    "beside a gap that is filled": (
        [
            filtered("at", "IS_NULL"),
            node("TRANSFORM_FILL_MISSING_VALUES", 3, (2,), missingValueFieldList=[{"name": "id", "defaultValue": "9"}]),
        ],
        [ROWS[2]],
    ),
    "counted": (
        [node("TRANSFORM_AGGREGATE", 2, (1,), groupByList=[], aggregateFieldList=_COUNTS)],
        [(5, 4, 4, 4, 4)],
    ),
    "united with themselves": (
        [filtered("tags", "IS_NOT_NULL"), node("TRANSFORM_UNION", 3, (1, 2), unionType="ALL")],
        [*ROWS, *(row for row in ROWS if row[0] != 3)],
    ),
    "joined": (joined("INNER"), [(*row, *row) for row in ROWS if row[0] != 3]),
    "joined, with those that have no partner": (
        joined("LEFT_OUTER"),
        [(*row, *(NOTHING if row[0] == 3 else row)) for row in ROWS],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_nested_values_come_through_a_node_alike(name: str, spark: Spark, tmp_path: Path) -> None:
    steps, wanted = CASES[name]
    columns = [wire(column, type_) for column, type_ in TYPES.items()]
    read = source(kind="NDJSON", fieldList=columns)
    (parent,) = {n["id"] for n in (read, *steps)} - {p for n in steps for p in n["parentNodeIds"]}
    schema = Graph.of((read, *steps, target("id string", parents=(parent,)))).plan().by_node[parent].schema
    written = target(kind="PARQUET", parents=(parent,), fieldList=[wire(f.name, f.type) for f in schema])
    nodes = (read, *steps, written)
    (write,) = Graph.of(nodes).plan().sinks
    assert isinstance(write, Write)

    lake = Lake(tmp_path)
    lake.put("in/a.json", "".join(json.dumps(dict(zip(TYPES, row, strict=True))) + "\n" for row in ROWS))
    lake.run(*nodes)
    (file,) = (tmp_path / "9").iterdir()
    found = pyarrow.parquet.read_table(file)
    ours = sorted(tuple(map(plain, row)) for row in zip(*(c.to_pylist() for c in found.columns), strict=True))
    ran = spark.run(write.parent, {1: Raw(relation(), dict(TYPES))})
    theirs = sorted(tuple(map(plain, row)) for row in ran.rows)
    meant = sorted(tuple(map(plain, row)) for row in wanted)
    assert ours == meant
    assert theirs == meant
    assert list(map(bare, ran.columns)) == list(map(bare, spark_columns(write.parent.schema)))


def bare(column: tuple[str, str]) -> tuple[str, str]:
    """A column without what the texts of one type differ in."""
    return column[0], re.sub("[ `]", "", column[1])


def plain(value: Any) -> str:
    """A value as a text that is the same for both: Arrow gives a map as pairs, JSON a date as text."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {plain(value[key])}" for key in sorted(value)) + "}"
        case list() if value and all(isinstance(pair, tuple) for pair in value):
            return plain(dict(value))
        case list():
            return "[" + ", ".join(map(plain, value)) + "]" if value else "{}"
        case date():
            return repr(value.isoformat())
        case _:
            return repr(value)


def relation() -> str:
    """The rows as a Spark query."""
    rows = [
        "SELECT "
        + ", ".join(f"{spark_value(v, t)} AS {SQL.quoted(n)}" for v, (n, t) in zip(row, TYPES.items(), strict=True))
        for row in ROWS
    ]
    return "(" + " UNION ALL ".join(rows) + ")"


def spark_value(value: Any, type_: Type) -> str:
    """A nested constant as Spark writes it, in its full type."""
    if value is None:
        return f"CAST(NULL AS {SQL.type_name(type_)})"
    match type_:
        case Array(element):
            made = f"array({', '.join(spark_value(each, element) for each in value)})"
        case Map(key, inner):
            pairs = (f"{spark_value(k, key)}, {spark_value(v, inner)}" for k, v in value.items())
            made = f"map({', '.join(pairs)})"
        case Struct(fields):
            parts = (f"{SQL.text(f.name)}, {spark_value(value[f.name], f.type)}" for f in fields)
            made = f"named_struct({', '.join(parts)})"
        case Scalar("date"):
            made = SQL.text(value)
        case _:
            return literal(SQL, value, type_)
    return f"CAST({made} AS {SQL.type_name(type_)})"
