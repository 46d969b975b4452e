from tests.support.jobs import Json, node, plan, problems, source, target


def rename(**names: str) -> Json:
    listed = [{"name": name, "newName": new} for name, new in names.items()]
    return node("TRANSFORM_RENAME", 2, (1,), renameFieldList=listed)


def told(renamed: Json) -> list[str]:
    return problems(source("a int, b int, c int"), renamed, target("c int", parents=(2,)))


def test_names_change_and_places_stay() -> None:
    op = plan(source("a int, b int, c int"), rename(B="x"), target("x int", parents=(2,)))
    assert op.by_node[2].schema.names == ("a", "x", "c")


def test_a_name_may_change_its_case() -> None:
    op = plan(source("a int, b int"), rename(a="A"), target("A int", parents=(2,)))
    assert op.by_node[2].schema.names == ("A", "b")


def test_an_unknown_column_is_told_with_the_near_ones() -> None:
    assert told(rename(d="x")) == ["node 'node 2' (2), renameFieldList[0].name: no column 'd'; there is a, b, c"]


def test_a_column_is_renamed_once_and_to_a_free_name() -> None:
    assert told(rename(a="x", A="y")) == [
        "node 'node 2' (2), renameFieldList: 'A' stands twice; rename each column once"
    ]
    assert told(rename(a="C")) == [
        "node 'node 2' (2), renameFieldList: 'c' stands twice; names differ by more than case"
    ]


def test_an_empty_list_is_a_problem() -> None:
    assert told(rename()) == ["node 'node 2' (2), renameFieldList: is empty; it needs at least one entry"]
