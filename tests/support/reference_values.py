"""Single values as a job means them, in plain Python: casts, order, patterns, sums. Knows nothing of engines.

Only texts are read by the product's own rules (`headrace.plan.literals`), which have tests of their own; all else is
written here a second time, on purpose.
"""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context
from decimal import Decimal as Number
from typing import Any

from headrace.plan.expr import Constant
from headrace.plan.literals import parse_literal
from headrace.plan.types import BIGINT, BOOLEAN, DATE, DOUBLE, INT, STRING, TIMESTAMP, Decimal, Type

_RANGES = {INT: 2**31, BIGINT: 2**63}
_DIGITS = {INT: 10, BIGINT: 19}
_EXACT = Context(prec=200)
RELATIVE = 1e-9


class Loose(float):
    """A number that depends on the order of addition, and by how much it may be off."""

    slack: float

    @classmethod
    def of(cls, value: float, slack: float) -> "Loose":
        """A value, right to `slack`."""
        made = cls(value)
        made.slack = slack
        return made


def is_number(type_: Type) -> bool:
    """Whether values of the type can be added."""
    return type_ in (INT, BIGINT, DOUBLE) or isinstance(type_, Decimal)


def castable(source: Type, target: Type) -> bool:
    """Whether a job may cast one type to the other."""
    if source == target or STRING in (source, target):
        return True
    if {source, target} <= {DATE, TIMESTAMP}:
        return True
    return all(t == BOOLEAN or is_number(t) for t in (source, target))


def cast(value: Constant, source: Type, target: Type) -> Constant:
    """The value in the target type; None when it has none there."""
    if value is None or source == target:
        return value
    if source == STRING:
        assert isinstance(value, str)
        try:
            return parse_literal(value, target)
        except ValueError:
            return None
    if target == STRING:
        return text(value)
    if target == DATE:
        assert isinstance(value, datetime)
        return value.date()
    if target == TIMESTAMP:
        assert isinstance(value, date)
        return datetime.combine(value, time())
    return _number(value, target)


def text(value: Constant) -> str:
    """A value as text. Engines write a double each in a way of their own, so jobs here never ask for one."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            whole, point, part = value.isoformat(" ", "auto").partition(".")
            return whole + point + part.rstrip("0")
        case date():
            return value.isoformat()
        case Number():
            return f"{value:f}"
        case _:
            return str(value)


def _number(value: Any, target: Type) -> Constant:
    if target == BOOLEAN:
        return bool(value != 0)
    if target == DOUBLE:
        return float(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        exact = Number(repr(float(value))) if isinstance(target, Decimal) else Number(float(value))
    else:
        exact = Number(int(value)) if isinstance(value, bool) else Number(value)
    if isinstance(target, Decimal):
        rounded = exact.quantize(Number(1).scaleb(-target.scale), rounding=ROUND_HALF_UP, context=_LARGE)
        return rounded if abs(rounded) < Number(10) ** (target.precision - target.scale) else None
    whole = int(exact.to_integral_value(ROUND_DOWN, context=_LARGE))
    limit = _RANGES[target]  # type: ignore[index]  # the only types that are left
    return whole if -limit <= whole < limit else None


_LARGE = Context(prec=400)


def wider(left: Type, right: Type) -> Type | None:
    """The type that holds every value of both, or None."""
    if left == right:
        return left
    if {left, right} == {DATE, TIMESTAMP}:
        return TIMESTAMP
    if {left, right} == {INT, BIGINT}:
        return BIGINT
    if {left, right} == {INT, DOUBLE}:
        return DOUBLE
    pair = [_as_decimal(left), _as_decimal(right)]
    exact = [d for d in pair if d is not None]
    if len(exact) < 2:
        return None
    scale = max(d.scale for d in exact)
    precision = scale + max(d.precision - d.scale for d in exact)
    return Decimal(precision, scale) if precision <= 38 else None


def _as_decimal(type_: Type) -> Decimal | None:
    if isinstance(type_, Decimal):
        return type_
    return Decimal(_DIGITS[type_], 0) if type_ in _DIGITS else None


def compared_as(left: Type, right: Type) -> Type | None:
    """The type in which values of two columns are compared, or None."""
    if is_number(left) and is_number(right):
        return wider(left, right) or DOUBLE
    return wider(left, right)


def rank(value: Constant) -> tuple[int, Any]:
    """What sorts values as engines must: missing first, then by value, NaN last."""
    if value is None:
        return (0, 0)
    if isinstance(value, float) and math.isnan(value):
        return (2, 0)
    return (1, value)


def holds(sign: str, left: Constant, right: Constant) -> bool:
    """Whether a comparison is true: never when a side is missing."""
    if left is None or right is None:
        return False
    a, b = rank(left), rank(right)
    match sign:
        case "EQ":
            return a == b
        case "NE":
            return a != b
        case "GT":
            return a > b
        case "LT":
            return a < b
        case "GTE":
            return a >= b
        case "LTE":
            return a <= b
        case _:
            raise ValueError(sign)


def like(value: str, pattern: str) -> bool:
    """Whether a text matches: % any text, _ one character, a backslash before a sign means the sign itself."""
    parts, signs = [], iter(pattern)
    for sign in signs:
        if sign == "\\":
            parts.append(re.escape(next(signs)))
        else:
            parts.append({"%": ".*", "_": "."}.get(sign) or re.escape(sign))
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def aggregate(function: str, values: Sequence[Constant]) -> Constant:
    """What becomes of the values of a group; missing ones are left out."""
    present: list[Any] = [value for value in values if value is not None]
    if function == "COUNT":
        return len(present)
    if function == "COUNT_DISTINCT":
        return len({rank(value) for value in present})
    if not present:
        return None
    if function in ("MIN", "MAX"):
        return (min if function == "MIN" else max)(present, key=rank)  # type: ignore[no-any-return]  # a value
    if function == "AVG":
        return _sum([float(value) for value in present], divisor=len(present))
    if isinstance(present[0], float):
        return _sum(present, divisor=1)
    total = present[0]
    for value in present[1:]:
        total = _EXACT.add(total, value) if isinstance(total, Number) else total + value
    return total  # type: ignore[no-any-return]  # a whole number or a decimal


def _sum(values: Sequence[float], *, divisor: int) -> float:
    if not all(map(math.isfinite, values)):
        return sum(values)
    return Loose.of(math.fsum(values) / divisor, RELATIVE * math.fsum(map(abs, values)) / divisor)


def same(wanted: Constant, got: Any) -> bool:
    """Whether two values are one: of one kind and scale, NaN like itself, a loose one within its slack."""
    if isinstance(wanted, Loose):
        return type(got) is float and (wanted == got or abs(wanted - got) <= wanted.slack)
    if type(wanted) is not type(got):
        return False
    if isinstance(wanted, Number) and isinstance(got, Number):
        return bool(wanted == got and wanted.as_tuple().exponent == got.as_tuple().exponent)
    return rank(wanted) == rank(got)
