"""Long numbers in JSON: every digit arrives, and nothing else of a file changes."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.engines import exact
from headrace.stores.base import StoredObject
from tests.support.jobs import source, target
from tests.support.lake import Lake

LONG = "12345678901234567890.123456789012345678"
FOUND = StoredObject("lake", "in/a", 1, "", "/a")


def rewritten(text: str, folder: Path) -> str:
    made = exact.with_long_numbers_as_texts(FOUND, io.BytesIO(text.encode()), folder, lambda: None)
    return Path(made.location).read_bytes().decode()


def test_only_long_numbers_with_a_fraction_or_an_exponent_become_texts(tmp_path: Path) -> None:
    long = '{"a":-%s,"b":12345678901234567890,"c":[1.5, 1.2345678901234567e-5 ],"d":"x %s \\" %s"}\n'
    text = long % (LONG, LONG, LONG) + '{"이름": "가", "a": 1.25}\r\n\n'
    wanted = text.replace(f"-{LONG}", f'"-{LONG}"').replace("1.2345678901234567e-5", '"1.2345678901234567e-5"')
    assert rewritten(text, tmp_path) == wanted


@given(st.data())
def test_where_the_file_is_cut_into_blocks_makes_no_difference(data: st.DataObject) -> None:
    leaves = st.sampled_from([Decimal(LONG), Decimal("0.1"), 'x"\\', f' {LONG}"', "", 12345678901234567890123])
    values = data.draw(st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text('a"\\1.'), inner)))

    def shown(value: object) -> str:
        if isinstance(value, list):
            return "[" + ", ".join(map(shown, value)) + "]"
        if isinstance(value, dict):
            return "{" + ",".join(f"{json.dumps(k)} :{shown(v)}" for k, v in value.items()) + "}"
        return str(value) if isinstance(value, Decimal) else json.dumps(value)

    text = shown(values).encode()
    block = data.draw(st.integers(1, 40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "_BLOCK", block)
        parts = list(exact._parts(io.BytesIO(text), lambda: None))
        found = exact.has_long_numbers(io.BytesIO(text), lambda: None)
    assert b"".join(parts) == text
    made = b"".join(map(exact._quoted, parts))
    assert made == exact._quoted(text)
    assert json.loads(made, parse_float=Decimal) == json.loads(made, parse_float=_short)
    assert found == exact._has_long(text)


def _short(text: str) -> Decimal:
    assert len(text) <= exact.DIGITS + 1, text
    return Decimal(text)


@pytest.mark.parametrize("type_", ["decimal(38,18)", "array"])
def test_what_a_json_target_writes_is_read_back_exactly(type_: str, tmp_path: Path) -> None:
    field = {"name": "d", "type": type_, "properties": [{"name": "element", "type": "decimal(38,18)"}]}
    fields = [{"name": "d", "type": type_}] if type_ != "array" else [field]
    value = LONG if type_ != "array" else f"[{LONG}, null]"
    first, second = Lake(tmp_path / "1"), Lake(tmp_path / "2")
    first.put("in/a.json", f'{{"d": {value.replace(LONG, chr(34) + LONG + chr(34))}}}\n')
    first.run(source(kind="JSON", fieldList=fields), target(kind="JSON", fieldList=fields))
    assert first.text() == f'{{"d":{value.replace(" ", "")}}}\n'
    second.put("in/a.json", first.text())
    second.run(source(kind="JSON", fieldList=fields), target(kind="JSON", fieldList=fields))
    assert second.text() == first.text()


def test_an_array_of_objects_and_a_bad_value_keep_their_places(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.put("in/a.json", f'[{{"d": {LONG}, "n": 1.10}},\n {{"d": "x"}}]')
    outcome = lake.run(source("d decimal(38,18), n double", kind="JSON"), target("d decimal(38,18), n double"))
    assert lake.rows() == [["", ""], [LONG, "1.1"]]
    assert outcome.bad_values == {1: {"d": 1, "n": 0}}


def test_a_source_without_such_decimals_is_not_copied(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.put("in/a.json", f'{{"d": {LONG}}}')
    lake.run(source("d double", kind="JSON"), target("d double"))
    assert not (tmp_path / "spill").exists() or list((tmp_path / "spill").iterdir()) == []
