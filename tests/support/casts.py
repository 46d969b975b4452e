# ruff: noqa: RUF001  # signs that look like others are what is tested
"""Values and the types they are cast to: the table that every engine answers alike."""

import math
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from typing import Any

from headrace.plan.casts import castable
from headrace.plan.expr import Cast, Column, Constant, Expr, Named
from headrace.plan.literals import parse_literal
from headrace.plan.ops import Op, Project, Rows
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
    Characters,
    Decimal,
    Field,
    Schema,
    Type,
)

NUMBERS = (
    " 5 ", "+5", "-5", "1.5", "-1.5", "1e3", "1E+3", "1e-3", "0x1F", "1_000", "007", "", " ", "5.", ".5", ".", "+", "-",
    "--5", "e5", "1e", "1,5", "1 000", "127", "128", "-128", "-129", "32768", "2147483647", "2147483648",
    "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "99999999.99",
    "99999999.994", "99999999.995", "1.005", "-1.005", "2.675", "0.1", "-0", "-0.0", "NaN", "nan", "+nan", "-NaN",
    "Infinity", "-inf", "+INF", "infinit", "1d", "1f", "1e400", "-1e400", "1e-400", "1e39", "1e308", "16777217",
    "12345678901234567890123456789012345678", "0.1234567890123456789", "1005e-3", "1e38", "1e-9", "61E-16",
    "1e99999999999", "1e9999999999999999999999999999999999999999",
    "1E", "+-5", "+ ", "1b", "½", "٥", "５", "−5",
)  # fmt: skip
MOMENTS = (
    "2024-01-05", " 2024-01-05 ", "2024-02-29", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024",
    "2024-01", "2024-1-5", "2024/01/05", "20240105", "05.01.2024", "2024-01-05T", "2024-01-05 ", "10000-01-01",
    "9999-12-31", "0001-01-01", "0000-12-31", "-0001-01-01", "0001-01-01 (BC)", "12024-01-05", "epoch", "infinity",
    "-infinity", "today", "now", "2024-01-05T10:00:00", "2024-01-05 10:00:00", "2024-01-05t10:00:00",
    "2024-01-05  10:00:00", "2024-01-05 10:00", "2024-01-05 10", "2024-01-05T10:00Z", "2024-01-05 1:02:03",
    "2024-01-05T24:00:00", "2024-01-05T23:59:60", "2024-01-05T10:60:00", "2024-01-05T10:00:00.5",
    "2024-01-05T10:00:00.123456", "2024-01-05T10:00:00.123456789", "2024-01-05T10:00:00.9999999",
    "2024-01-05T10:00:00.1234567890", "2024-01-05T10:00:00.", "2024-01-05T10:00:00Z", "2024-01-05T10:00:00z",
    "2024-01-05T10:00:00+02:00", "2024-01-05T10:00:00+0230", "2024-01-05 10:00:00-02", "2024-01-05 10:00:00 +02:00",
    "2024-01-05T10:00:00.25-09:30", "2024-01-05T10:00:00+2:00", "2024-01-05T10:00:00+18:00",
    "2024-01-05T10:00:00+18:01", "2024-01-05T10:00:00+19:00", "2024-01-05T10:00:00+02:75", "2024-01-05T10:00:00 UTC",
    "2024-01-05T10:00:00 Europe/Paris", "2024-01-05T10:00:00[UTC]", "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59+09:00",
    "1969-12-31T23:59:59.999999",
    " 2024-01-05T10:00:00Z\n", "10:00:00", "1704448800",
)  # fmt: skip
WORDS = (
    "true", "TRUE ", "True", "t", "T", "yes", "Y", "1", "false", "F", "no", "n", "0", "on", "off", "tru", "2", "Ｔ",
    "ＴＲＵＥ", "null", "NULL", "가나다", "가나다라마바", "👩‍👩‍👧", "it's", "a\\b", "\\n", "abcde", "abcdef",
    "ſ", "yeſ",
)  # fmt: skip
SPACED = (
    "\t5\n", "\r\n5", "\x0b5\x0c", "\xa05", "\u30005", "5\x00", "\x015", "5\x7f", "5\x85", "\u20285", "\ttrue\n",
    "true\x01", "\x0btrue", "\t2024-01-05\n", "2024-01-05\x85", "\x0b2024-01-05", "2024-01-05\x00", "\u30002024-01-05",
    "\t2024-01-05T10:00:00\n", "\x0b2024-01-05T10:00:00+02:00", "\x0b1.5", "1.5\x1f",
)  # fmt: skip
TEXTS: tuple[str, ...] = tuple(dict.fromkeys((*NUMBERS, *MOMENTS, *WORDS, *SPACED)))

TYPES: tuple[Type, ...] = (
    BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, FLOAT, DOUBLE, Decimal(10, 2), Decimal(2, 2), Decimal(38, 0),
    Decimal(38, 20), DATE, TIMESTAMP, TIMESTAMP_TZ, Characters("char", 5), Characters("varchar", 5), STRING, BINARY,
)  # fmt: skip

_NAN, _INF = float("nan"), float("inf")
_AT = datetime(2024, 1, 5, 23, 59, 59, 500000)
VALUES: tuple[tuple[Type, tuple[Constant, ...]], ...] = (
    (BOOLEAN, (True, False)),
    (TINYINT, (0, 1, -128, 127)),
    (SMALLINT, (0, 128, -32768)),
    (INT, (0, 5, 32768, 2147483647, -2147483648, 16777217)),
    (BIGINT, (0, 2147483648, 9007199254740993, 9223372036854775807, -9223372036854775808)),
    (FLOAT, (0.5, -0.0, 2.675, 0.1, 1.5, -1.5, 16777216.0, 3e38, 9.3e18, 2.0**63, _NAN, _INF, -_INF)),
    (
        DOUBLE,
        (0.5, -0.0, 1.5, 2.5, -1.5, -2.5, 0.99, 2.675, 1.005, 127.9, 128.0, -128.9, -129.0, 2147483647.9, 2147483648.0,
         -2147483648.9, 1e10, 1e20, 1e22, 1e-7, 1e39, -1e300, 2.0**63, -(2.0**63), 9.2e18, 99999999.995,
         _NAN, _INF, -_INF),
    ),
    (Decimal(3, 1), tuple(map(Number, ("0.0", "0.1", "0.5", "-0.5", "1.5", "2.5", "-2.5", "99.9")))),
    (Decimal(2, 2), tuple(map(Number, ("0.00", "0.99", "-0.50")))),
    (Decimal(20, 10), tuple(map(Number, ("0E-10", "1E-7", "2.6750000000", "9999999999.9999999999")))),
    (Decimal(38, 0), tuple(map(Number, ("9223372036854775807", "9223372036854775808", "9" * 38, "-" + "9" * 38)))),
    (Decimal(38, 20), tuple(map(Number, ("0.12345678901234567890", "123456789012345678.12345678901234567890")))),
    (DATE, (date(2024, 1, 5), date(1, 1, 1), date(9999, 12, 31), date(1969, 12, 31))),
    (TIMESTAMP, (_AT, datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(1969, 12, 31, 23, 59))),
    (TIMESTAMP_TZ, (_AT.replace(tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, 12, tzinfo=UTC))),
    (BINARY, (b"abc", b"", "가나".encode(), b"\xff\x41")),
    (Characters("char", 5), ("5", " 5 ")),
)  # fmt: skip
VALUE_TYPES: tuple[Type, ...] = (*TYPES, Decimal(1, 1), Decimal(2, 0), Decimal(20, 18))


def value_casts() -> Iterable[tuple[Type, Type]]:
    """Every pair of types of the table of values, but for the text of a double, which no engine writes as another."""
    for source, _ in VALUES:
        for target in VALUE_TYPES:
            text_of_fraction = source in (FLOAT, DOUBLE) and isinstance(target, Characters | type(STRING))
            if castable(source, target) and not (text_of_fraction and castable(target, BINARY)):
                yield source, target


def cast(values: Sequence[Constant], source: Type, target: Type) -> Op:
    """A plan that casts each of the values; its rows are their numbers and what became of them."""
    given = Rows(
        node_id=1,
        node="values",
        given=Schema((Field("i", INT), Field("x", source))),
        rows=tuple(enumerate(values)),
    )
    value: Expr = Column("x", source) if source == target else Cast(Column("x", source), target)
    if target == TIMESTAMP_TZ:
        value = Cast(value, TIMESTAMP)  # the same instant in a form that every client can fetch
    return Project(node_id=2, node="cast", parent=given, columns=(Named("i", Column("i", INT)), Named("y", value)))


def expected(text: str, target: Type) -> Constant:
    """What the text is in the type, in plain Python; None when it is none."""
    if target == BINARY:
        return text.encode()
    try:
        value = parse_literal(text, target)
    except ValueError:
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return single(value) if target == FLOAT and isinstance(value, float) else value


def same(left: Any, right: Any) -> bool:
    """Whether two values are one: of one kind, NaN like itself, floating-point numbers to 1e-9 relative."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        alike = math.isnan(left) and math.isnan(right)
        return alike or left == right or math.isclose(left, right, rel_tol=1e-9)
    if isinstance(left, Number):
        return bool(left == right and left.as_tuple().exponent == right.as_tuple().exponent)
    return bool(left == right)


def single(value: float) -> float:
    """The nearest number of 32 bits; infinite when it is too large for them."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(_INF, value)
