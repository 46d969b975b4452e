from typing import Any

import pytest

from headrace.plan.expr import All, Cast, Column, Compare, Some
from headrace.plan.ops import Join
from headrace.plan.types import BIGINT, DOUBLE, INT
from tests.support.jobs import Json, node, plan, problems, source, target

LEFT = source("id int, name string, qty int")
RIGHT = source("id bigint, name string, at double, day date", node_id=2, prefix="right")


def condition(left: str, right: str, how: str = "HEAD", operator: str = "EQ") -> Json:
    return {"leftField": left, "joinOperator": operator, "rightField": right, "conditionOperator": how}


def join(*conditions: Json, left: int = 1, right: int = 2, **more: Any) -> Json:
    given = {"joinType": "INNER", "leftNodeId": left, "rightNodeId": right, "joinConditionList": list(conditions)}
    return node("TRANSFORM_JOIN", 3, (1, 2), **{**given, **more})


def told(joined: Json) -> list[str]:
    return [text.removeprefix("node 'node 3' (3), ") for text in problems(LEFT, RIGHT, joined, OUT)]


OUT = target("qty int", parents=(3,))
SAME = condition("id", "id")


def joined(*conditions: Json, **more: Any) -> Join:
    op = plan(LEFT, RIGHT, join(*conditions, **more), OUT).by_node[3]
    assert isinstance(op, Join)
    return op


def test_left_columns_come_first_and_equal_names_of_the_right_get_the_prefix() -> None:
    assert joined(SAME).schema.names == ("id", "name", "qty", "right_id", "right_name", "at", "day")
    assert joined(SAME, prefix="r.").schema.names[3:5] == ("r.id", "r.name")


def test_the_sides_are_named_whatever_the_order_of_the_parents() -> None:
    op = joined(condition("at", "qty"), left=2, right=1)
    assert op.schema.names == ("id", "name", "at", "day", "right_id", "right_name", "qty")
    assert (op.left.node_id, op.right.node_id) == (2, 1)


def test_numbers_of_two_types_are_compared_in_one_that_holds_both() -> None:
    assert joined(SAME).condition == Compare(
        "EQ", Cast(Column("id", INT, "left"), BIGINT), Column("id", BIGINT, "right")
    )


def test_conditions_combine_from_left_to_right() -> None:
    def compared(left: str, right: str) -> Compare:
        operand = Cast(Column(left, INT, "left"), DOUBLE if right == "at" else BIGINT)
        return Compare("EQ", operand, Column(right, DOUBLE if right == "at" else BIGINT, "right"))

    conditions = (SAME, condition("qty", "id", "OR"), condition("qty", "at", "AND"))
    expected = All((Some((compared("id", "id"), compared("qty", "id"))), compared("qty", "at")))
    assert joined(*conditions).condition == expected


@pytest.mark.parametrize(
    ("conditions", "index"),
    [([condition("id", "id", "AND")], 0), ([SAME, SAME], 1), ([condition("id", "id", "OR"), SAME], 0)],
)
def test_head_marks_the_first_condition_and_only_it(conditions: list[Json], index: int) -> None:
    assert told(join(*conditions)) == [
        f"joinConditionList[{index}].conditionOperator: "
        "HEAD marks the first condition, and only it; use AND or OR after it"
    ]


def test_columns_that_are_not_there_or_not_alike_are_told_at_once() -> None:
    assert told(join(condition("idd", "di"), condition("name", "id", "AND"), condition("id", "day", "OR"))) == [
        "joinConditionList[0].leftField: no column 'idd'; did you mean 'id'?",
        "joinConditionList[1].rightField: 'name' is string and 'id' is bigint: they can't be compared; "
        "cast one of them with TRANSFORM_DEFINE before",
        "joinConditionList[2].rightField: 'id' is int and 'day' is date: they can't be compared; "
        "cast one of them with TRANSFORM_DEFINE before",
    ]


@pytest.mark.parametrize("prefix", ["", "R"])
def test_a_prefix_that_leaves_two_equal_names_is_a_problem(prefix: str) -> None:
    right = source("id bigint, Rid bigint", node_id=2, prefix="right")
    found = problems(LEFT, right, join(SAME, prefix=prefix), OUT)
    name = "'id'" if not prefix else "'Rid'"
    assert found == [f"node 'node 3' (3), prefix: {name} stands twice; choose a prefix that makes all names different"]


def test_the_sides_are_the_two_parents() -> None:
    assert told(join(SAME, left=7)) == ["leftNodeId: 7 is not a parent; the parents are 1 and 2"]
    assert told(join(SAME, right=1)) == ["rightNodeId: left and right are the same node; name the other parent"]


def test_no_condition_and_an_unknown_kind_are_problems() -> None:
    found = told(join(joinType="CROSS"))
    assert found == [
        "joinType: 'CROSS' is not allowed; one of 'INNER', 'LEFT_OUTER', 'RIGHT_OUTER' or 'FULL_OUTER'",
        "joinConditionList: is empty; it needs at least one entry",
    ]
