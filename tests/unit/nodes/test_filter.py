import pytest

from headrace.plan.expr import All, Column, Compare, Some, Value
from headrace.plan.ops import Filter
from headrace.plan.types import BIGINT, STRING
from tests.support.jobs import Json, faults, node, plan, problems, source, target

SOURCE = source("id bigint, name string, day date")


def condition(name: str, value: str, operator: str = "EQ") -> Json:
    return {"name": name, "operator": operator, "value": value}


def where(*conditions: Json, kind: str = "AND") -> Json:
    return node("TRANSFORM_FILTER", 2, (1,), filterType=kind, filterConditionList=list(conditions))


def told(*conditions: Json, kind: str = "AND") -> list[str]:
    return problems(SOURCE, where(*conditions, kind=kind), target("id bigint", parents=(2,)))


@pytest.mark.parametrize(("kind", "whole"), [("AND", All), ("OR", Some)])
def test_conditions_compare_in_the_type_of_the_column(kind: str, whole: type[All] | type[Some]) -> None:
    node_ = where(condition("ID", " 9 ", "GTE"), condition("name", "9"), kind=kind)
    op = plan(SOURCE, node_, target("id bigint", parents=(2,))).by_node[2]
    assert isinstance(op, Filter)
    assert op.test == whole(
        (
            Compare("GTE", Column("id", BIGINT), Value(9, BIGINT)),
            Compare("EQ", Column("name", STRING), Value("9", STRING)),
        )
    )


def test_all_that_is_wrong_with_all_conditions_is_told_at_once() -> None:
    assert told(condition("nam", "A"), condition("id", "many"), condition("day", "2024-02-30")) == [
        "node 'node 2' (2), filterConditionList[0].name: no column 'nam'; did you mean 'name'?",
        "node 'node 2' (2), filterConditionList[1].value: 'id' is bigint, and 'many' is not a whole number",
        "node 'node 2' (2), filterConditionList[2].value: 'day' is date, and '2024-02-30' is no day of the calendar",
    ]


def test_what_has_no_order_is_not_compared() -> None:
    bytes_ = source("raw binary", kind="PARQUET")
    found = faults(bytes_, where(condition("raw", "x")), target("raw binary", parents=(2,), kind="PARQUET"))
    assert found == [(2, "filterConditionList[0].name", "type-mismatch")]


def test_words_that_are_not_allowed_are_told_with_those_that_are() -> None:
    found = told(condition("id", "1", "LIKES"), kind="XOR")
    assert [text.split(";")[0] for text in found] == [
        "node 'node 2' (2), filterType: 'XOR' is not allowed",
        "node 'node 2' (2), filterConditionList[0].operator: 'LIKES' is not allowed",
    ]
    assert "one of 'AND' or 'OR'" in found[0]
    assert "'EQ'" in found[1]


def test_an_empty_list_and_a_missing_one_are_problems() -> None:
    assert told() == ["node 'node 2' (2), filterConditionList: is empty; it needs at least one entry"]
    bare = node("TRANSFORM_FILTER", 2, (1,), filterType="AND")
    assert problems(SOURCE, bare, target("id bigint", parents=(2,))) == [
        "node 'node 2' (2), filterConditionList: is missing"
    ]
