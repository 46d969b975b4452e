import json
from typing import Any

import pytest

from headrace.definition import Definition, load, of
from headrace.errors import JobInvalid
from headrace.plan.ops import Filter, Op, Read
from tests.support.jobs import Json, job, node, source, target


def refused(text: str | bytes | Json) -> list[str]:
    with pytest.raises(JobInvalid) as caught:
        load(json.dumps(text) if isinstance(text, dict) else text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "job: not JSON: expecting value at line 1, column 1"),
        ('{\n  "name": "job",\n  "nodes": [}\n', "job: not JSON: expecting value at line 3, column 13"),
        ('{"name": "job",}', "expecting property name enclosed in double quotes at line 1, column 16"),
        ('{"a": NaN}', "job: not JSON: NaN is no JSON value"),
        ('{"a": -Infinity}', "job: not JSON: -Infinity is no JSON value"),
        ('{"a": ' + "1" * 5000 + "}", "job: not JSON: a number has 5,000 digits, and may have 400"),
        ("[" * 100_000, "job: the JSON is nested too deeply"),
        (b"\xff{}", "job: not JSON: 'utf-8' codec can't decode byte 0xff"),
        ("[1]", "job: a job is a JSON object; begin with { and name, nodes"),
        ("null", "job: a job is a JSON object; begin with { and name, nodes"),
    ],
)
def test_what_is_not_json_is_told_with_its_place(text: str | bytes, says: str) -> None:
    (told,) = refused(text)
    assert says in told


def test_every_key_that_stands_twice_is_told() -> None:
    assert refused('{"name": "a", "nodes": [{"id": 1, "id": 2}], "name": "b"}') == [
        "job: the key 'id' stands twice in one object; JSON readers keep only one of them: leave one",
        "job: the key 'name' stands twice in one object; JSON readers keep only one of them: leave one",
    ]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", 5, "job, name: should be a string, not the number 5"),
        ("name", None, "job, name: should be a string, not null"),
        ("nodes", {}, "job, nodes: should be a list, not an object"),
        ("isTemp", "no", "job, isTemp: should be true or false, not the text 'no'"),
        ("type", "BATCH", "job, type: 'BATCH' is not allowed; one of 'DATAFLOW', 'VISUAL' or 'SCRIPT'"),
        ("jobCondition", {"timeout": -1}, "job, jobCondition.timeout: should be 0 or more"),
        ("jobCondition", {"timeout": 1441}, "job, jobCondition.timeout: should be 1440 or less"),
        ("jobCondition", {"numWorker": 1}, "job, jobCondition.numWorker: should be 2 or more"),
        ("jobCondition", {"workerType": "BIG"}, "job, jobCondition.workerType: 'BIG' is not allowed; one of"),
        ("maxConcurrentRuns", 0, "job, maxConcurrentRuns: should be 1 or more"),
        ("priority", 1001, "job, priority: should be 1000 or less"),
        ("retries", -1, "job, retries: should be 0 or more"),
        ("parameters", [{"name": "1a"}], "job, parameters[0].name: string should match pattern"),
        ("parameters", [{"name": "a", "type": "x"}], "job, parameters[0].type: 'x' is not allowed; one of"),
    ],
)
def test_fields_of_the_job_are_checked_with_their_path(field: str, value: Any, says: str) -> None:
    (told,) = refused({**job(source(), target()), field: value})
    assert told.startswith(says)


@pytest.mark.parametrize("name", ["abc", "_-a", "-ab", "A1_-" * 25])
def test_a_name_has_3_to_100_signs(name: str) -> None:
    assert of({**job(source(), target()), "name": name}).body.name == name


@pytest.mark.parametrize("name", ["", "ab", "1ab", "a b", "가나다", "a" * 101, "abc\n"])
def test_other_names_are_refused(name: str) -> None:
    assert [text.split(":")[0] for text in refused({**job(source(), target()), "name": name})] == ["job, name"]


def test_problems_of_the_job_and_of_its_nodes_come_together() -> None:
    told = refused(job(source("id int, id int"), target("id int"), name="a", isTemp=1))
    assert [text.split(":")[0] for text in told] == ["job, name", "job, isTemp", "node 'node 1' (1), fieldList"]


def test_a_missing_list_of_nodes_is_told_once() -> None:
    assert refused({"name": "job"}) == ["job, nodes: is missing"]


def test_an_empty_list_of_nodes_is_told_beside_other_problems_unless_it_may_be_empty() -> None:
    for draft, fields in ((False, ["name", "nodes"]), (True, ["name"])):
        with pytest.raises(JobInvalid) as caught:
            of({"nodes": [], "isTemp": draft})
        assert [problem.field for problem in caught.value.problems] == fields


def test_too_many_nodes_are_refused() -> None:
    assert refused(job(*[source(node_id=i) for i in range(5_001)])) == ["job, nodes: has 5,001 entries; at most 5,000"]


def test_fields_of_all_generations_are_read_and_others_kept_and_warned_about() -> None:
    sent = job(source(), target(), description="d", jobCondition={"timeout": 0, "nrn": "x", "speed": 9}, nrn="y")
    definition = of(sent)
    assert definition.sent == sent
    assert (definition.body.job_condition.timeout, definition.body.job_condition.num_worker) == (0, 2)
    problems, warnings = definition.checked({})
    assert problems == ()
    assert [(warning.field, warning.code) for warning in warnings] == [
        ("nrn", "unknown-field"),
        ("jobCondition.speed", "unknown-field"),
    ]


def parameterised(*specs: Json, value: str = "${who}", prefix: str = "in") -> Definition:
    where = node("TRANSFORM_FILTER", 2, (1,), filterType="AND", filterConditionList=[
        {"name": "id", "operator": "EQ", "value": value}
    ])  # fmt: skip
    return of(job(source(prefix=prefix), where, target(parents=(2,)), parameters=list(specs)))


def found(definition: Definition, kind: type[Op], **given: str) -> Op:
    return next(op for op in definition.plan(given).by_node.values() if isinstance(op, kind))


def test_parameters_are_filled_in_and_checked_as_the_type_of_their_column() -> None:
    definition = parameterised({"name": "who", "type": "string"})
    where = found(definition, Filter, who="7")
    assert isinstance(where, Filter)
    assert "value=7" in repr(where.test)
    with pytest.raises(JobInvalid, match="'id' is bigint, and 'x' is not a whole number"):
        definition.plan({"who": "x"})


def test_a_job_is_checked_without_its_parameters_but_not_run_without_them() -> None:
    definition = parameterised({"name": "who", "type": "int"})
    assert definition.checked({}) == ((), ())
    with pytest.raises(JobInvalid) as caught:
        definition.plan({})
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("missing-parameter", "parameter 'who' has no value")


def test_a_prefix_is_checked_again_after_filling() -> None:
    definition = parameterised({"name": "day", "type": "segment"}, value="1", prefix="in/${day}")
    read = found(definition, Read, day="2024-01-05")
    assert isinstance(read, Read)
    assert read.place.prefix == "in/2024-01-05"
    with pytest.raises(JobInvalid, match="control character"):
        definition.plan({"day": "a\nb"})


def test_the_same_job_can_be_planned_with_other_values() -> None:
    definition = parameterised({"name": "who", "default": "1"})
    first, second = found(definition, Filter), found(definition, Filter, who="2")
    assert first.fingerprint != second.fingerprint
    assert found(definition, Filter).fingerprint == first.fingerprint
