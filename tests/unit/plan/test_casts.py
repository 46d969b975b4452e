import pytest

from headrace.plan.casts import as_decimal, bounds, castable, comparable, kind, never_fails, orderable, widened
from headrace.plan.types import (
    BIGINT,
    BINARY,
    BOOLEAN,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    SMALLINT,
    STRING,
    TIMESTAMP,
    TIMESTAMP_TZ,
    TINYINT,
    VOID,
    Array,
    Characters,
    Decimal,
    Map,
    Type,
)

CHAR = Characters("char", 3)


@pytest.mark.parametrize(
    ("left", "right", "wider"),
    [
        (INT, INT, INT),
        (TINYINT, BIGINT, BIGINT),
        (FLOAT, DOUBLE, DOUBLE),
        (SMALLINT, FLOAT, FLOAT),
        (INT, FLOAT, DOUBLE),
        (INT, DOUBLE, DOUBLE),
        (BIGINT, DOUBLE, None),
        (BIGINT, Decimal(5, 2), Decimal(21, 2)),
        (TINYINT, Decimal(1, 1), Decimal(4, 1)),
        (Decimal(10, 2), Decimal(5, 4), Decimal(12, 4)),
        (Decimal(38, 0), Decimal(2, 2), None),
        (DOUBLE, Decimal(5, 2), None),
        (STRING, CHAR, STRING),
        (CHAR, Characters("char", 5), STRING),
        (DATE, TIMESTAMP, TIMESTAMP),
        (DATE, TIMESTAMP_TZ, None),
        (TIMESTAMP, TIMESTAMP_TZ, None),
        (STRING, INT, None),
        (BOOLEAN, INT, None),
        (VOID, INT, INT),
        (Array(INT), Array(INT), Array(INT)),
        (Array(INT), Array(BIGINT), None),
    ],
)
def test_types_widen_to_the_smallest_that_loses_nothing(left: Type, right: Type, wider: Type | None) -> None:
    assert widened(left, right) == wider
    assert widened(right, left) == wider


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [
        (INT, BIGINT, BIGINT),
        (BIGINT, DOUBLE, DOUBLE),
        (Decimal(38, 0), Decimal(2, 2), DOUBLE),
        (STRING, CHAR, STRING),
        (DATE, TIMESTAMP, TIMESTAMP),
        (DATE, DATE, DATE),
        (TIMESTAMP_TZ, TIMESTAMP_TZ, TIMESTAMP_TZ),
        (TIMESTAMP, TIMESTAMP_TZ, None),
        (STRING, INT, None),
        (BOOLEAN, INT, None),
        (BINARY, BINARY, None),
        (Array(INT), Array(INT), None),
    ],
)
def test_values_are_compared_in_a_type_of_their_own_family(left: Type, right: Type, common: Type | None) -> None:
    assert comparable(left, right) == common
    assert comparable(right, left) == common


@pytest.mark.parametrize(
    ("source", "target", "there", "fails"),
    [
        (STRING, INT, True, True),
        (STRING, STRING, True, False),
        (STRING, CHAR, True, True),
        (CHAR, STRING, True, False),
        (INT, STRING, True, False),
        (BINARY, STRING, True, True),
        (INT, BIGINT, True, False),
        (BIGINT, INT, True, True),
        (BIGINT, DOUBLE, True, False),
        (DOUBLE, INT, True, True),
        (BOOLEAN, INT, True, False),
        (BOOLEAN, Decimal(1, 0), True, False),
        (BOOLEAN, Decimal(1, 1), True, True),
        (DATE, TIMESTAMP, True, False),
        (TIMESTAMP, DATE, True, False),
        (VOID, DATE, True, False),
        (Decimal(4, 2), Decimal(6, 2), True, False),
        (Decimal(6, 2), Decimal(4, 2), True, True),
    ],
)
def test_a_cast_that_can_lose_a_value_is_known(source: Type, target: Type, there: bool, fails: bool) -> None:
    assert castable(source, target) is there
    assert never_fails(source, target) is not fails


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (INT, DATE),
        (DATE, INT),
        (INT, TIMESTAMP),
        (DATE, BOOLEAN),
        (INT, BINARY),
        (STRING, Array(INT)),
        (Array(INT), STRING),
        (Array(INT), Array(BIGINT)),
        (STRING, VOID),
    ],
)
def test_a_cast_whose_meaning_is_a_guess_does_not_exist(source: Type, target: Type) -> None:
    assert not castable(source, target)


def test_every_type_has_one_family_and_only_some_have_an_order() -> None:
    families = {
        "text": (STRING, CHAR),
        "number": (TINYINT, INT, FLOAT, DOUBLE, Decimal(3, 1)),
        "boolean": (BOOLEAN,),
        "moment": (DATE, TIMESTAMP, TIMESTAMP_TZ),
        "binary": (BINARY,),
        "void": (VOID,),
        "nested": (Array(INT), Map(STRING, INT)),
    }
    assert {name: {kind(t) for t in types} for name, types in families.items()} == {n: {n} for n in families}
    ordered = {name for name, types in families.items() if all(map(orderable, types))}
    assert ordered == {"text", "number", "boolean", "moment"}


def test_integers_know_their_bounds_and_their_decimal() -> None:
    assert bounds(TINYINT) == (-128, 127)
    assert bounds(BIGINT) == (-(2**63), 2**63 - 1)
    assert (as_decimal(SMALLINT), as_decimal(DOUBLE)) == (Decimal(5, 0), None)
