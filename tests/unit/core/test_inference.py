from pathlib import Path

import pytest

from headrace.core.inference import Suggestion, Told, suggest
from headrace.errors import BadData
from headrace.stores.files import FolderStore


def suggested(folder: Path, name: str, data: str | bytes, told: Told | None = None, rows: int = 1000) -> Suggestion:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return suggest(path, FolderStore(folder), rows=rows, told=told or Told())


def fields(found: Suggestion) -> dict[str, str]:
    return {f["name"]: f["type"] for f in found.node["fieldList"]}


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("cp949", {"encoding": "CP949"}),
        ("utf-16", {"encoding": "UTF-16"}),
    ],
)
def test_a_file_in_korean_is_read_whatever_its_encoding(codec: str, options: object, tmp_path: Path) -> None:
    found = suggested(tmp_path, "x.csv", "이름,값\n가나,1\n".encode(codec))
    assert fields(found) == {"이름": "string", "값": "int"}
    assert found.node.get("options") == options
    assert bool(found.notes) == (codec == "cp949")


def test_an_encoding_that_is_told_is_not_guessed(tmp_path: Path) -> None:
    found = suggested(tmp_path, "x.csv", "né,x\né,1\n".encode("latin-1"), Told("LATIN-1"))
    assert (fields(found), found.notes) == ({"né": "string", "x": "int"}, ())
    assert found.node["options"] == {"encoding": "LATIN-1"}
    with pytest.raises(BadData, match="there is no encoding 'KOI8'; one of UTF-8, UTF-16"):
        suggested(tmp_path, "x.csv", "a\n1\n", Told("KOI8"))
    with pytest.raises(BadData, match=r"x.csv, line 1: .* is not CP949"):
        suggested(tmp_path, "x.csv", b"a\xff\n1\n", Told("CP949"))
    with pytest.raises(BadData, match=r"x.csv, line 2: the bytes are not of the declared encoding"):
        suggested(tmp_path, "x.csv", "a\né\n".encode("latin-1"), Told("UTF-8"))


def test_records_of_other_lengths_are_told(tmp_path: Path) -> None:
    found = suggested(tmp_path, "x.csv", "a,b,c\n1,2,3\n4,5\n6,7,8,9\n1,1,1\n1,1\n")
    assert fields(found) == dict.fromkeys("abc", "int")
    assert found.notes == (
        "records with too few values: 2, the first in x.csv, line 3; a run fills them up and counts them",
        "records with too many values: 1, the first in x.csv, line 4; a run cuts them and counts them",
    )


@pytest.mark.parametrize(
    ("text", "header", "names"),
    [
        ("a,b\n1,2\n", None, ["a", "b"]),
        ("1,2\n3,4\n", None, ["column1", "column2"]),
        ("x,y\nz,w\n", None, ["x", "y"]),
        ("x,y\nz,w\n", False, ["column1", "column2"]),
        ("1,2\n3,4\n", True, ["1", "2"]),
        (",a\n0,x\n1,y\n", None, ["a"]),
    ],
)
def test_the_first_record_is_a_header_unless_it_holds_values(
    text: str, header: bool | None, names: list[str], tmp_path: Path
) -> None:
    found = suggested(tmp_path, "x.csv", text, Told(header=header))
    assert list(fields(found)) == names
    assert found.node.get("options", {}).get("header", True) == (names[0] != "column1")


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("x.csv", b"\n\n", "x.csv has no record"),
        ("x.csv", b"Report\n\na,b,c\n1,2,3\n4,5,6\n", "x.csv, line 1: a record of 1, where most have 3 values"),
        ("x.csv", b"a,a\n1,2\n", "x.csv: the header has 'a' twice"),
        ("x.csv", b'a,b\n1,"open\n2,3\n', "x.csv, line 2: a quoted value does not end"),
        ("x.csv", bytes(range(256)), "x.csv is no text: byte 1 is 0x00"),
        ("x.json", b'{"a":1}\n{"a":\n', "x.json, record 2: it is no whole JSON object"),
        ("x.json", b"5\n6\n", "x.json holds no JSON objects"),
        ("x.json", '{"a":1}\n'.encode("utf-16"), "x.json is UTF-16, and JSON is read as UTF-8 alone"),
        ("x.parquet", b"PAR1abc", "x.parquet does not read as what it seems to be"),
    ],
)
def test_what_does_not_read_is_told_in_our_own_words(name: str, data: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadData) as failed:
        suggested(tmp_path, name, data)
    assert str(failed.value).startswith(told)
    assert failed.value.hint
    assert "Error" not in str(failed.value)
    assert str(tmp_path) not in str(failed.value)


def test_rows_are_looked_at_as_many_as_told(tmp_path: Path) -> None:
    assert fields(suggested(tmp_path, "x.csv", "a\n1\n2\nx\n", rows=2)) == {"a": "int"}
