import datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from headrace.engines.base import ReadResult
from headrace.errors import BadData
from tests.support.jobs import fields, source, target
from tests.support.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def refused(lake: Lake, kind: str = "CSV", columns: str = "id bigint, name string", **more: Any) -> str:
    with pytest.raises(BadData) as caught:
        lake.run(source(columns, kind=kind, **more), target(columns, kind="PARQUET" if kind != "CSV" else "CSV"))
    return str(caught.value).removeprefix("node 'node 1' (1): ")


ROWS = [["1", "a"], ["2", "b"]]


@pytest.mark.parametrize(
    "text",
    [
        "id,name\n1,a\n2,b\n",
        "id,name\n1,a\n2,b",
        "id,name\r\n1,a\r\n2,b\r\n",
        "\ufeffid,name\n1,a\n2,b\n",
        '"id","name"\n"1","a"\n"2","b"\n',
        "NAME,other,Id\na,x,1\nb,,2\n",
        "id,name\n1,a\n\n2,b\n\n",
    ],
)
def test_csv_is_read_by_the_names_of_its_header(lake: Lake, text: str) -> None:
    lake.put("in/a.csv", text)
    outcome = lake.run(source(), target())
    assert (lake.rows(), outcome.reads[1], outcome.bad_values[1]) == (ROWS, ReadResult(2), {"id": 0})


def test_files_of_one_source_may_have_their_columns_in_other_orders(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    lake.put("in/b.csv", "name,extra,id\nb,x,2\n")
    lake.put("in/deep/c.csv", "")
    lake.put("in/deep/d.csv", "id,name\n")
    lake.put("in/e.csv", "\n\n")
    outcome = lake.run(source(), target())
    assert (lake.rows(), outcome.reads[1].rows) == (ROWS, 2)


@pytest.mark.parametrize("texts", [[""], ["", "\n"], ["id,name\n"], ["\ufeff"], ["id,name"]])
@pytest.mark.parametrize("mode", ["NULL", "FAIL"])
def test_files_without_rows_give_no_rows(lake: Lake, texts: list[str], mode: str) -> None:
    for number, text in enumerate(texts):
        lake.put(f"in/{number}.csv", text)
    outcome = lake.run(source(options={"mode": mode}), target())
    assert (lake.text(), outcome.reads[1].rows, outcome.writes[9].rows) == ("id,name\n", 0, 0)


def test_empty_text_is_not_missing(lake: Lake) -> None:
    lake.put("in/a.csv", 'id,name\n1,""\n2,\n3," "\n')
    lake.run(source(), target())
    assert sorted(lake.text().splitlines()[1:]) == ['1,""', "2,", "3, "]


def test_a_null_value_is_the_unquoted_text_alone_and_is_written_so(lake: Lake) -> None:
    lake.put("in/a.csv", 'id,name\nNA,NA\n1,"NA"\n2,\n')
    options = {"nullValue": "NA"}
    outcome = lake.run(source(options=options), target(options=options))
    assert sorted(lake.text().splitlines()[1:]) == ['1,"NA"', "2,", "NA,NA"]
    assert outcome.bad_values[1] == {"id": 0}


def test_without_a_header_columns_are_read_by_position(lake: Lake) -> None:
    lake.put("in/a.csv", "1|'a|b'\n2|b\n")
    options = {"header": False, "delimiter": "|", "quote": "'"}
    lake.run(source(options=options), target(options={**options, "header": True}))
    assert sorted(lake.text().splitlines()) == ["1|'a|b'", "2|b", "id|name"]


@pytest.mark.parametrize(("encoding", "codec"), [("UTF-16", "utf-16"), ("LATIN-1", "latin-1"), ("UTF-8", "utf-8-sig")])
def test_bytes_are_read_in_the_declared_encoding(lake: Lake, encoding: str, codec: str) -> None:
    lake.put("in/a.csv", 'id,größe\r\n1,"é\nx"\r\n'.encode(codec))
    lake.run(source("id int, größe string", options={"encoding": encoding}), target("größe string"))
    assert lake.rows() == [["é\nx"]]


def test_bytes_of_another_encoding_are_told_with_their_line(lake: Lake) -> None:
    lake.put("in/a.csv", b"id,name\n1,a\n2,\xff\xfe\n")
    assert refused(lake) == (
        "lake/in/a.csv, line 3: the bytes are not of the declared encoding; "
        "set options.encoding to what the file is written in"
    )


def test_rows_that_are_too_short_or_too_long_are_counted_over_all_files(lake: Lake) -> None:
    lake.put("in/a.csv", 'id,name\n1\n2,b,c\n3,"c\nd"\n')
    lake.put("in/b.csv", "id,name\n4\n5,e\n")
    lake.put("in/c.csv", "id,name\n6,f\n")
    outcome = lake.run(source(), target())
    assert outcome.reads[1] == ReadResult(6, short_rows=2, long_rows=1)
    assert lake.rows() == [["1", ""], ["2", "b"], ["3", "c\nd"], ["4", ""], ["5", "e"], ["6", "f"]]


@pytest.mark.parametrize(
    ("text", "line"),
    [('id,name\n1,a\n2,"b\n3,c\n', 3), ('id,name\n1\n2,"b\n', 3), ('id,name\n1,"a" b\n', 2)],
)
def test_a_quote_that_does_not_close_is_told_with_its_line(lake: Lake, text: str, line: int) -> None:
    lake.put("in/a.csv", text)
    assert refused(lake) == (
        f"lake/in/a.csv, line {line}: a quoted value does not end, or more follows its closing quote; "
        "close the quote, or set another quote character in options"
    )


def test_a_header_that_lacks_a_declared_column_is_told_with_both_sides(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    lake.put("in/b.csv", "id,nam\n1,a\n")
    assert refused(lake) == (
        "lake/in/b.csv: there is no column 'name'; the header has: id, nam. fieldList has: id, name"
    )


def test_json_is_read_as_an_array_or_a_line_each(lake: Lake) -> None:
    lake.put("in/a.json", '{"id": 1, "name": "a"}\n\n{"name": {"x": [1]}, "other": 5}\n')
    lake.put("in/b.json", ' [{"id": "x"},\n {"ID": 5, "id": 12345678901234567890}]')
    lake.put("in/c.json", "")
    lake.put("in/d.json", "  \n")
    outcome = lake.run(source(kind="JSON"), target())
    assert lake.rows() == [["", ""], ["", ""], ["", '{"x":[1]}'], ["1", "a"]]
    assert (outcome.reads[1].rows, outcome.bad_values[1]) == (4, {"id": 2})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id": 1}\n{"id": 2\n{"id": 3}\n', 'Malformed JSON in file "lake/in/a.json", at byte 10 in line 2: unexp'),
        ('[{"id": 1}, {"id": 2,]', 'Malformed JSON in file "lake/in/a.json", at byte 10 in record/value 2: unexp'),
        ('{"id": 1}\n5\n', 'JSON transform error in file "lake/in/a.json", in line 2: Expected OBJECT'),
        ('{\n"id": 1\n}\n', 'Malformed JSON in file "lake/in/a.json", at byte 2 in line 1: unexpected end of data'),
    ],
)
def test_malformed_json_is_told_with_its_place(lake: Lake, text: str, says: str) -> None:
    lake.put("in/a.json", text)
    told = refused(lake, "JSON")
    assert told.startswith(says)
    assert told.endswith("; look at the object; was it cut off, or written as another format?")


def test_nested_json_is_read_in_its_type(lake: Lake) -> None:
    tags = {"name": "tags", "type": "array", "properties": fields("element int")}
    lake.put("in/a.json", '{"id": 1, "tags": [1, 2]}\n{"id": 2}\n')
    lake.run(source("id int", kind="JSON") | {"fieldList": [*fields("id int"), tags]},
             target(kind="JSON") | {"fieldList": [tags]})  # fmt: skip
    assert sorted(lake.text().splitlines()) == ['{"tags":[1,2]}', '{"tags":null}']


def test_parquet_is_read_by_name_and_cast_with_counts(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", NAME=["a", None], id=[1.9, 1e20], other=[1, 2])
    outcome = lake.run(source("id int, name string", kind="PARQUET"), target("id int, name string"))
    assert (lake.rows(), outcome.reads[1], outcome.bad_values[1]) == ([["", ""], ["1", "a"]], ReadResult(2), {"id": 1})


def test_parquet_files_may_differ_in_their_types(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", id=pyarrow.array([1], pyarrow.int32()), name=["a"])
    lake.put_parquet("in/b.parquet", name=["b"], id=["2"])
    lake.put_parquet("in/c.parquet", name=["c"], id=["zz"])
    lake.put_parquet("in/d.parquet", id=pyarrow.array([], pyarrow.int64()), name=pyarrow.array([], pyarrow.string()))
    outcome = lake.run(source(kind="PARQUET"), target())
    assert (lake.rows(), outcome.reads[1].rows, outcome.bad_values[1]) == (
        [["", "c"], ["1", "a"], ["2", "b"]], 3, {"id": 1},
    )  # fmt: skip


def test_a_parquet_file_that_lacks_a_column_is_told_with_those_it_has(lake: Lake) -> None:
    lake.put_parquet("in/a.parquet", id=[1], nam=["a"])
    assert refused(lake, "PARQUET") == "lake/in/a.parquet: there is no column 'name'; the file has: id, nam"


@pytest.mark.parametrize("content", ["cut", "hello", "PAR1PAR1"])
def test_a_truncated_parquet_file_is_told(lake: Lake, content: str) -> None:
    path = lake.put_parquet("in/a.parquet", id=[1, 2], name=["a", "b"])
    path.write_bytes(path.read_bytes()[:-20] if content == "cut" else content.encode())
    told = refused(lake, "PARQUET")
    assert told.startswith("lake/in/a.parquet: it does not read as Parquet: ")
    assert told.endswith("; look at the object; was it cut off, or written as another format?")
    assert str(lake.root) not in told


def test_parquet_whose_data_is_damaged_is_told_with_its_place(lake: Lake) -> None:
    path = lake.put_parquet("in/a.parquet", id=[1, 2], name=["a", "b"])
    data = path.read_bytes()
    path.write_bytes(data[:4] + bytes(20) + data[24:])
    assert refused(lake, "PARQUET") == "lake/in: the data of a Parquet object is damaged; write the object anew"


@pytest.mark.parametrize(
    ("stored", "declared", "says"),
    [
        ([datetime.date(2024, 1, 5)], "int", "column 'id' is stored as DATE, which does not cast to int"),
        ([b"x"], "int", "column 'id' is stored as BLOB, which does not cast to int"),
        ([1, 2], "array", "column 'id' is stored as BIGINT, which does not cast to array<int>"),
    ],
)
def test_a_stored_type_that_does_not_cast_is_told(lake: Lake, stored: list[Any], declared: str, says: str) -> None:
    lake.put_parquet("in/a.parquet", id=stored)
    spec = {"name": "id", "type": declared, **({"properties": fields("e int")} if declared == "array" else {})}
    with pytest.raises(BadData) as caught:
        lake.run(source(kind="PARQUET", fieldList=[spec]), target(kind="PARQUET", fieldList=[spec]))
    assert str(caught.value) == f"node 'node 1' (1): lake/in: {says}; declare the type that is stored"
