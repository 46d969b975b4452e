import codecs
from pathlib import Path

import pytest

from headrace.engines.guesses import delimiter, encoding, is_header, usual_length
from headrace.errors import BadData
from headrace.plan.ops import Dialect
from headrace.stores.base import StoredObject

HANGUL = "이름,도시\n가나,서울\n"


def stored(folder: Path, data: bytes) -> StoredObject:
    path = folder / "x.csv"
    path.write_bytes(data)
    return StoredObject("lake", "x.csv", len(data), "", str(path))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"id,name\n1,a\n", "UTF-8"),
        (b"", "UTF-8"),
        (HANGUL.encode(), "UTF-8"),
        (codecs.BOM_UTF8 + HANGUL.encode(), "UTF-8"),
        (HANGUL.encode("cp949"), "CP949"),
        (HANGUL.encode("euc-kr"), "CP949"),
        (HANGUL.encode("utf-16"), "UTF-16"),
        (codecs.BOM_UTF16_BE + HANGUL.encode("utf-16-be"), "UTF-16"),
        (b"\0".join(b"id,name\n1,a\n"[i : i + 1] for i in range(12)) + b"\0", "UTF-16"),
        ("name,city\nJosé,Málaga\n".encode("latin-1"), "LATIN-1"),
    ],
)
def test_an_encoding_is_found_by_its_bytes(data: bytes, name: str, tmp_path: Path) -> None:
    assert encoding(stored(tmp_path, data)) == name


def test_a_character_that_is_cut_where_looking_ends_is_no_fault(tmp_path: Path) -> None:
    size = 4 * 1024 * 1024
    assert encoding(stored(tmp_path, b"a" * (size - 1) + "가".encode() + b"\n")) == "UTF-8"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), r"x.csv is no text: byte 7 is 0x1A"),
        ("id,name\n1,a\n".encode("utf-16-be"), "x.csv is UTF-16 with the high byte first, and has no mark"),
    ],
)
def test_what_can_not_be_read_as_text_is_told(data: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=told):
        encoding(stored(tmp_path, data))


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2\n1,6;3\n", ";"),
        ("a\tb\tc\n1\t2\t3\n4\t5\n", "\t"),
        ("a,b,c\n1,2,3\n4,5\n6,7,8,9\n", ","),
        ("id\n1\n2\n", ","),
        ('a,b\n"x;y",2\n"z;w",3\n', ","),
        ("", ","),
    ],
)
def test_the_delimiter_parts_most_records_alike(text: str, sign: str) -> None:
    assert delimiter(text) == sign


def test_a_record_that_is_cut_at_the_end_does_not_count() -> None:
    assert usual_length("a,b\n1,2\n3", Dialect()) == 2
    assert usual_length("", Dialect()) == 0


@pytest.mark.parametrize("record", [["id", "name"], ["이름"], ["", "a"], ["t", "y"], ["2024 sales", "x"]])
def test_names_are_a_header(record: list[str]) -> None:
    assert is_header(record)


@pytest.mark.parametrize("record", [["1", "a"], ["a", "2024-01-05"], ["true", "x"], ["", ""], ["a", " 1.5 "], []])
def test_values_are_no_header(record: list[str]) -> None:
    assert not is_header(record)
