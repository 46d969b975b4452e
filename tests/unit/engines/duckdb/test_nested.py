"""Arrays, maps and structs through the nodes that can carry them."""

from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from headrace.errors import BadData
from tests.support.jobs import node, source, target
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
FIELDS = [{"name": "id", "type": "int"}, ARRAY, STRUCT, MAP]
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


def test_a_stored_type_that_is_not_nested_is_told(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", tags=pyarrow.array([1]))
    with pytest.raises(BadData, match=r"column 'tags' is stored as BIGINT, which does not cast to array<int>"):
        lake.run(source(kind="PARQUET", fieldList=[ARRAY]), target(kind="PARQUET", fieldList=[ARRAY]))


def test_numbers_inside_are_widened_and_what_does_not_fit_fails_the_run(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", tags=pyarrow.array([[2**40]]))
    with pytest.raises(BadData, match="out of range"):
        lake.run(source(kind="PARQUET", fieldList=[ARRAY]), target(kind="PARQUET", fieldList=[ARRAY]))
