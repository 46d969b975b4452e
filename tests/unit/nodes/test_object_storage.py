from typing import Any

import pytest

from headrace.plan.ops import Dialect, Merge, Place, Read, Write
from tests.support.jobs import faults, fields, plan, problems, source, target, warnings


def told_source(**more: Any) -> list[str]:
    found = problems(source(**more), target())
    return [text.removeprefix("node 'node 1' (1), ") for text in found if "(1)" in text]


def told_target(columns: str = "id bigint", **more: Any) -> list[str]:
    found = problems(source(), target(columns, **more))
    return [text.removeprefix("node 'node 9' (9), ") for text in found]


def test_a_source_reads_its_place_as_it_is_declared() -> None:
    options = {"header": False, "delimiter": "|", "quote": "'", "escape": "\\", "nullValue": "NA", "mode": "FAIL"}
    read = plan(source(prefix="a/b/", regionNo="2", options={**options, "encoding": "UTF-16"}), target()).by_node[1]
    assert isinstance(read, Read)
    assert read.place == Place("lake", "a/b", "2")
    assert read.dialect == Dialect(False, "|", "'", "\\", "NA", "UTF-16", "AUTO")
    assert (read.format, read.bad_values, read.declared.names) == ("CSV", "FAIL", ("id", "name"))


def test_a_target_that_does_not_say_how_appends() -> None:
    out = target(coalesce=3)
    del out["updateType"]
    write = plan(source(), out).by_node[9]
    assert isinstance(write, Write)
    assert (write.mode, write.coalesce, write.schema.names) == ("APPEND", 3, ("id", "name"))


def test_a_target_writes_its_columns_by_name_and_tells_what_it_leaves_out() -> None:
    assert warnings(source("id bigint, name string, note string"), target("NAME string")) == [
        "node 'node 9' (9), fieldList: not written: id, note; add them if they should be"
    ]
    assert told_target("nam string, id date") == [
        "fieldList[0].name: no column 'nam' arrives; did you mean 'name'?",
        "fieldList[1].type: 'id' is bigint, which does not cast to date",
    ]


@pytest.mark.parametrize("mode", ["OVERWRITE", "APPEND", "IGNORE"])
@pytest.mark.parametrize("prefix", ["", "/"])
def test_a_whole_bucket_is_no_target(mode: str, prefix: str) -> None:
    assert told_target(prefix=prefix, updateType=mode) == [
        f"prefix: {mode} of a whole bucket is refused; name a prefix inside the bucket"
    ]


def test_options_that_can_not_go_together_are_told() -> None:
    assert told_source(options={"delimiter": '"'}) == [
        "options.delimiter: delimiter and quote or escape are the same character"
    ]
    assert told_target(options={"delimiter": "\n"}) == ["options: a line break can't be delimiter, quote or escape"]


def test_options_of_the_wrong_kind_are_told_with_their_path() -> None:
    options = {"header": "yes", "delimiter": "||", "encoding": "EBCDIC", "mode": "DROP"}
    assert told_source(options=options) == [
        "options.header: should be true or false, not the text 'yes'",
        "options.delimiter: should have at most 1 character, not 2",
        "options.encoding: 'EBCDIC' is not allowed; one of 'UTF-8', 'UTF-16', 'LATIN-1', 'CP949' or 'EUC-KR'",
        "options.mode: 'DROP' is not allowed; one of 'NULL' or 'FAIL'",
    ]


def test_words_that_are_not_allowed_are_told_with_those_that_are() -> None:
    assert told_source(kind="XML") == ["dataType: 'XML' is not allowed; one of 'JSON', 'CSV', 'PARQUET' or 'NDJSON'"]
    assert told_target(kind="NDJSON", updateType="UPSERT") == [
        "dataType: 'NDJSON' is not allowed; one of 'JSON', 'CSV' or 'PARQUET'",
        "updateType: 'UPSERT' is not allowed; one of 'OVERWRITE', 'APPEND', 'IGNORE' or 'MERGE'",
    ]


@pytest.mark.parametrize("count", [0, -1, 10_001, 1.0, True, "3"])
def test_coalesce_is_a_whole_number_of_files(count: object) -> None:
    assert [field for _, field, _ in faults(source(), target(coalesce=count))] == ["coalesce"]


def test_columns_are_named_once_and_csv_holds_none_inside_another() -> None:
    assert told_source(columns="id int, ID int") == ["fieldList: 'ID' stands twice; names differ by more than case"]
    nested = {"name": "tags", "type": "array", "properties": fields("element int")}
    assert told_source(fieldList=[nested]) == [
        "fieldList[0].type: 'tags' is array<int>, which CSV can't hold; use PARQUET"
    ]
    assert told_source(fieldList=[]) == ["fieldList: is empty; it needs at least one entry"]


def test_a_type_that_is_none_is_told_at_its_field() -> None:
    found = told_source(fieldList=[{"name": "id", "type": "number"}, {"name": "", "type": "int"}])
    assert [text.split("; one of")[0].split(",")[0] for text in found] == [
        "fieldList[0]: 'number' is not a type",
        "fieldList[1].name: is empty",
    ]


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"bucketName": "Lake"}, "bucketName"),
        ({"bucketName": "a"}, "bucketName"),
        ({"bucketName": "10.0.0.1"}, "bucketName"),
        ({"bucketName": "../etc"}, "bucketName"),
        ({"prefix": "a/../b"}, "prefix"),
        ({"prefix": "/etc"}, "prefix"),
        ({"prefix": "a//b"}, "prefix"),
        ({"prefix": "_headrace/x"}, "prefix"),
        ({"prefix": "a/.hidden"}, "prefix"),
        ({"prefix": "a\u0000b"}, "prefix"),
    ],
)
def test_a_place_that_can_not_be_is_a_problem_before_any_run(place: dict[str, Any], field: str) -> None:
    assert faults(source(**place), target()) == [(1, field, "bad-name")]
    assert faults(source(), target(**place)) == [(9, field, "bad-name")]


def test_a_merge_is_of_the_rows_and_what_lies_there() -> None:
    write = plan(source(), target(kind="PARQUET", updateType="MERGE", mergeKeyList=["ID"])).pruned[0]
    assert isinstance(write, Write)
    assert isinstance(write.parent, Merge)
    there = write.parent.current
    assert isinstance(there, Read)
    assert (write.mode, write.parent.keys, there.place, there.exact) == ("MERGE", ("id",), write.place, True)
    assert there.schema == write.schema


def test_a_merge_without_clear_keys_is_told() -> None:
    def told(columns: str = "id bigint, name string", kind: str = "PARQUET", **more: Any) -> list[str]:
        return told_target(columns, kind=kind, **{"updateType": "MERGE", **more})

    assert told(kind="CSV") == [
        "updateType: MERGE into CSV is refused; use PARQUET",
        "mergeKeyList: MERGE needs keys; name the columns by which a row is the same",
    ]
    assert told(mergeKeyList=["idd"]) == ["mergeKeyList[0]: no column 'idd'; did you mean 'id'?"]
    assert told(mergeKeyList=["id", "ID"]) == ["mergeKeyList: 'id' stands twice; names differ by more than case"]
    assert told("id double", mergeKeyList=["id"]) == [
        "mergeKeyList[0]: 'id' is double, which can't be a key; use a column of whole values"
    ]
    assert told(updateType="APPEND", mergeKeyList=["id"]) == ["mergeKeyList: keys belong to MERGE; leave them out"]
