"""Arrays, maps and structs through the nodes that can carry them."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from headrace.errors import BadData
from tests.support.jobs import Json, node, problems, source, target
from tests.support.lake import Lake

ARRAY = {"name": "tags", "type": "array", "properties": [{"name": "element", "type": "int"}]}
STRUCT = {
    "name": "at",
    "type": "struct",
    "properties": [{"name": "x", "type": "int"}, {"name": "이름", "type": "string"}],
}
MAP = {
    "name": "sizes",
    "type": "map",
    "properties": [{"name": "key", "type": "string"}, {"name": "value", "type": "bigint"}],
}
FIELDS: list[Json] = [{"name": "id", "type": "int"}, ARRAY, STRUCT, MAP]
COLUMNS: dict[str, Any] = {
    "id": pyarrow.array([1, 2], pyarrow.int32()),
    "tags": pyarrow.array([[1, None], None], pyarrow.list_(pyarrow.int32())),
    "at": pyarrow.array([{"x": 1, "이름": "가"}, None]),
    "sizes": pyarrow.array([[("a", 1)], []], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
}
ROWS = [
    {"id": 1, "tags": [1, None], "at": {"x": 1, "이름": "가"}, "sizes": [("a", 1)]},
    {"id": 2, "tags": None, "at": None, "sizes": []},
]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def written(lake: Lake) -> list[dict[str, Any]]:
    (path,) = (lake.root / "9").iterdir()
    return sorted(pyarrow.parquet.read_table(path).to_pylist(), key=lambda row: int(row["id"]))


def test_parquet_keeps_nested_values_through_filter_select_rename_join_and_union(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", **COLUMNS)
    lake.run(
        source(kind="PARQUET", fieldList=FIELDS),
        node("TRANSFORM_SELECT", 2, (1,), fieldList=FIELDS),
        node(
            "TRANSFORM_FILTER", 3, (2,), filterType="AND",
            filterConditionList=[{"name": "id", "operator": "LT", "value": "9"}],
        ),
        node("TRANSFORM_RENAME", 4, (3,), renameFieldList=[{"name": "id", "newName": "number"}]),
        node("TRANSFORM_RENAME", 5, (4,), renameFieldList=[{"name": "number", "newName": "id"}]),
        node("TRANSFORM_UNION", 6, (5, 3), unionType="ALL"),
        target(parents=(6,), kind="PARQUET", fieldList=FIELDS),
    )  # fmt: skip
    assert written(lake) == [ROWS[0], ROWS[0], ROWS[1], ROWS[1]]


def test_json_reads_and_parquet_writes_the_same_values(lake: Lake) -> None:
    lake.put(
        "in/a.json",
        '{"id": 1, "tags": [1, null], "at": {"x": 1, "이름": "가"}, "sizes": {"a": 1}}\n{"id": 2, "sizes": {}}\n',
    )
    lake.run(source(kind="JSON", fieldList=FIELDS), target(kind="PARQUET", fieldList=FIELDS))
    assert written(lake) == ROWS


def test_json_writes_nested_values(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", **COLUMNS)
    lake.run(source(kind="PARQUET", fieldList=FIELDS), target(kind="JSON", fieldList=FIELDS))
    assert lake.text().splitlines()[0] == '{"id":1,"tags":[1,null],"at":{"x":1,"이름":"가"},"sizes":{"a":1}}'


EXACT: list[Json] = [
    *FIELDS,
    {"name": "price", "type": "decimal(38,18)"},
    {"name": "at_", "type": "timestampwithtimezone"},
]
EXACT_COLUMNS: dict[str, Any] = {
    **COLUMNS,
    "price": pyarrow.array([Decimal("12345678901234567890.123456789012345678"), None], pyarrow.decimal128(38, 18)),
    "at_": pyarrow.array([datetime(2024, 1, 5, 1, 2, 3, 4, UTC), None], pyarrow.timestamp("us", "UTC")),
}
BINARY = {"name": "raw", "type": "binary"}
RAW = pyarrow.array([b"\x00\xff", None], pyarrow.binary())


def through(kind: str) -> list[Json]:
    """A node of each type between source 1 and target 9 that gives the same columns and rows."""
    same = [{"leftField": "id", "joinOperator": "EQ", "rightField": "key", "conditionOperator": "HEAD"}]
    keys = node("TRANSFORM_RENAME", 3, (2,), renameFieldList=[{"name": "id", "newName": "key"}])
    return {
        "SELECT": [node("TRANSFORM_SELECT", 5, (1,), fieldList=FIELDS)],
        "DEFINE": [
            node("TRANSFORM_DEFINE", 5, (1,), defineFieldList=[{"name": "id", "newType": "int", "newName": "id"}])
        ],
        "RENAME": [
            node("TRANSFORM_RENAME", 4, (1,), renameFieldList=[{"name": n, "newName": f"{n}2"} for n in NAMES]),
            node("TRANSFORM_RENAME", 5, (4,), renameFieldList=[{"name": f"{n}2", "newName": n} for n in NAMES]),
        ],
        "FILTER": [
            node("TRANSFORM_FILTER", 5, (1,), filterType="AND",
                 filterConditionList=[{"name": "id", "operator": "LT", "value": "9"}])
        ],
        "JOIN": [
            node("TRANSFORM_SELECT", 2, (1,), fieldList=FIELDS[:1]),
            keys,
            node("TRANSFORM_JOIN", 5, (1, 3), joinType="INNER", leftNodeId=1, rightNodeId=3, joinConditionList=same),
        ],
        "UNION": [
            node("TRANSFORM_FILTER", 2, (1,), filterType="AND",
                 filterConditionList=[{"name": "id", "operator": "EQ", "value": "1"}]),
            node("TRANSFORM_FILTER", 3, (1,), filterType="AND",
                 filterConditionList=[{"name": "id", "operator": "NE", "value": "1"}]),
            node("TRANSFORM_UNION", 5, (2, 3), unionType="ALL"),
        ],
        "FILL": [
            node("TRANSFORM_FILL_MISSING_VALUES", 5, (1,), missingValueFieldList=[{"name": "id", "defaultValue": "0"}])
        ],
        "DROP_NULL": [node("TRANSFORM_DROP_NULL", 5, (1,), dropFieldList=["id"])],
        "SQL": [
            node("TRANSFORM_SQL", 5, (1,), sourceNameList=[{"parentId": 1, "newName": "t"}],
                 sql="SELECT * FROM t WHERE id < 9")
        ],
    }[kind]  # fmt: skip


NAMES = [str(f["name"]) for f in EXACT]
THROUGH = ("SELECT", "DEFINE", "RENAME", "FILTER", "JOIN", "UNION", "FILL", "DROP_NULL", "SQL")


@pytest.mark.parametrize("kind", THROUGH)
@pytest.mark.parametrize(("stored", "target_kind"), [("PARQUET", "PARQUET"), ("PARQUET", "JSON"), ("JSON", "PARQUET")])
def test_every_node_carries_every_type_from_file_to_file(
    kind: str, stored: str, target_kind: str, tmp_path: Path
) -> None:
    """JSON holds no binary; by way of JSON the rows are those of the first Parquet file."""
    fields = [*EXACT, *([BINARY] if "JSON" not in (stored, target_kind) else [])]
    columns = {**EXACT_COLUMNS, **({"raw": RAW} if BINARY in fields else {})}
    first = Lake(tmp_path / "first")
    first.put_parquet("in/a.parquet", **columns)
    nodes = [{**n, "fieldList": fields} if n["id"] == 5 and kind == "SELECT" else n for n in through(kind)]
    steps = nodes if stored == "PARQUET" else []
    end = steps[-1]["id"] if steps else 1
    out = target_kind if stored == "PARQUET" else "JSON"
    first.run(source(kind="PARQUET", fieldList=fields), *steps, target(parents=(end,), kind=out, fieldList=fields))
    if out == "PARQUET":
        found = written(first)
    else:
        second = Lake(tmp_path / "second")
        second.put("in/a.json", first.text())
        again = nodes if stored == "JSON" else []
        end = again[-1]["id"] if again else 1
        second.run(
            source(kind="JSON", fieldList=fields), *again, target(parents=(end,), kind="PARQUET", fieldList=fields)
        )
        found = written(second)
    assert found == [{name: columns[name][row].as_py() for name in columns} for row in (0, 1)]


def test_what_compares_whole_rows_or_extremes_refuses_maps_and_says_so() -> None:
    distinct = node("TRANSFORM_DROP_DUPLICATION", 5, (1,), dropFieldList=["id"])
    largest = node(
        "TRANSFORM_AGGREGATE", 5, (1,), groupByList=[],
        aggregateFieldList=[{"name": "sizes", "ResultName": "sizes", "function": "MAX"}],
    )  # fmt: skip
    fields = [FIELDS[0], MAP]
    out = target(parents=(5,), kind="PARQUET", fieldList=[MAP])
    told = [problems(source(kind="PARQUET", fieldList=fields), refused, out) for refused in (distinct, largest)]
    assert [(len(found), "'sizes' is map<string,bigint>" in found[0], " order" in found[0]) for found in told] == [
        (1, True, True),
        (1, True, True),
    ]


def test_a_stored_type_that_is_not_nested_is_told(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", tags=pyarrow.array([1]))
    with pytest.raises(BadData, match=r"column 'tags' is stored as BIGINT, which does not cast to array<int>"):
        lake.run(source(kind="PARQUET", fieldList=[ARRAY]), target(kind="PARQUET", fieldList=[ARRAY]))


def test_numbers_inside_are_widened_and_what_does_not_fit_fails_the_run(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", tags=pyarrow.array([[2**40]]))
    with pytest.raises(BadData, match="out of range"):
        lake.run(source(kind="PARQUET", fieldList=[ARRAY]), target(kind="PARQUET", fieldList=[ARRAY]))
