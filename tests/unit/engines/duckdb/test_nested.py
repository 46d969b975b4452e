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


def test_numbers_inside_that_are_too_large_are_counted(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", id=pyarrow.array([1, 2]), tags=pyarrow.array([[2**40], [5, None]]))
    fields = [FIELDS[0], ARRAY]
    done = lake.run(source(kind="PARQUET", fieldList=fields), target(kind="PARQUET", fieldList=fields))
    assert written(lake) == [{"id": 1, "tags": None}, {"id": 2, "tags": [5, None]}]
    assert done.bad_values == {1: {"id": 0, "tags": 1}}


WHOLE, TEXTS = pyarrow.int64(), pyarrow.string()
OTHER_STRUCT = pyarrow.struct([("이름", TEXTS), ("x", WHOLE), ("more", TEXTS)])
SEVERAL: dict[str, tuple[Json, list[Any], list[Any], int, str]] = {
    "arrays": (
        ARRAY,
        [
            pyarrow.array([[1, None], None], pyarrow.list_(pyarrow.int32())),
            pyarrow.array([[7], [2**40]], pyarrow.list_(WHOLE)),
            pyarrow.array([["8", "9"], ["x"], [None], []], pyarrow.list_(TEXTS)),
        ],
        [[1, None], None, [7], None, [8, 9], None, [None], []],
        2,
        r"b\.parquet, record 2: '\[1099511627776\]' in column 'tags' is not a value of array<int>",
    ),
    "structs": (
        STRUCT,
        [
            pyarrow.array([{"x": 1, "이름": "a"}], pyarrow.struct([("x", pyarrow.int32()), ("이름", TEXTS)])),
            # Members in another order and of another type, and one too many; then one too few.
            pyarrow.array([{"이름": "b", "x": 2, "more": "z"}, {"이름": "c", "x": 2**40, "more": None}], OTHER_STRUCT),
            pyarrow.array([{"x": "3"}, {"x": "no"}, None], pyarrow.struct([("x", TEXTS)])),
            # Not one member in common.
            pyarrow.array([{"y": 4}, None], pyarrow.struct([("y", WHOLE)])),
        ],
        [{"x": 1, "이름": "a"}, {"x": 2, "이름": "b"}, None, {"x": 3, "이름": None}, None, None, None, None],
        3,
        r"b\.parquet, record 2: .*1099511627776.* in column 'at' is not a value of struct<",
    ),
    "maps": (
        {**MAP, "properties": [{"name": "key", "type": "int"}, {"name": "value", "type": "bigint"}]},
        [
            pyarrow.array([[(1, 1)], []], pyarrow.map_(pyarrow.int32(), WHOLE)),
            # Two keys that become one are a key that stands twice.
            pyarrow.array([[("2", 2)], [("3", 3), ("03", 4)], [("x", 5)]], pyarrow.map_(TEXTS, WHOLE)),
            pyarrow.array([[(6, "6")], [(7, "seven")], None], pyarrow.map_(WHOLE, TEXTS)),
        ],
        [[(1, 1)], [], [(2, 2)], None, None, [(6, 6)], None, None],
        3,
        r"b\.parquet, record 2: '\{3=3, 03=4\}' in column 'sizes' is not a value of map<int,bigint>",
    ),
    "structs in arrays": (
        {**ARRAY, "properties": [{"name": "element", "type": "struct", "properties": STRUCT["properties"]}]},
        [
            pyarrow.array([[{"x": 1}, None]], pyarrow.list_(pyarrow.struct([("x", WHOLE)]))),
            pyarrow.array([[{"x": "2", "이름": "b"}]], pyarrow.list_(pyarrow.struct([("x", TEXTS), ("이름", TEXTS)]))),
            pyarrow.array([[{"x": 2**40}], None], pyarrow.list_(OTHER_STRUCT)),
        ],
        [[{"x": 1, "이름": None}, None], [{"x": 2, "이름": "b"}], None, None],
        1,
        r"c\.parquet, record 1: .*1099511627776.* in column 'tags' is not a value of array<struct<",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["NULL", "FAIL"])
@pytest.mark.parametrize("name", SEVERAL)
def test_what_does_not_fit_in_files_with_several_types_inside_is_missing_and_counted_or_fails_the_run(
    name: str, mode: str, lake: Lake
) -> None:
    field, files, gives, misfits, told = SEVERAL[name]
    numbers = iter(range(99))
    for letter, values in zip("abcd", files, strict=False):
        ids = pyarrow.array([next(numbers) for _ in values], pyarrow.int32())
        lake.put_parquet(f"in/{letter}.parquet", id=ids, **{field["name"]: values})
    declared = [FIELDS[0], field]
    jobs = (
        source(kind="PARQUET", fieldList=declared, options={"mode": mode}),
        target(kind="PARQUET", fieldList=declared),
    )
    if mode == "FAIL":
        with pytest.raises(BadData, match=told):
            lake.run(*jobs)
        return
    done = lake.run(*jobs)
    assert [row[field["name"]] for row in written(lake)] == gives
    assert done.bad_values == {1: {field["name"]: misfits}}


def test_structs_without_one_declared_member_are_told(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", at=pyarrow.array([{"y": 1}]))
    told = r"lake/in: column 'at' is stored as STRUCT\(y BIGINT\), which does not cast to struct<x:int"
    with pytest.raises(BadData, match=told):
        lake.run(source(kind="PARQUET", fieldList=[STRUCT]), target(kind="PARQUET", fieldList=[STRUCT]))


DEEP = {
    "name": "deep",
    "type": "map",
    "properties": [
        {"name": "key", "type": "int"},
        {
            "name": "value",
            "type": "array",
            "properties": [
                {
                    "name": "element",
                    "type": "struct",
                    "properties": [{"name": "on", "type": "date"}, {"name": "a b", "type": "string"}],
                }
            ],
        },
    ],
}


@pytest.mark.parametrize("mode", ["NULL", "FAIL"])
@pytest.mark.parametrize(
    ("field", "fits", "does_not"),
    [
        (ARRAY, ["[1, null]", "[]", "null", '["7"]'], ['["x"]', "[1, {}]", "5", '"[1]"', '{"a": 1}', "[99999999999]"]),
        (
            STRUCT,
            ['{"x": 1, "이름": "가"}', '{"x": null}', "{}", '{"x": 1, "more": 2}', '{"이름": [1]}'],
            ['{"x": "no"}', "[1]", "5", '{"x": {}}', '"{}"'],
        ),
        (MAP, ['{"a": 1}', "{}", '{"a": null}'], ['{"a": "no"}', "[]", '{"a": 1, "b": []}', '{"a": 1, "a": 2}']),
        (
            DEEP,
            ['{"1": [{"on": "2026-01-31", "a b": "x"}, null], "2": null}', '{"1": []}'],
            ['{"k": []}', '{"1": [{"on": "no"}]}', '{"1": [5]}', '{"1": [], "1": []}'],
        ),
    ],
    ids=["array", "struct", "map", "deep"],
)
def test_a_nested_value_of_json_that_does_not_fit_is_missing_and_counted_or_fails_the_run(
    field: Json, fits: list[str], does_not: list[str], mode: str, lake: Lake
) -> None:
    name, declared = field["name"], [FIELDS[0], field]
    texts = [*fits, *does_not]
    lake.put("in/a.json", "".join(f'{{"id": {n}, "{name}": {text}}}\n' for n, text in enumerate(texts)))
    jobs = source(kind="JSON", fieldList=declared, options={"mode": mode}), target(kind="PARQUET", fieldList=declared)
    if mode == "FAIL":
        with pytest.raises(BadData, match=rf"column '{name}'"):
            lake.run(*jobs)
        return
    done = lake.run(*jobs)
    rows = written(lake)
    assert done.bad_values == {1: {"id": 0, name: len(does_not)}}
    assert [row[name] for row in rows[len(fits) :]] == [None] * len(does_not)
    assert [row[name] is None for row in rows[: len(fits)]] == [text == "null" for text in fits]

    # What fits is read as it is where nothing is wrong.
    (lake.root / "9").rename(lake.root / "first")
    lake.put("in/a.json", "".join(f'{{"id": {n}, "{name}": {text}}}\n' for n, text in enumerate(fits)))
    assert lake.run(*jobs).bad_values.get(1, {}).get(name, 0) == 0
    assert written(lake) == rows[: len(fits)]


def test_a_nested_value_that_does_not_fit_is_told_with_its_record(lake: Lake) -> None:
    lake.put("in/a.json", '{"id": 1, "tags": [1]}\n{"id": 2, "tags": ["x"]}\n')
    fields = [FIELDS[0], ARRAY]
    told = r"""lake/in/a.json, record 2: '\["x"\]' in column 'tags' is not a value of array<int>"""
    with pytest.raises(BadData, match=told):
        lake.run(
            source(kind="JSON", fieldList=fields, options={"mode": "FAIL"}), target(kind="PARQUET", fieldList=fields)
        )


@pytest.mark.parametrize("mode", ["NULL", "FAIL"])
def test_a_stored_map_with_a_key_twice_is_missing_and_counted_or_fails_the_run(lake: Lake, mode: str) -> None:
    pairs = pyarrow.array([[("a", 1)], [("b", 1), ("b", 2)]], pyarrow.map_(pyarrow.string(), pyarrow.int64()))
    lake.put_parquet("in/a.parquet", id=pyarrow.array([1, 2]), sizes=pairs)
    fields = [FIELDS[0], MAP]
    jobs = source(kind="PARQUET", fieldList=fields, options={"mode": mode}), target(kind="PARQUET", fieldList=fields)
    if mode == "FAIL":
        with pytest.raises(BadData, match=r"a map in column 'sizes' has a key twice: \{b=1, b=2\}"):
            lake.run(*jobs)
        return
    done = lake.run(*jobs)
    assert written(lake) == [{"id": 1, "sizes": [("a", 1)]}, {"id": 2, "sizes": None}]
    assert done.bad_values == {1: {"id": 0, "sizes": 1}}
