"""Aggregates, joins, unions, comparisons and names: the same rows and column types on both engines."""

from decimal import Decimal as Number
from pathlib import Path
from typing import get_args

import pytest

from headrace.errors import RunFailed
from headrace.nodes.examples import Table
from headrace.plan.expr import (
    All,
    Call,
    Column,
    Compare,
    Comparison,
    Constant,
    Expr,
    Function,
    IsNull,
    Named,
    Some,
    Value,
)
from headrace.plan.ops import Aggregate, Filter, Join, JoinKind, Merge, Op, Project, Union
from headrace.plan.types import Field, Schema, parse_type
from tests.parity.running import WHY_SKIPPED, Spark, sail_fault, spark_columns
from tests.support import casts
from tests.support.plans import Rows, collected

pytest.importorskip("pysail", reason=WHY_SKIPPED)

NAN, INF = float("nan"), float("inf")
TOP = 9223372036854775807


def alike(op: Op, spark: Spark, folder: Path) -> Rows:
    """The rows, the same on both engines and of the types that the plan says."""
    ran, ours = spark.run(op), collected(op, folder)
    assert ran.columns == spark_columns(op.schema)
    left, right = sorted(ours, key=repr), sorted(ran.rows, key=repr)
    assert len(left) == len(right), (left, right)
    for a, b in zip(left, right, strict=True):
        assert all(map(casts.same, a, b)), (a, b)
    return ours


def column(op: Op, name: str) -> Column:
    return Column(name, op.schema[name].type)


def totals(table: Table, *functions: Function, by: tuple[str, ...] = ()) -> Op:
    rows = table.operation(1)
    measures = tuple(Named(f.lower(), Call(f, column(rows, "x"))) for f in functions)
    groups = tuple(rows.schema[name] for name in by)
    return Aggregate(node_id=2, node="totals", parent=rows, groups=groups, measures=measures)


def kept(table: Table, test: Expr) -> Op:
    return Filter(node_id=2, node="kept", parent=table.operation(1), test=test)


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("tinyint", (127, 127, 127, -1, None)),
        ("smallint", (32767, 32767, None)),
        ("int", (2147483647, 2147483647, 2147483647)),
        ("bigint", (TOP - 1, 1, None)),
        ("float", (0.5, 0.25, 3e38, None)),
        ("double", (0.5, 0.25, 1e300, None)),
        ("decimal(10,2)", (Number("99999999.99"), Number("0.01"), None)),
        ("decimal(38,2)", (Number("1.25"), Number("2.50"))),
        ("decimal(1,1)", (Number("0.9"), Number("0.9"), Number("0.9"))),
    ],
)
def test_sums_widen_and_averages_are_doubles(
    type_: str, values: tuple[object, ...], spark: Spark, tmp_path: Path
) -> None:
    table = Table.of(f"x {type_}", *((v,) for v in values))  # type: ignore[arg-type]  # constants of that type
    alike(totals(table, "SUM", "AVG", "MIN", "MAX"), spark, tmp_path)


TOO_MUCH: dict[str, tuple[Constant, ...]] = {"bigint": (TOP, 1), "decimal(38,0)": (Number("9" * 38), Number(1))}


def too_much(type_: str) -> Op:
    return totals(Table.of(f"x {type_}", *((v,) for v in TOO_MUCH[type_])), "SUM")


@pytest.mark.parametrize("type_", TOO_MUCH)
def test_a_sum_past_its_type_is_an_error(type_: str, tmp_path: Path) -> None:
    with pytest.raises(RunFailed):
        collected(too_much(type_), tmp_path)


@pytest.mark.parametrize(
    "type_",
    [
        pytest.param("bigint", marks=sail_fault("a sum of bigints wraps")),
        pytest.param("decimal(38,0)", marks=sail_fault("a sum of decimals grows past its precision")),
    ],
)
def test_a_sum_past_its_type_is_an_error_on_spark(type_: str, spark: Spark) -> None:
    with pytest.raises(Exception, match=r"(?i)overflow|cannot be represented"):
        spark.run(too_much(type_))


@pytest.mark.parametrize("type_", ["float", "double"])
@pytest.mark.parametrize("values", [(1.0, NAN, INF, None), (-INF, INF, 1.0), (None, None), (-0.0, 0.0), ()])
def test_the_extremes_know_nan_as_the_largest(
    type_: str, values: tuple[float | None, ...], spark: Spark, tmp_path: Path
) -> None:
    alike(totals(Table.of(f"x {type_}", *((v,) for v in values)), "MIN", "MAX", "SUM", "AVG"), spark, tmp_path)


@pytest.mark.parametrize("type_", ["boolean", "string", "date", "timestamp", "decimal(10,2)"])
def test_the_extremes_of_nothing_are_null(type_: str, spark: Spark, tmp_path: Path) -> None:
    assert alike(totals(Table.of(f"x {type_}"), "MIN", "MAX"), spark, tmp_path) == ((None, None),)


def test_nulls_and_nans_make_groups(spark: Spark, tmp_path: Path) -> None:
    table = Table.of(
        "k double, s string, x int",
        (None, "a", 1), (None, "a", 2), (NAN, "a", 3), (NAN, "a", 4), (0.0, "", 5), (-0.0, "", 6), (0.0, None, 7),
    )  # fmt: skip
    rows = alike(totals(table, "SUM", by=("k", "s")), spark, tmp_path)
    assert sorted(row[-1] for row in rows) == [3, 7, 7, 11]


LEFT = Table.of("a int, b string", (1, "x"), (2, None), (None, "y"), (None, None), (4, "z"))
RIGHT = Table.of("c int, d string", (1, "x"), (1, None), (None, "y"), (3, "z"))


@pytest.mark.parametrize("how", get_args(JoinKind))
@pytest.mark.parametrize("shape", ["equal", "range", "or", "and"])
def test_joins_give_the_same_pairs(how: JoinKind, shape: str, spark: Spark, tmp_path: Path) -> None:
    left, right = LEFT.operation(1), RIGHT.operation(2)
    a, b = (Column(f.name, f.type, "left") for f in left.schema)
    c, d = (Column(f.name, f.type, "right") for f in right.schema)
    keys, names = Compare("EQ", a, c), Compare("EQ", b, d)
    condition: dict[str, Expr] = {
        "equal": keys,
        "range": All((Compare("GTE", a, c), Compare("LT", a, Value(4, a.type)))),
        "or": Some((keys, names)),
        "and": All((keys, names)),
    }
    columns = tuple(Named(x.name, x) for x in (a, b, c, d))
    op = Join(node_id=3, node="join", left=left, right=right, kind=how, condition=condition[shape], columns=columns)
    alike(op, spark, tmp_path)


def test_a_distinct_union_knows_null_nan_and_zero(spark: Spark, tmp_path: Path) -> None:
    first = Table.of("x double, s string", (NAN, None), (0.0, ""), (None, None))
    second = Table.of("x double, s string", (NAN, None), (-0.0, ""), (None, None), (None, ""))
    inputs = (first.operation(1), second.operation(2))
    assert len(alike(Union(node_id=3, node="union", inputs=inputs, distinct=True), spark, tmp_path)) == 4
    assert len(alike(Union(node_id=3, node="union", inputs=inputs, distinct=False), spark, tmp_path)) == 7


@pytest.mark.parametrize("sign", get_args(Comparison))
@pytest.mark.parametrize("against", [NAN, INF, 0.0])
def test_a_comparison_puts_nan_on_top_and_drops_null(
    sign: Comparison, against: float, spark: Spark, tmp_path: Path
) -> None:
    table = Table.of("i int, x double", (1, NAN), (2, INF), (3, 0.0), (4, -0.0), (5, None), (6, -INF))
    x = column(table.operation(1), "x")
    alike(kept(table, Compare(sign, x, Value(against, x.type))), spark, tmp_path)


WORDS = (
    "가나",
    "it's",
    'say "so"',
    "a\\b",
    "\\n",
    "line\nbreak",
    "",
    " ",
    "`",
    "${env:HOME}",
    "%_",
    "--",
    "e\u0301",
    "é",
)


@pytest.mark.parametrize("word", WORDS)
def test_a_text_is_compared_as_it_stands(word: str, spark: Spark, tmp_path: Path) -> None:
    table = Table.of("x string", *((w,) for w in WORDS), (None,))
    x = column(table.operation(1), "x")
    assert alike(kept(table, Compare("EQ", x, Value(word, x.type))), spark, tmp_path) == ((word,),)
    alike(kept(table, Compare("GT", x, Value(word, x.type))), spark, tmp_path)


NAMES = (
    "a b",
    'q"q',
    "q'q",
    "b`b",
    "d.d",
    "가나",
    "select",
    "1",
    "UPPER",
    "l",
    "r",
    "x-y",
    "${env:HOME}",
    "back\\slash",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_any_text(name: str, spark: Spark, tmp_path: Path) -> None:
    schema = Schema((Field(name, parse_type("int")), Field("other", parse_type("int"))))
    rows = Table(schema, ((1, 2), (None, 3))).operation(1)
    x = column(rows, name)
    few = Filter(node_id=2, node=f"few {name}", parent=rows, test=IsNull(x))
    op = Project(node_id=3, node="kept", parent=few, columns=(Named(f"{name} again", x), Named(name, x)))
    assert alike(op, spark, tmp_path) == ((None, None),)
    measures = (Named("n", Call("SUM", Column("other", x.type))),)
    alike(
        Aggregate(node_id=2, node="sum", parent=rows, groups=(rows.schema[name],), measures=measures), spark, tmp_path
    )


def test_a_name_is_found_in_any_case(spark: Spark, tmp_path: Path) -> None:
    rows = Table.of("Name string, x int", ("A", 1), ("b", 2)).operation(1)
    test = Compare("EQ", Column("NAME", parse_type("string")), Value("A", parse_type("string")))
    op = Filter(node_id=2, node="kept", parent=rows, test=test)
    assert alike(op, spark, tmp_path) == (("A", 1),)


def test_a_node_that_two_others_read_gives_both_the_same_rows(spark: Spark, tmp_path: Path) -> None:
    rows = Table.of("x int", (1,), (2,)).operation(1)
    op = Union(node_id=2, node="twice", inputs=(rows, rows), distinct=False)
    assert sorted(alike(op, spark, tmp_path)) == [(1,), (1,), (2,), (2,)]


def test_a_merge_replaces_equal_keys_and_keeps_the_rest(spark: Spark, tmp_path: Path) -> None:
    there = Table.of("k int, l string, v double", (1, "a", 0.5), (1, "b", 1.5), (None, "a", 2.5), (2, "a", 3.5))
    new = Table.of("k int, l string, v double", (1, "b", 9.5), (3, "a", None))
    op = Merge(node_id=3, node="merge", current=there.operation(1), incoming=new.operation(2), keys=("k", "l"))
    assert sorted(alike(op, spark, tmp_path), key=repr) == sorted(
        [(1, "a", 0.5), (1, "b", 9.5), (3, "a", None), (None, "a", 2.5), (2, "a", 3.5)], key=repr
    )
