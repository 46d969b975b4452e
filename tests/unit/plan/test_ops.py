from dataclasses import replace

from headrace.plan.expr import Call, Column, Compare, Named, Value
from headrace.plan.ops import (
    Aggregate,
    Collect,
    Dialect,
    Filter,
    Join,
    Op,
    Place,
    Project,
    Read,
    Rows,
    Union,
    Write,
    in_order,
)
from headrace.plan.types import BIGINT, INT, STRING, Field, Schema

SCHEMA = Schema((Field("id", INT), Field("name", STRING)))
ID, NAME = Column("id", INT), Column("name", STRING)


def read(node_id: int = 1, prefix: str = "in") -> Read:
    return Read(
        node_id=node_id, node=f"n{node_id}", place=Place("lake", prefix), format="CSV", declared=SCHEMA, used=SCHEMA
    )


def filtered(parent: Op, value: int = 1, node_id: int = 2) -> Filter:
    return Filter(node_id=node_id, node="f", parent=parent, test=Compare("EQ", ID, Value(value, INT)))


def test_the_columns_of_each_operation_follow_from_its_parents() -> None:
    total = Named("total", Call("SUM", ID))
    left = read()
    assert left.schema == SCHEMA
    assert filtered(left).schema == SCHEMA
    assert Project(node_id=2, node="p", parent=left, columns=(Named("n", NAME),)).schema.names == ("n",)
    assert Aggregate(node_id=2, node="a", parent=left, groups=(SCHEMA["name"],), measures=(total,)).schema == Schema(
        (Field("name", STRING), Field("total", BIGINT))
    )
    assert Union(node_id=2, node="u", inputs=(left, read(3)), distinct=False).schema == SCHEMA
    assert Collect(node_id=2, node="c", parent=left).schema == SCHEMA


def test_a_fingerprint_tells_what_the_rows_depend_on_and_nothing_else() -> None:
    plain = filtered(read()).fingerprint
    assert len(plain) == 64
    assert filtered(read(7), node_id=8).fingerprint == plain
    assert filtered(read(), value=2).fingerprint != plain
    assert filtered(read(prefix="other")).fingerprint != plain
    assert filtered(replace(read(), dialect=Dialect(delimiter=";"))).fingerprint != plain
    assert filtered(filtered(read())).fingerprint != plain
    assert filtered(replace(read(), bad_values="FAIL")).fingerprint != plain


def test_the_sides_of_a_join_and_the_inputs_of_a_union_count_in_order() -> None:
    a, b = read(prefix="a"), read(prefix="b")
    condition = Compare("EQ", Column("id", INT, "left"), Column("id", INT, "right"))

    def join(left: Op, right: Op) -> str:
        return Join(
            node_id=3, node="j", left=left, right=right, kind="INNER", condition=condition, columns=()
        ).fingerprint

    def union(*inputs: Op) -> str:
        return Union(node_id=3, node="u", inputs=inputs, distinct=False).fingerprint

    assert join(a, b) != join(b, a)
    assert union(a, b) != union(b, a)
    assert union(a, b) == union(read(5, "a"), read(6, "b"))


def test_parents_come_before_children_and_a_shared_one_once() -> None:
    shared = read()
    left, right = filtered(shared, 1, 2), filtered(shared, 2, 3)
    sinks = tuple(
        Write(node_id=i, node="w", parent=parent, place=Place("lake", str(i)), format="CSV", mode="APPEND")
        for i, parent in ((4, left), (5, right))
    )
    assert [op.node_id for op in in_order(sinks)] == [1, 2, 4, 3, 5]


def test_equal_operations_of_two_nodes_stay_two() -> None:
    union = Union(node_id=3, node="u", inputs=(read(1), read(2)), distinct=False)
    assert [op.node_id for op in in_order([union])] == [1, 2, 3]


def test_an_operation_over_other_parents_is_the_same_operation() -> None:
    a, b = read(1, "a"), read(2, "b")
    assert filtered(a).with_parents([b]) == filtered(b)
    union = Union(node_id=3, node="u", inputs=(a, b), distinct=True)
    assert union.with_parents([b, a]).inputs == (b, a)
    given = Rows(node_id=1, node="r", given=SCHEMA, rows=((1, "a"),))
    assert given.with_parents([]) is given
    assert (given.parents, given.schema) == ((), SCHEMA)


def test_a_place_is_shown_as_bucket_and_prefix() -> None:
    assert str(Place("lake", "a/b")) == "lake/a/b"
