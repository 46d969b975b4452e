"""What generated jobs are filled with: values of each type that are near to trouble, bad texts, odd names."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal as Number

from headrace.plan.expr import Constant
from headrace.plan.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INT,
    STRING,
    TIMESTAMP,
    Decimal,
    Type,
)
from tests.support import reference_values

NAMES = (
    "a", "b", "Id", "B b", "Name", "가나", 'q"q', "q'q", "x`y", "d.d", "select", "right_a", "back\\slash", "1", "l",
    "${env:HOME}", "x,y",
)  # fmt: skip

MONEY, LONG, SMALL = Decimal(10, 2), Decimal(28, 10), Decimal(2, 2)
TEXTS = (
    "", "a", "A", "b", "가나", "나.다", "it's", 'say "so"', "a\\b", "line\nbreak", "a.b.c", ".a", "x,y", "%", "_%", "5",
    " 7 ", "-12", "1.5", "007", "true", "N", "2024-01-05", "2024-01-05T10:00:00", "e\u0301", "\u00e9", "\U0001f600",
    "\uffee", " ", "null", "1e3", "9223372036854775808", "-- x", "${env:HOME}", "\\",
)  # fmt: skip
POOLS: Mapping[Type, tuple[Constant, ...]] = {
    BOOLEAN: (True, False),
    INT: (0, 1, 2, 5, -1, 2147483647, -2147483648),
    BIGINT: (0, 1, 2, 5, -1, 2**31, 9007199254740993, 2**63 - 1, -(2**63)),
    DOUBLE: (
        0.0, float("nan"), -0.0, 1.0, 2.5, -2.5, 0.1, 2.675, 1e10, 9007199254740992.0, 2147483647.9, 2.0**63,
        -(2.0**63), 1e300, float("nan"), float("inf"), float("-inf"), 5e-324,
    ),
    MONEY: tuple(map(Number, ("0.00", "1.00", "2.00", "5.00", "-0.01", "2.50", "99999999.99", "-99999999.99"))),
    LONG: tuple(map(Number, (
        "0E-10", "1.0000000000", "0.5000000001", "5.0000000000", "-" + "9" * 18 + ".9999999999"
    ))),
    SMALL: tuple(map(Number, ("0.00", "0.99", "-0.50"))),
    STRING: TEXTS,
    DATE: (date(2024, 1, 5), date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31), date(1969, 12, 31)),
    TIMESTAMP: (
        datetime(2024, 1, 5), datetime(2024, 1, 5, 10), datetime(2024, 1, 5, 23, 59, 59, 500000), datetime(1, 1, 1),
        datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(1969, 12, 31, 23, 59, 59, 999999),
    ),
}  # fmt: skip
TYPES = tuple(POOLS)
BAD_TEXTS = ("", "x", "1.5", " 5 ", "1e3", "9" * 20, "2024-02-30", "tru", "가", "'", "12,5", "0x1F", "NaN")
PATTERNS = ("%", "a%", "_", "%가%", "\\%", "\\_%", "%\\\\%", "__", "%'%", "", "%\n%", "%.%", "A", "%1")
DELIMITERS = (".", ",", " ", "a", "|", "%", "\\", "나", ".*", "''", "\n", "ab")


def shown(value: Constant) -> str:
    """A value as a text that reads as that very value in its type."""
    return repr(value) if isinstance(value, float) else reference_values.text(value)
