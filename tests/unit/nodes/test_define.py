from headrace.plan.expr import Cast, Column, Named
from headrace.plan.ops import Project
from headrace.plan.types import BIGINT, DATE, INT, STRING
from tests.support.jobs import Json, node, plan, problems, source, target

WIDE = "id int, name string, day date"


def define(*entries: tuple[str, str, str]) -> Json:
    listed = [{"name": name, "newType": type_, "newName": new} for name, type_, new in entries]
    return node("TRANSFORM_DEFINE", 2, (1,), defineFieldList=listed)


def told(*entries: tuple[str, str, str]) -> list[str]:
    return problems(source(WIDE), define(*entries), target("day date", parents=(2,)))


def test_named_columns_are_cast_and_renamed_and_the_others_stay_in_place() -> None:
    op = plan(
        source(WIDE), define(("NAME", "int", "number"), ("id", "bigint", "id")), target("id bigint", parents=(2,))
    )
    defined = op.by_node[2]
    assert isinstance(defined, Project)
    assert defined.columns == (
        Named("id", Cast(Column("id", INT), BIGINT, count_as=None)),
        Named("number", Cast(Column("name", STRING), INT, count_as="name")),
        Named("day", Column("day", DATE)),
    )


def test_a_type_that_is_none_or_to_which_nothing_casts_is_a_problem() -> None:
    found = told(("id", "numbr", "id"), ("day", "int", "day"), ("nme", "int", "n"))
    assert [text.split("there is ")[0].split("; one of")[0] for text in found] == [
        "node 'node 2' (2), defineFieldList[0].newType: 'numbr' is not a type",
        "node 'node 2' (2), defineFieldList[1].newType: 'day' is date, which does not cast to int",
        "node 'node 2' (2), defineFieldList[2].name: no column 'nme'; did you mean 'name'?",
    ]


def test_a_column_is_defined_once() -> None:
    assert told(("id", "bigint", "a"), ("ID", "string", "b")) == [
        "node 'node 2' (2), defineFieldList: 'ID' stands twice; define each column once"
    ]


def test_a_new_name_is_not_one_that_stays() -> None:
    assert told(("id", "bigint", "Name")) == [
        "node 'node 2' (2), defineFieldList: 'name' stands twice; names differ by more than case"
    ]


def test_an_empty_list_and_empty_names_are_problems() -> None:
    assert told() == ["node 'node 2' (2), defineFieldList: is empty; it needs at least one entry"]
    assert told(("", "int", "")) == [
        "node 'node 2' (2), defineFieldList[0].name: is empty",
        "node 'node 2' (2), defineFieldList[0].newName: is empty",
    ]
