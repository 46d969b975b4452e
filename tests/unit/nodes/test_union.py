from headrace.plan.expr import Cast, Column, Named
from headrace.plan.ops import Project, Union
from headrace.plan.types import BIGINT, INT, STRING
from tests.support.jobs import Json, fields, node, plan, problems, source, target


def union(kind: str = "ALL") -> Json:
    return node("TRANSFORM_UNION", 3, (1, 2), unionType=kind)


def told(left: str, right: str, kind: str = "ALL") -> list[str]:
    other = source(right, node_id=2, prefix="b", kind="PARQUET")
    found = problems(source(left, kind="PARQUET"), other, union(kind), target("id int", parents=(3,)))
    return [text.removeprefix("node 'node 3' (3), ") for text in found]


def test_columns_are_matched_by_name_and_widened_in_the_order_of_the_first() -> None:
    first, second = source("id int, name string"), source("NAME string, ID bigint", node_id=2, prefix="b")
    op = plan(first, second, union(), target("id bigint", parents=(3,))).by_node[3]
    assert isinstance(op, Union)
    left, right = op.inputs
    assert isinstance(left, Project)
    assert isinstance(right, Project)
    assert left.columns == (Named("id", Cast(Column("id", INT), BIGINT)), Named("name", Column("name", STRING)))
    assert right.columns == (Named("id", Column("ID", BIGINT)), Named("name", Column("NAME", STRING)))


def test_an_input_that_fits_is_taken_as_it_is() -> None:
    op = plan(source(), source(node_id=2, prefix="b"), union(), target(parents=(3,)))
    assert op.by_node[3].parents == (op.by_node[1], op.by_node[2])


def test_a_column_that_one_parent_lacks_or_has_more_is_a_problem() -> None:
    assert told("id int, name string", "id int, nme string, extra int") == [
        "parentNodeIds: node 2 lacks column 'name'; did you mean 'nme'?",
        "parentNodeIds: node 1 lacks column 'nme' of node 2; did you mean 'name'?",
        "parentNodeIds: node 1 lacks column 'extra' of node 2; there is name",
    ]


def test_types_that_do_not_widen_are_a_problem() -> None:
    assert told("id int, at date", "id string, at timestampwithtimezone") == [
        "parentNodeIds: 'id' is int and, in node 2, string: no type holds both without loss; "
        "cast one of them with TRANSFORM_DEFINE before",
        "parentNodeIds: 'at' is date and, in node 2, timestampwithtimezone: no type holds both without loss; "
        "cast one of them with TRANSFORM_DEFINE before",
    ]


def test_nested_values_are_not_told_apart() -> None:
    nested = {"name": "id", "type": "array", "properties": fields("element int")}
    nodes = [source(node_id=i, prefix=str(i), kind="PARQUET") | {"fieldList": [nested]} for i in (1, 2)]
    out = target(parents=(3,), kind="PARQUET") | {"fieldList": [nested]}
    assert problems(*nodes, union("ALL"), out) == []
    assert problems(*nodes, union("DISTINCT"), out)[0] == (
        "node 'node 3' (3), unionType: 'id' is array<int>, whose values can't be told apart"
    )
