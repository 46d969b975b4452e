import json

import pytest

from headrace.errors import StoreError
from headrace.stores.records import Added, Record, dump, load

RECORD = Record(
    run="run1",
    attempt=2,
    mode="OVERWRITE",
    staging="run1-2",
    add=(Added("part-00000-run1.csv", 7, "data_0.csv"), Added("part-00001-run1.csv", 0, "in/data_1.csv")),
    remove=("old.csv", "sub/한글.csv"),
)


def test_a_record_is_read_as_it_was_written() -> None:
    assert load(dump(RECORD), where="here") == RECORD


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"mode": "DELETE"},
        {"run": None},
        {"attempt": "1"},
        {"staging": "../other"},
        {"staging": "a/b"},
        {"remove": ["../neighbour.csv"]},
        {"remove": ["/etc/passwd"]},
        {"remove": ["_headrace/commit.json"]},
        {"remove": None},
        {"add": [{"name": "../x.csv", "size": 1, "staged": "x.csv"}]},
        {"add": [{"name": "sub/x.csv", "size": 1, "staged": "x.csv"}]},
        {"add": [{"name": "_x.csv", "size": 1, "staged": "x.csv"}]},
        {"add": [{"name": "x.csv", "size": 1, "staged": "../../secret.csv"}]},
        {"add": [{"name": "x.csv", "size": "1", "staged": "x.csv"}]},
        {"add": [{"name": "x.csv"}]},
    ],
)
def test_a_record_that_reaches_out_of_its_folder_is_not_followed(change: dict[str, object]) -> None:
    data = json.dumps({**json.loads(dump(RECORD)), **change}).encode()
    with pytest.raises(StoreError, match="the commit record 'lake/out' can't be followed"):
        load(data, where="'lake/out'")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
def test_a_record_that_is_none_is_not_followed(data: bytes) -> None:
    with pytest.raises(StoreError, match="can't be followed"):
        load(data, where="here")
