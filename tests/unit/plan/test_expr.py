import pytest

from headrace.plan.expr import (
    All,
    Call,
    Cast,
    Column,
    Compare,
    Expr,
    Finite,
    Function,
    IsNull,
    Not,
    Some,
    Value,
    columns,
    operands,
)
from headrace.plan.types import BIGINT, BOOLEAN, DATE, DOUBLE, FLOAT, INT, STRING, Decimal, Type

A, B = Column("a", INT), Column("b", INT, "right")
ONE = Value(1, INT)


@pytest.mark.parametrize(
    ("function", "given", "result"),
    [
        ("SUM", INT, BIGINT),
        ("SUM", BIGINT, BIGINT),
        ("SUM", Decimal(6, 2), Decimal(16, 2)),
        ("SUM", Decimal(30, 2), Decimal(38, 2)),
        ("SUM", FLOAT, DOUBLE),
        ("AVG", INT, DOUBLE),
        ("AVG", Decimal(6, 2), DOUBLE),
        ("MAX", DATE, DATE),
        ("MIN", STRING, STRING),
    ],
)
def test_an_aggregate_has_the_type_that_spark_gives_it(function: Function, given: Type, result: Type) -> None:
    assert Call(function, Column("x", given)).type == result


@pytest.mark.parametrize("test", [Compare("EQ", A, ONE), IsNull(A), Not(IsNull(A)), All((IsNull(A),)), Some(())])
def test_a_test_is_boolean(test: Expr) -> None:
    assert test.type == BOOLEAN


def test_a_finite_value_keeps_its_type() -> None:
    assert Finite(Column("x", FLOAT), "x").type == FLOAT


def test_every_column_of_an_expression_is_found_however_deep() -> None:
    cast = Cast(Column("c", STRING), INT, count_as="c")
    whole = All((Some((Compare("LT", A, B), Not(IsNull(cast)))), Compare("EQ", Finite(A, "a"), ONE)))
    assert list(columns(whole)) == [A, B, Column("c", STRING), A]
    assert list(columns(Call("SUM", A))) == [A]
    assert operands(ONE) == ()
