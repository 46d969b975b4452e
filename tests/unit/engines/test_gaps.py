"""The table of gaps in the page about engines: each line is shown here, on the engine and in the Spark script."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from headrace.engines import spark
from headrace.engines.duckdb import DuckDbEngine
from headrace.errors import BadData
from tests.support.jobs import Json, node, plan, source, target
from tests.support.lake import LIMITS, Lake

PAGE = Path(__file__).parents[3] / "docs/reference/engines.md"
MAP: Json = {
    "name": "id",
    "type": "map",
    "properties": [{"name": "key", "type": "string"}, {"name": "value", "type": "int"}],
}
TAGS: Json = {"name": "id", "type": "array", "properties": [{"name": "element", "type": "int"}]}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def script(*nodes: Json) -> str:
    return spark.script(plan(*nodes).pruned)


def _texts_of_doubles(lake: Lake) -> None:
    lake.put("in/a.csv", "id\n1e20\n")
    nodes = source("id double"), target("id string")
    lake.run(*nodes)
    assert lake.rows() == [["1e+20"]]
    assert "AS STRING)" in script(*nodes)


def _doubles_to_decimals(lake: Lake) -> None:
    lake.put("in/a.csv", "id\n2.675\n")
    nodes = source("id double"), target("id decimal(5,2)")
    lake.run(*nodes)
    assert lake.rows() == [["2.68"]]
    assert "AS DECIMAL(5,2))" in script(*nodes)


def _fail(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\nx,a\n")
    strict = source(options={"mode": "FAIL"})
    with pytest.raises(BadData, match="record 1: 'x' in column 'id' is not a value of bigint"):
        lake.run(strict, target())
    assert script(strict, target()) == script(source(), target())


def _counts(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\nx,a\n")
    assert lake.run(source(), target()).bad_values[1]["id"] == 1
    assert "count" not in script(source(), target()).lower()


def _key_twice(lake: Lake) -> None:
    lake.put("in/a.json", '{"id": {"a": 1, "a": 2}}\n')
    nodes = source(kind="JSON", fieldList=[MAP]), target(kind="PARQUET", fieldList=[MAP])
    assert lake.run(*nodes).bad_values == {1: {"id": 1}}
    assert "map_keys" not in script(*nodes)


def _nested_misfit(lake: Lake) -> None:
    lake.put("in/a.json", '{"id": ["x"]}\n')
    nodes = source(kind="JSON", fieldList=[TAGS]), target(kind="PARQUET", fieldList=[TAGS])
    assert lake.run(*nodes).bad_values == {1: {"id": 1}}
    assert "mode 'FAILFAST'" in script(*nodes)


def _quoted_null_value(lake: Lake) -> None:
    lake.put("in/a.csv", 'id,name\n1,"NA"\n2,NA\n')
    nodes = source(options={"nullValue": "NA"}), target(kind="JSON")
    lake.run(*nodes)
    assert sorted(lake.text().splitlines()) == ['{"id":1,"name":"NA"}', '{"id":2,"name":null}']
    assert "nullValue 'NA'" in script(*nodes)  # of which Spark's reader does not ask whether it was quoted


def _empty_beside_null_value(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,\n")
    nodes = source(options={"nullValue": "NA"}), target(kind="JSON")
    lake.run(*nodes)
    assert lake.text() == '{"id":1,"name":""}\n'
    assert "emptyValue ''" in script(*nodes)  # which Spark's reader uses for quoted ones alone


def _other_order(lake: Lake) -> None:
    lake.put("in/a.csv", "name,id\na,1\n")
    lake.run(source(), target())
    assert lake.rows() == [["1", "a"]]
    assert "(`id` STRING, `name` STRING)" in script(source(), target())  # by which Spark takes columns in their order


def _layouts(lake: Lake) -> None:
    lake.put("in/a.json", '[{"id": 1, "name": "a"}]')
    lake.put("in/b.json", '{"id": 2, "name": "b"}\n')
    lake.run(source(kind="JSON"), target())
    assert lake.rows() == [["1", "a"], ["2", "b"]]
    assert script(source(kind="JSON"), target()).count("multiLine") == 1


def _encryption(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    entry = {"name": "name", "keyName": "k"}
    nodes = source(), node("TRANSFORM_ENCRYPT", 2, (1,), encryptFieldList=[entry]), target(parents=(2,))
    lake.run(*nodes, engine=DuckDbEngine(replace(LIMITS, temp_directory=str(lake.root)), keys={"k": bytes(32)}))
    assert len(lake.rows()[0][1]) == 40
    assert "session.`key_k`" in script(*nodes)


def _sums(lake: Lake) -> None:
    lake.put("in/a.csv", "id\n" + "0.1\n" * 10)
    total = {"name": "id", "ResultName": "id", "function": "SUM"}
    nodes = source("id double"), node("TRANSFORM_AGGREGATE", 2, (1,), groupByList=[], aggregateFieldList=[total])
    lake.run(*nodes, target("id double", parents=(2,)))
    ((found,),) = lake.rows()
    assert float(found) == pytest.approx(1.0, rel=1e-9)
    assert "sum(`id`)" in script(*nodes, target("id double", parents=(2,)))


GAPS: dict[str, Callable[[Lake], None]] = {
    "text of a `float` or `double`": _texts_of_doubles,
    "`float` or `double` to decimal, Java before 19": _doubles_to_decimals,
    '`"mode": "FAIL"`': _fail,
    "counts of bad values": _counts,
    "a map with a key twice": _key_twice,
    "JSON: an array, map or struct that does not fit": _nested_misfit,
    "a field that is quoted, and equals `options.nullValue`": _quoted_null_value,
    "an unquoted empty field, when `options.nullValue` is set": _empty_beside_null_value,
    "CSV columns in another order than declared": _other_order,
    "JSON: files that are one array beside files of one object a line": _layouts,
    "encryption": _encryption,
    "two floating-point sums": _sums,
}


def test_the_page_has_the_gaps_that_are_shown_here_and_no_others() -> None:
    section = PAGE.read_text("utf-8").partition("## Gaps\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| (.+?) \|", section, re.MULTILINE)
    assert told[2:] == list(GAPS)


@pytest.mark.parametrize("gap", GAPS)
def test_a_gap_is_as_the_page_tells(gap: str, lake: Lake) -> None:
    GAPS[gap](lake)
