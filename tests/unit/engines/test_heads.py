from pathlib import Path

import pytest

from headrace.engines.heads import header, is_array, matched
from headrace.errors import BadData, SourceChanged, StoreDenied, StoreError
from headrace.plan.ops import Dialect, Read
from headrace.stores.base import StoredObject
from tests.support.jobs import plan, source, target


def stored(folder: Path, content: bytes) -> StoredObject:
    path = folder / "a.csv"
    path.write_bytes(content)
    return StoredObject("lake", "in/a.csv", len(content), "e", str(path))


def names(folder: Path, text: str | bytes, **options: str) -> tuple[str, ...]:
    content = text if isinstance(text, bytes) else text.encode()
    return header(stored(folder, content), Dialect(**options))  # type: ignore[arg-type]  # options of text alone


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id,name\n1,a\n", ("id", "name")),
        ("id,name\r\n1,a\r\n", ("id", "name")),
        ("id,name", ("id", "name")),
        ("\ufeffid,name\n", ("id", "name")),
        ('"two\nlines","a ""b""",c d\n1,2,3\n', ("two\nlines", 'a "b"', "c d")),
        ("id,,name\n", ("id", "", "name")),
        ("", ()),
        ("\n\r\n", ()),
        ("\ufeff", ()),
        ("이름,값\n", ("이름", "값")),
    ],
)
def test_the_names_are_those_of_the_first_record(tmp_path: Path, text: str, found: tuple[str, ...]) -> None:
    assert names(tmp_path, text) == found


def test_the_signs_are_those_of_the_options(tmp_path: Path) -> None:
    assert names(tmp_path, "a|'b|\\'c'\n", delimiter="|", quote="'", escape="\\") == ("a", "b|'c")


def test_a_header_may_be_longer_than_the_first_block(tmp_path: Path) -> None:
    wide = tuple(f"column_{number:06}" for number in range(20_000))
    assert names(tmp_path, ",".join(wide) + "\n1\n") == wide


def test_a_header_that_does_not_end_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"lake/in/a\.csv: the header does not end within 4 MiB; is the quote character"):
        names(tmp_path, '"' + "x" * 5_000_000)


@pytest.mark.parametrize("text", ["\nid,name\n", "\r\nid,name\r\n", "\ufeff\n\nid,name\n"])
def test_an_empty_line_before_the_header_is_told_and_not_guessed_about(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadData, match=r"lake/in/a\.csv, line 1: an empty line stands before the header; take it away"):
        names(tmp_path, text)


def test_an_object_that_can_not_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = stored(tmp_path, b"id\n")
    Path(found.location).unlink()
    with pytest.raises(SourceChanged, match=r"lake/in/a\.csv was removed after the run had listed it"):
        header(found, Dialect())
    Path(found.location).mkdir()
    with pytest.raises(StoreError, match=r"^lake/in/a\.csv: Is a directory"):
        header(found, Dialect())

    def denied(*args: object) -> object:
        raise PermissionError(13, "no")

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(StoreDenied, match=r"lake/in/a\.csv: may not read it; let the user who runs this read it"):
        header(found, Dialect())


def read(columns: str) -> Read:
    op = plan(source(columns), target(columns)).by_node[1]
    assert isinstance(op, Read)
    return op


def test_columns_are_matched_by_name_in_any_order_and_case_and_others_are_set_aside(tmp_path: Path) -> None:
    found = stored(tmp_path, b"")
    assert matched(read("id int, name string"), found, ["Extra", " NAME ", "id"]) == ("_other_1", "name", "id")


def test_an_exact_name_beats_one_that_differs_by_case(tmp_path: Path) -> None:
    found = stored(tmp_path, b"")
    assert matched(read("id int"), found, ["ID", "id", "Id"]) == ("_other_1", "id", "_other_3")


def test_two_columns_that_could_be_meant_are_told(tmp_path: Path) -> None:
    with pytest.raises(
        BadData, match=r"lake/in/a\.csv: two columns are named 'id', but for case; the header has: ID, Id"
    ):
        matched(read("id int"), stored(tmp_path, b""), ["ID", "Id"])
    with pytest.raises(BadData, match="two columns are named 'id'"):
        matched(read("id int"), stored(tmp_path, b""), ["id", "id"])


def test_a_missing_column_is_told_with_both_sides(tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        matched(read("id int, name string"), stored(tmp_path, b""), ["id", "nam"])
    assert str(caught.value) == (
        "node 'node 1' (1): lake/in/a.csv: there is no column 'name'; the header has: id, nam. fieldList has: id, name"
    )


def test_where_no_name_is_known_the_header_may_be_missing(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r'If the file has no header, set "options": {"header": false}'):
        matched(read("id int, name string"), stored(tmp_path, b""), ["1", "a"])


@pytest.mark.parametrize(("text", "array"), [(" \n[{}]", True), ('{"a": [1]}', False), ("", False), ("\ufeff[", True)])
def test_an_array_is_known_by_its_first_sign(tmp_path: Path, text: str, array: bool) -> None:
    assert is_array(stored(tmp_path, text.encode())) is array
