from tests.support.jobs import Json, fields, node, plan, problems, source, target


def select(columns: str) -> Json:
    return node("TRANSFORM_SELECT", 2, (1,), fieldList=fields(columns))


def told(selected: Json) -> list[str]:
    return problems(source("id bigint, name string"), selected, target("id bigint", parents=(2,)))


def test_columns_come_in_the_given_order_under_the_given_names() -> None:
    op = plan(source("id bigint, name string"), select("Name string, id bigint"), target("id bigint", parents=(2,)))
    assert op.by_node[2].schema.names == ("Name", "id")


def test_an_unknown_column_another_type_and_a_repeat_are_problems() -> None:
    assert told(select("nam string, id int")) == [
        "node 'node 2' (2), fieldList[0].name: no column 'nam'; did you mean 'name'?",
        "node 'node 2' (2), fieldList[1].type: 'id' is bigint, not int; "
        "write 'bigint' here, or cast it with TRANSFORM_DEFINE before",
    ]
    assert told(select("id bigint, ID bigint")) == [
        "node 'node 2' (2), fieldList: 'ID' stands twice; keep each column once"
    ]


def test_an_empty_list_is_a_problem() -> None:
    empty = node("TRANSFORM_SELECT", 2, (1,), fieldList=[])
    assert told(empty) == ["node 'node 2' (2), fieldList: is empty; it needs at least one entry"]
