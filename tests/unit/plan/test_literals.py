import math
from datetime import UTC, date, datetime
from decimal import Decimal as Number

import pytest

from headrace.plan.expr import Constant
from headrace.plan.literals import parse_literal
from headrace.plan.types import (
    BIGINT,
    BINARY,
    BOOLEAN,
    DATE,
    DOUBLE,
    INT,
    STRING,
    TIMESTAMP,
    TIMESTAMP_TZ,
    TINYINT,
    Array,
    Characters,
    Decimal,
    Type,
)


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        (" 5 ", INT, 5),
        ("+007", BIGINT, 7),
        ("-128", TINYINT, -128),
        (" a ", STRING, " a "),
        ("가나다", Characters("char", 3), "가나다"),
        ("Yes ", BOOLEAN, True),
        ("0", BOOLEAN, False),
        ("1e3", DOUBLE, 1000.0),
        ("-Infinity", DOUBLE, -math.inf),
        (".5", Decimal(3, 2), Number("0.50")),
        ("2.675", Decimal(3, 2), Number("2.68")),
        ("-2.675", Decimal(3, 2), Number("-2.68")),
        ("2024-02-29", DATE, date(2024, 2, 29)),
        ("2024-01-05", TIMESTAMP, datetime(2024, 1, 5)),
        ("2024-01-05T10:00", TIMESTAMP, datetime(2024, 1, 5, 10)),
        ("2024-01-05 10:00:00.1234567", TIMESTAMP, datetime(2024, 1, 5, 10, 0, 0, 123456)),
        ("2024-01-05T10:00:00+09:00", TIMESTAMP, datetime(2024, 1, 5, 1)),
        ("2024-01-05T10:00:00-0130", TIMESTAMP_TZ, datetime(2024, 1, 5, 11, 30, tzinfo=UTC)),
        ("2024-01-05T10:00:00Z", TIMESTAMP_TZ, datetime(2024, 1, 5, 10, tzinfo=UTC)),
    ],
)
def test_a_text_is_a_value_of_its_type(text: str, type_: Type, value: Constant) -> None:
    assert parse_literal(text, type_) == value


@pytest.mark.parametrize(
    ("text", "type_", "says"),
    [
        ("1.5", INT, "'1.5' is not a whole number"),
        ("1_000", INT, "'1_000' is not a whole number"),
        ("0x1F", INT, "'0x1F' is not a whole number"),
        ("\u0665", INT, "'\u0665' is not a whole number"),
        ("", INT, "'' is not a whole number"),
        ("128", TINYINT, "128 is out of range of tinyint: -128 to 127"),
        ("1d", DOUBLE, "'1d' is not a number"),
        ("maybe", BOOLEAN, "'maybe' is not a boolean: one of true, t, yes, y, 1, false, f, no, n, 0"),
        ("NaN", Decimal(3, 2), "'NaN' is not a decimal number"),
        ("9.995", Decimal(3, 2), "9.995 is out of range of decimal(3,2)"),
        ("1e99", Decimal(38, 0), "1e99 is out of range of decimal(38,0)"),
        ("2024", DATE, "'2024' is not a date: YYYY-MM-DD"),
        ("2023-02-29", DATE, "'2023-02-29' is no day of the calendar"),
        ("2024-01-05T24:00:00", TIMESTAMP, "'2024-01-05T24:00:00' is no moment of the calendar"),
        ("noon", TIMESTAMP, "'noon' is not a timestamp: YYYY-MM-DDTHH:MM:SS[.ffffff][Z|+HH:MM]"),
        ("0001-01-01T00:00:00+01:00", TIMESTAMP, "'0001-01-01T00:00:00+01:00' is no moment of the calendar"),
        ("abcd", Characters("varchar", 3), "'abcd' is longer than 3 characters"),
        ("x", BINARY, "a text can't be a value of binary"),
        ("x", Array(INT), "a text can't be a value of array<int>"),
    ],
)
def test_a_text_that_is_no_value_is_told_with_what_would_be(text: str, type_: Type, says: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        parse_literal(text, type_)
    assert str(caught.value) == says


def test_nan_is_a_double() -> None:
    value = parse_literal("NaN", DOUBLE)
    assert isinstance(value, float)
    assert math.isnan(value)
