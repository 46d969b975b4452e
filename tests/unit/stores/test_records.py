import json
from dataclasses import replace

import pytest

from headrace.errors import StoreError
from headrace.stores.records import Added, Announcement, Record, dump, load

RECORD = Record(
    run="run1",
    attempt=2,
    mode="OVERWRITE",
    staging="run1-2",
    add=(
        Added("part-00000-run1.csv", 7, "data_0.csv"),
        Added("part-00001-run1.csv", 0, "in/data_1.csv"),
        Added("part-00002-run1.csv", 9, None),
    ),
    remove=("old.csv", "sub/한글.csv"),
)


def test_a_record_is_read_as_it_was_written() -> None:
    assert load(dump(RECORD), where="here") == RECORD


def test_a_record_of_the_first_version_is_followed() -> None:
    old = json.loads(dump(replace(RECORD, add=RECORD.add[:2])))
    assert load(json.dumps({**old, "version": 1}).encode(), where="here") == replace(RECORD, add=RECORD.add[:2])


def test_an_announcement_is_read_as_it_was_written_and_names_what_came_with_it() -> None:
    announced = load(dump(Announcement("run1", 2)), where="here")
    assert announced == Announcement("run1", 2)
    assert isinstance(announced, Announcement)
    keys = ["out/part-00001-run1.csv", "out/part-00002-run1.csv", "out/part-00003-run1", "out/part-00002-run2.csv"]
    assert [announced.names(key, "out") for key in keys] == [False, True, True, False]


@pytest.mark.parametrize("announced", [None, {}, {"run": "../x", "first": 0}, {"run": "run1", "first": "0"}])
def test_an_announcement_that_is_none_is_not_followed(announced: object) -> None:
    with pytest.raises(StoreError, match="can't be followed"):
        load(json.dumps({"version": 2, "announced": announced}).encode(), where="here")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 3},
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
        {"add": [{"name": "x.csv", "size": 1, "staged": 1}]},
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
