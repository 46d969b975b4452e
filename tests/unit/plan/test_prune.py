from typing import Any

from headrace.plan.expr import Call, Column, Named, Value
from headrace.plan.ops import Aggregate, Collect, Filter, Join, Op, Place, Project, Read, Rows, Union, Write, in_order
from headrace.plan.prune import prune
from headrace.plan.types import INT, STRING, Field, Schema
from tests.support.jobs import Json, fields, node, plan, source, target

WIDE = "id bigint, name string, qty int, note string"


def used(*nodes: Json) -> dict[int, tuple[str, ...]]:
    """The columns that each source reads."""
    return {op.node_id: op.used.names for op in in_order(plan(*nodes).pruned) if isinstance(op, Read)}


def only(kind: type[Any], *nodes: Json) -> list[Any]:
    return [op for op in in_order(plan(*nodes).pruned) if isinstance(op, kind)]


def condition(name: str, value: str) -> Json:
    return {"filterType": "AND", "filterConditionList": [{"name": name, "operator": "EQ", "value": value}]}


def test_only_what_is_written_or_tested_is_read() -> None:
    where = node("TRANSFORM_FILTER", 2, (1,), **condition("qty", "1"))
    assert used(source(WIDE), where, target("NAME string", parents=(2,))) == {1: ("name", "qty")}


def test_what_is_declared_is_still_known() -> None:
    (read,) = only(Read, source(WIDE), target("id bigint"))
    assert (read.declared.names, read.used.names) == (("id", "name", "qty", "note"), ("id",))


def test_a_shared_parent_stays_one_and_reads_what_both_need() -> None:
    pruned = plan(source(WIDE), target("id bigint"), target("qty int, note string", node_id=8, prefix="b")).pruned
    assert used(source(WIDE), target("id bigint"), target("qty int, note string", node_id=8, prefix="b")) == {
        1: ("id", "qty", "note")
    }
    first, second = (write.parent.parent for write in pruned if isinstance(write.parent, Project))
    assert first is second


def test_both_sides_of_a_join_read_what_the_condition_and_the_result_need() -> None:
    joined = node(
        "TRANSFORM_JOIN", 3, (1, 2), joinType="INNER", leftNodeId=1, rightNodeId=2,
        joinConditionList=[{"leftField": "id", "joinOperator": "EQ", "rightField": "qty", "conditionOperator": "HEAD"}],
    )  # fmt: skip
    right = source(WIDE, node_id=2, prefix="other")
    nodes = (source(WIDE), right, joined, target("name string, right_note string", parents=(3,)))
    assert used(*nodes) == {1: ("id", "name"), 2: ("qty", "note")}
    assert [c.name for c in only(Join, *nodes)[0].columns] == ["name", "right_note"]


def test_an_aggregate_keeps_its_groups_and_only_the_results_that_are_read() -> None:
    results = [
        {"name": "qty", "ResultName": "total", "function": "SUM"},
        {"name": "note", "ResultName": "last", "function": "MAX"},
    ]
    summed = node("TRANSFORM_AGGREGATE", 2, (1,), groupByList=["name"], aggregateFieldList=results)
    nodes = (source(WIDE), summed, target("total bigint", parents=(2,)))
    assert used(*nodes) == {1: ("name", "qty")}
    (aggregate,) = only(Aggregate, *nodes)
    assert aggregate.schema.names == ("name", "total")


def test_a_union_of_all_rows_drops_columns_in_one_order_for_all_inputs() -> None:
    both = node("TRANSFORM_UNION", 3, (1, 2), unionType="ALL")
    other = source("note string, qty int, name string, id bigint", node_id=2, prefix="b")
    nodes = (source(WIDE), other, both, target("note string, name string", parents=(3,)))
    assert used(*nodes) == {1: ("name", "note"), 2: ("note", "name")}
    (union,) = only(Union, *nodes)
    assert [parent.schema.names for parent in union.inputs] == [("name", "note"), ("name", "note")]


def test_a_union_of_different_rows_needs_every_column() -> None:
    both = node("TRANSFORM_UNION", 3, (1, 2), unionType="DISTINCT")
    nodes = (source(WIDE), source(WIDE, node_id=2, prefix="b"), both, target("id bigint", parents=(3,)))
    assert used(*nodes) == {1: ("id", "name", "qty", "note"), 2: ("id", "name", "qty", "note")}


def test_an_input_of_a_union_that_another_node_reads_more_of_is_narrowed_for_the_union_alone() -> None:
    both = node("TRANSFORM_UNION", 3, (1, 2), unionType="ALL")
    nodes = (
        source(WIDE),
        source(WIDE, node_id=2, prefix="b"),
        both,
        target("id bigint", parents=(3,)),
        target("name string", node_id=8, parents=(1,), prefix="names"),
    )
    assert used(*nodes) == {1: ("id", "name"), 2: ("id",)}
    (union,) = only(Union, *nodes)
    assert [parent.schema.names for parent in union.inputs] == [("id",), ("id",)]


def test_rows_that_are_only_counted_carry_no_column() -> None:
    given = Schema((Field("a", INT), Field("b", STRING)))
    read = Read(node_id=1, node="r", place=Place("lake", "in"), format="CSV", declared=given, used=given)
    one = Named("one", Call("MAX", Value(1, INT)))
    constant = Aggregate(node_id=2, node="a", parent=read, groups=(), measures=(one,))
    (pruned,) = prune([Collect(node_id=3, node="c", parent=constant)])
    assert [op.schema.names for op in in_order([pruned])] == [(), ("one",), ("one",)]


def test_a_cast_that_nobody_reads_is_not_done() -> None:
    defined = [
        {"name": "name", "newType": "int", "newName": "number"},
        {"name": "qty", "newType": "bigint", "newName": "qty"},
    ]
    cast = node("TRANSFORM_DEFINE", 2, (1,), defineFieldList=defined)
    nodes = (source(WIDE), cast, target("qty bigint", parents=(2,)))
    assert used(*nodes) == {1: ("qty",)}
    assert [c.name for c in only(Project, *nodes)[0].columns] == ["qty"]


def test_what_is_given_stays_whole() -> None:
    given = Schema((Field("a", INT), Field("b", STRING)))
    rows: Op = Rows(node_id=1, node="r", given=given, rows=((1, "x"),))
    narrow = Project(node_id=2, node="p", parent=rows, columns=(Named("a", Column("a", INT)),))
    (pruned,) = prune([Collect(node_id=3, node="c", parent=narrow)])
    assert next(op for op in in_order([pruned]) if isinstance(op, Rows)) is rows


def test_a_filter_carries_what_comes_after_it_and_what_it_tests() -> None:
    where = node("TRANSFORM_FILTER", 2, (1,), **condition("note", "x"))
    kept = node("TRANSFORM_SELECT", 3, (2,), fieldList=fields("id bigint, name string"))
    nodes = (source(WIDE), where, kept, target("id bigint", parents=(3,)))
    assert used(*nodes) == {1: ("id", "note")}
    assert [op.schema.names for op in only(Filter, *nodes)] == [("id", "note")]
    assert [op.schema.names for op in only(Write, *nodes)] == [("id",)]
