"""Odd and large data: it is read, or told with its place, and the old output stands."""

import io
import os
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tests.support.command import Place
from tests.support.jobs import node, source, target


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


MAP = {"name": "id", "type": "map", "properties": [{"name": "key", "type": "string"}, {"name": "value", "type": "int"}]}


@pytest.mark.parametrize("kind", ["JSON", "PARQUET"])
def test_a_map_with_a_key_twice_fails_a_run_that_wants_no_bad_values_and_the_old_output_stands(
    place: Place, kind: str
) -> None:
    if kind == "JSON":
        place.put("in/a.csv", '{"id": {"a": 1}}\n{"id": {"b": 1, "b": 2}}\n')
    else:
        pairs = pyarrow.array([[("a", 1)], [("b", 1), ("b", 2)]], pyarrow.map_(pyarrow.string(), pyarrow.int32()))
        buffer = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table({"id": pairs}), buffer)
        place.put("in/a.csv", buffer.getvalue())
    strict = source(kind=kind, fieldList=[MAP], options={"mode": "FAIL"})
    job = place.job(strict, target(kind="PARQUET", fieldList=[MAP]))
    done = place.call("run", job)
    assert done.code == 1
    told = "a map in column 'id' has a key twice: {b=1, b=2}; leave one of them in the data"
    assert done.error == f"node 'node 1' (1): lake/in: {told}"
    assert place.stands()


def test_a_sum_beyond_its_decimal_names_its_node_and_the_old_output_stands(place: Place) -> None:
    place.put("in/a.csv", "id\n" + ("9" * 38 + "\n") * 2)
    measure = {"name": "id", "ResultName": "id", "function": "SUM"}
    summed = node("TRANSFORM_AGGREGATE", 2, (1,), groupByList=[], aggregateFieldList=[measure])
    done = place.call("run", place.job(source("id decimal(38,0)"), summed, target("id decimal(38,0)", parents=(2,))))
    assert done.code == 1
    assert done.error.startswith("node 'node 2' (2): ")
    assert done.error.endswith("; a result is out of range of its type; cast to a wider one before")
    assert place.stands()


LONG = "x" * 50_000_000


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("CSV", f"id,name\n1,a\n2,{LONG}\n3,c\n"),
        ("CSV", f'id,name\n1,a\n2,"{LONG}"\n3,c\n'),
        ("CSV", f"id,name\n1,a\n3,\n2,{LONG}\n"),
        ("JSON", f'{{"id":1,"name":"a"}}\n{{"id":2,"name":"{LONG}"}}\n{{"id":3}}\n'),
        ("JSON", f'[{{"id":1,"name":"a"}},{{"id":2,"name":"{LONG}"}},{{"id":3}}]'),
    ],
    ids=["plain", "quoted", "last", "lines", "array"],
)
def test_a_row_of_50_mb_is_read(place: Place, kind: str, text: str) -> None:
    place.put("in/a.csv", text)
    done = place.call("run", place.job(source(kind=kind), target(kind="PARQUET")), HEADRACE_MEMORY_LIMIT="1GB")
    assert done.code == 0, done.err
    (path,) = (place.lake / "out").glob("*.parquet")
    assert [len(row["name"] or "") for row in pyarrow.parquet.read_table(path).sort_by("id").to_pylist()] in (
        [1, len(LONG), 1],
        [1, len(LONG), 0],
    )


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("CSV", "id,name\n1,a\n2,{}\n", "lake/in/a.csv, the last line: the record is longer than 64 MB; "),
        ("CSV", "id,name\n1,a\n2,{}\n3,c\n", "lake/in/a.csv, line 3: the record is longer than 64 MB; "),
        ("CSV", 'id,name\n1,a\n2,"{}"\n', "lake/in/a.csv, the last line: the record is longer than 64 MB; "),
        ("JSON", '{{"id":1,"name":"{}"}}\n', "lake/in/a.csv: an object is longer than 64 MB; "),
    ],
)
def test_a_row_that_is_too_large_is_told_with_its_place(place: Place, kind: str, text: str, told: str) -> None:
    place.put("in/a.csv", text.format("x" * (70_000_000 if kind == "CSV" else 150_000_000)))
    done = place.call("run", place.job(source(kind=kind), target()))
    assert done.code == 1
    assert done.error.startswith(f"node 'node 1' (1): {told}")
    assert place.stands()


def test_a_text_of_50_mb_goes_from_parquet_to_csv(place: Place) -> None:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"id": [1], "name": [LONG]}), buffer)
    place.put("in/a.csv", buffer.getvalue())
    done = place.call("run", place.job(source(kind="PARQUET"), target()))
    assert done.code == 0, done.err
    assert [len(content) for content in place.left().values()] == [len("id,name\n1,\n") + len(LONG)]


@pytest.mark.slow
def test_a_table_of_2000_columns_runs_within_a_minute(place: Place) -> None:
    kinds = ("int", "string", "decimal(10,2)", "date")
    columns = ", ".join(f"c{n} {kinds[n % 4]}" for n in range(2_000))
    row = ",".join(("1", "a", "1.50", "2024-01-05")[n % 4] for n in range(2_000))
    place.put("in/a.csv", ",".join(f"c{n}" for n in range(2_000)) + "\n" + f"{row}\n" * 20)
    before = os.times()
    done = place.call("run", place.job(source(columns), target(columns)))
    assert done.code == 0, done.err
    after = os.times()
    # Its time on processors: on a busy machine the clock on the wall tells of the others.
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    assert spent < 60


@pytest.mark.parametrize("damage", ["cut off", "changed inside"])
def test_damaged_parquet_is_told_with_its_file_and_the_old_output_stands(place: Place, damage: str) -> None:
    buffer = io.BytesIO()
    names = [f"name {n}" for n in range(100_000)]
    pyarrow.parquet.write_table(pyarrow.table({"id": list(range(100_000)), "name": names}), buffer)
    whole = buffer.getvalue()
    middle = len(whole) // 2
    cut, changed = whole[:middle], whole[: middle - 5_000] + b"\xff" * 10_000 + whole[middle + 5_000 :]
    place.put("in/a.csv", cut if damage == "cut off" else changed)
    done = place.call("run", place.job(source(kind="PARQUET"), target()))
    assert done.code == 1, done.err
    assert done.error.startswith("node 'node 1' (1): ")
    assert "lake/in/a.csv" in done.error
    assert done.error.endswith("look at the object; was it cut off, or written as another format?")
    assert place.stands()
