from typing import Any

import pytest

from headrace.definition import of
from headrace.graph import read_node
from headrace.nodes.base import Node
from headrace.parameters import ParameterSpec, fill, resolve
from tests.support.jobs import Json, job, node, source, target


def spec(name: str, type_: str = "string", **more: Any) -> ParameterSpec:
    return ParameterSpec.model_validate({"name": name, "type": type_, **more})


def told(specs: list[ParameterSpec], **given: str) -> list[str]:
    return [problem.message for problem in resolve(specs, given)[1]]


def test_what_is_given_beats_the_default() -> None:
    specs = [spec("a", default="1"), spec("b", default="2"), spec("c", default="")]
    assert resolve(specs, {"b": "3"}) == ({"a": "1", "b": "3", "c": ""}, [])


def test_a_job_without_parameters_says_so() -> None:
    assert [(problem.message, problem.hint) for problem in resolve((), {"day": "1"})[1]] == [
        ("there is no parameter 'day'", "the job has no parameters")
    ]


def test_what_is_missing_unknown_or_declared_twice_is_told() -> None:
    assert told([spec("day"), spec("day"), spec("hour")], dya="x", day="1") == [
        "parameter 'day' is declared twice",
        "there is no parameter 'dya'",
        "parameter 'hour' has no value",
    ]
    (problem,) = resolve([spec("day", default="1")], {"dya": "x"})[1]
    assert (problem.hint, problem.code, problem.field) == ("did you mean 'day'?", "unknown-parameter", "parameters")


@pytest.mark.parametrize(
    ("type_", "value", "fault"),
    [
        ("int", "12", ""),
        ("int", "1.5", "'1.5' is not a whole number"),
        ("date", "2024-02-29", ""),
        ("date", "yesterday", "'yesterday' is not a date: YYYY-MM-DD"),
        ("timestamp", "2024-01-05T10:00:00", ""),
        ("timestamp", "10:00", "'10:00' is not a timestamp: YYYY-MM-DDTHH:MM:SS[.ffffff][Z|+HH:MM]"),
        ("string", "'; DROP TABLE x --", ""),
        ("segment", "year=2024", ""),
        *(
            (
                "segment",
                value,
                f"{value!r} is not one part of a path: not empty, without '/', not beginning with '.' or '_'",
            )
            for value in ("", "a/b", "..", ".hidden", "_headrace", "/")
        ),
    ],
)
def test_a_value_is_of_the_declared_type(type_: str, value: str, fault: str) -> None:
    assert told([spec("p", type_)], p=value) == ([f"parameter 'p': {fault}"] if fault else [])


def test_samples_stand_in_for_values_that_are_not_given() -> None:
    specs = [spec(name, name) for name in ("string", "int", "date", "timestamp", "segment")]
    values, problems = resolve(specs, {}, samples=True)
    assert problems == []
    assert set(values) == {"string", "int", "date", "timestamp", "segment"}


def read(sent: Json) -> Node:
    found = read_node(sent, 0)
    assert isinstance(found, Node), found
    return found


def filled(sent: Json, *specs: ParameterSpec, **values: str) -> tuple[Json, list[tuple[str, str]]]:
    done, problems = fill(read(sent), specs, values)
    return done.model_dump(by_alias=True), [(problem.field, problem.message) for problem in problems]


def where(value: str) -> Json:
    conditions = [{"name": "id", "operator": "EQ", "value": value}]
    return node("TRANSFORM_FILTER", 2, (1,), filterType="AND", filterConditionList=conditions)


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        ("${a}", "1"),
        ("x${a}y${b}", "x1y${a}"),
        ("$${a}", "${a}"),
        ("$${a}${a}", "${a}1"),
        ("$a {a}", "$a {a}"),
        ("${a", "${a"),
    ],
)
def test_uses_are_replaced_once_and_a_doubled_dollar_is_a_plain_one(text: str, gives: str) -> None:
    done, problems = filled(where(text), spec("a"), spec("b"), a="1", b="${a}")
    assert (done["filterConditionList"][0]["value"], problems) == (gives, [])


def test_a_use_of_what_is_not_declared_is_told_with_its_place() -> None:
    assert filled(where("${aa} ${}"), spec("a"), a="1")[1] == [
        ("filterConditionList[0].value", "there is no parameter 'aa'"),
        ("filterConditionList[0].value", "there is no parameter ''"),
    ]


def test_only_a_segment_stands_in_a_prefix() -> None:
    done, problems = filled(source(prefix="in/${day}/${n}"), spec("day", "segment"), spec("n", "int"), day="d", n="1")
    assert done["prefix"] == "in/d/1"
    assert problems == [("prefix", "parameter 'n' is a int, not part of a path")]


@pytest.mark.parametrize("field", ["bucketName", "regionNo", "name"])
def test_parameters_never_reach_names(field: str) -> None:
    sent: Json = {field: "${a}"}
    done, problems = filled(source(**sent), spec("a", "segment"), a="x")
    assert (done[field], problems) == ("${a}", [])


def test_columns_and_operators_are_no_values() -> None:
    conditions = [{"name": "${a}", "operator": "EQ", "value": "1"}]
    sent = node("TRANSFORM_FILTER", 2, (1,), filterType="AND", filterConditionList=conditions)
    assert filled(sent, spec("a"), a="x")[0]["filterConditionList"][0]["name"] == "${a}"


def test_what_fills_gaps_and_where_a_text_is_cut_are_values() -> None:
    gaps = [{"name": "day", "defaultValue": "${day}"}, {"name": "id", "defaultValue": "1${n}"}]
    fills = node("TRANSFORM_FILL_MISSING_VALUES", 2, (1,), missingValueFieldList=gaps)
    done, problems = filled(fills, spec("day", "date"), spec("n", "int"), day="2024-02-29", n="7")
    assert [gap["defaultValue"] for gap in done["missingValueFieldList"]] == ["2024-02-29", "17"]
    splits = node("TRANSFORM_SPLIT_FIELD", 2, (1,), fieldName="name", delimiter="${cut}", newFieldList=["a", "b"])
    assert filled(splits, spec("cut"), cut="--")[0]["delimiter"] == "--"
    assert problems == []


def told_of_job(*nodes: Json, given: dict[str, str]) -> list[str]:
    declared = [{"name": "p", "type": "string"}, {"name": "n", "type": "int"}]
    problems, _ = of(job(*nodes, parameters=declared)).checked(given)
    return [str(problem) for problem in problems]


def test_a_filled_value_is_checked_as_a_value_of_its_column() -> None:
    gaps = node(
        "TRANSFORM_FILL_MISSING_VALUES", 2, (1,), missingValueFieldList=[{"name": "id", "defaultValue": "${p}"}]
    )
    nodes = (source(), gaps, target(parents=(2,)))
    assert told_of_job(*nodes, given={"p": "7"}) == []
    assert told_of_job(*nodes, given={"p": "x"}) == [
        "node 'node 2' (2), missingValueFieldList[0].defaultValue: 'id' is bigint, and 'x' is not a whole number"
    ]
    splits = node("TRANSFORM_SPLIT_FIELD", 2, (1,), fieldName="name", delimiter="${p}", newFieldList=["a", "b"])
    assert told_of_job(source(), splits, target(parents=(2,)), given={"p": ""}) == [
        "node 'node 2' (2), delimiter: a delimiter has 1 to 100 signs"
    ]


def test_a_node_without_uses_is_the_same_node() -> None:
    given = read(where("1"))
    assert fill(given, [spec("a")], {"a": "1"})[0] is given
