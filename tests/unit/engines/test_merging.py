"""A merge: what it leaves, and the rows and data that it refuses."""

import random
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from headrace.engines.spark import script
from headrace.errors import BadData
from headrace.nodes.examples import Table
from headrace.plan.ops import Merge
from tests.support import reference
from tests.support.jobs import Json, plan, source, target
from tests.support.lake import Lake
from tests.support.plans import collected

COLUMNS = "id bigint, name string"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def merging(columns: str = COLUMNS, keys: tuple[str, ...] = ("id",)) -> Any:
    return target(columns, kind="PARQUET", updateType="MERGE", mergeKeyList=list(keys))


def rows(lake: Lake) -> list[Any]:
    (file,) = (lake.root / "9").iterdir()
    return sorted(tuple(row.values()) for row in pyarrow.parquet.read_table(file).to_pylist())


def refused(lake: Lake, *, columns: str = COLUMNS) -> str:
    with pytest.raises(BadData) as caught:
        lake.run(source(), merging(columns))
    assert (caught.value.node_id, caught.value.node) == (9, "node 9")
    return caught.value.message


def test_rows_with_equal_keys_are_replaced_others_stay_and_new_ones_are_added(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n2,new\n3,\n")
    lake.put_parquet("out/a.parquet", id=[1, 2], name=["a", "b"])
    lake.put_parquet("out/b.parquet", id=pa.array([None, 5], pa.int64()), name=["none", "e"])
    outcome = lake.run(source(), merging("name string, id bigint"))
    (file,) = (lake.root / "9").iterdir()
    found = pyarrow.parquet.read_table(file).to_pydict()
    assert sorted(zip(found["name"], found["id"], strict=True), key=str) == sorted(
        [("a", 1), ("new", 2), (None, 3), ("none", None), ("e", 5)], key=str
    )
    assert outcome.writes[9].rows == 5
    assert outcome.reads[9].rows == 4


def test_a_merge_into_nothing_writes_the_rows(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n2,b\n1,a\n")
    outcome = lake.run(source(), merging())
    assert rows(lake) == [(1, "a"), (2, "b")]
    assert outcome.bad_values.get(9, {}) == {}


def test_a_merge_of_nothing_leaves_the_rows(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n")
    lake.put_parquet("out/a.parquet", id=[1, 2], name=["a", "b"])
    lake.run(source(), merging())
    assert rows(lake) == [(1, "a"), (2, "b")]


def test_a_key_that_comes_twice_or_is_missing_is_refused(lake: Lake) -> None:
    lake.put_parquet("out/a.parquet", id=[1], name=["a"])
    lake.put("in/a.csv", "id,name\n1,a\n2,b\n2,c\n")
    assert refused(lake) == "among the rows to merge, the key (2) stands twice"


def test_a_missing_key_is_refused(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n,b\n")
    assert refused(lake) == "among the rows to merge, the key (null) has a missing value"


def test_data_with_other_columns_is_refused(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    lake.put_parquet("out/a.parquet", id=pa.array([1], pa.int32()), more=["a"])
    assert refused(lake) == (
        "lake/out/a.parquet: the columns differ from those to merge: 'id' is INTEGER and should be BIGINT; "
        "'name' is not there and should be VARCHAR; 'more' is VARCHAR and should be left out"
    )


def test_what_a_merge_wrote_can_be_merged_into_again_whatever_its_types(lake: Lake) -> None:
    types = ("boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(12,3)", "string", "char(5)",
             "varchar(9)", "date", "timestamp", "timestampwithtimezone", "binary")  # fmt: skip
    columns = ", ".join(("id int", *(f"c{number} {type_}" for number, type_ in enumerate(types))))
    values = {f"c{number}": pa.nulls(2, pa.string()) for number in range(len(types))}
    values[f"c{len(types) - 1}"] = pa.nulls(2, pa.binary())
    lake.put_parquet("in/a.parquet", id=pa.array([1, 2], pa.int32()), **values)
    lake.run(source(columns, kind="PARQUET"), merging(columns))
    (written,) = (lake.root / "9").iterdir()
    lake.put("out/a.parquet", written.read_bytes())
    written.unlink()
    (lake.root / "9").rmdir()
    assert lake.run(source(columns, kind="PARQUET"), merging(columns)).writes[9].rows == 2


def test_nested_columns_are_merged(lake: Lake) -> None:
    items = {"name": "items", "type": "array", "properties": [{"name": "e", "type": "struct", "properties": [
        {"name": "a", "type": "int"}, {"name": "b c", "type": "decimal(5,2)"}]}]}  # fmt: skip
    named: Json = {"fieldList": [{"name": "id", "type": "int"}, items]}
    lake.put("in/a.json", '{"id": 1, "items": [{"a": 1, "b c": 1.5}]}')
    nodes = (source(kind="JSON", **named), merging() | named)
    lake.run(*nodes)
    (written,) = (lake.root / "9").iterdir()
    lake.put("out/a.parquet", written.read_bytes())
    written.unlink()
    (lake.root / "9").rmdir()
    assert lake.run(*nodes).writes[9].rows == 1


def test_any_merge_leaves_what_the_reference_says(tmp_path: Path) -> None:
    for seed in range(40):
        chance = random.Random(seed)

        def table(count: int, *, unique: bool, chance: random.Random = chance) -> Table:
            pairs = [(chance.randrange(6), chance.choice("ABc")) for _ in range(count)]
            pairs = list(dict.fromkeys(pairs)) if unique else pairs
            return Table.of("k int, l string, v double", *((k, s, chance.random()) for k, s in pairs))

        current, incoming = table(chance.randrange(12), unique=False), table(chance.randrange(12), unique=True)
        op = Merge(
            node_id=3,
            node="merge",
            current=current.operation(1),
            incoming=incoming.operation(2),
            keys=("k", "l"),
        )
        assert reference.differences(reference.merged(current, incoming, ("k", "l")), collected(op, tmp_path)) == []


def test_the_spark_script_says_the_same() -> None:
    text = script(plan(source(), merging()).pruned)
    (incoming,) = re.findall(r"LEFT ANTI JOIN (`.*`) AS r ON l.`id` = r.`id`", text)
    assert f"CACHE TABLE {incoming} AS" in text
    assert "raise_error(concat('headrace:merge:', min(shown)))" in text
