import pytest

from headrace.core.conditions import Condition, merged, place
from headrace.errors import BadParameter

STORED = Condition(timeout=5, script_path="b/s/", log_path="b/l/")


def test_a_field_that_is_left_out_keeps_its_value_and_an_empty_place_too() -> None:
    assert merged(STORED, {}) == STORED
    assert merged(STORED, {"scriptPath": "", "nrn": "x"}) == Condition("DEFAULT", 2, 5, "x", "b/s/", "b/l/")


def test_what_is_stored_is_read_again_as_it_was() -> None:
    assert Condition.of(STORED.as_json()) == STORED
    assert "consoleLogPath" not in STORED.as_json()


def test_a_place_is_a_bucket_with_or_without_a_folder() -> None:
    assert merged(STORED, {"scriptPath": "bucket", "logPath": "bucket/a/b"}).script_path == "bucket/"
    assert place("bucket/a/b/") == ("bucket", "a/b")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"timeout": "5"}, "jobCondition.timeout"),
        ({"nrn": None}, "jobCondition.nrn"),
        (5, "jobCondition"),
        ({"scriptPath": "B/scripts"}, "jobCondition.scriptPath"),
        ({"scriptPath": "/scripts"}, "jobCondition.scriptPath"),
        ({"logPath": "bucket/../other"}, "jobCondition.logPath"),
        ({"logPath": "bucket//a"}, "jobCondition.logPath"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(sent: object, field: str) -> None:
    with pytest.raises(BadParameter) as caught:
        merged(STORED, sent)
    assert [problem.field for problem in caught.value.problems] == [field]
