"""The types of Spark's ANSI arithmetic, and into which type several values are brought.

What Spark would widen with a loss is refused: the text then says by a CAST what is meant. Constants are the exception:
a number that is written out becomes a double where one is wanted, a text a date.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal as Number

from headrace.plan.casts import as_decimal, kind, widened
from headrace.plan.expr import Constant
from headrace.plan.literals import parse_literal
from headrace.plan.types import (
    DOUBLE,
    FLOAT,
    FRACTIONS,
    INTEGERS,
    MAX_PRECISION,
    STRING,
    TIMESTAMP,
    TIMESTAMP_TZ,
    VOID,
    Characters,
    Decimal,
    Scalar,
    Type,
)
from headrace.sqltext.tree import Const, Convert, Expr

_LEAST_SCALE = 6
"""Spark keeps at least so many digits behind the point when a result has too many digits."""


class Unfit(ValueError):
    """Types that do not go together; `hint` says what would do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def plain(type_: Type) -> Type:
    """The type that a value has in an expression: text of a bounded length is text."""
    return STRING if isinstance(type_, Characters) else type_


def is_integer(type_: Type) -> bool:
    """Whether it is one of the four types of whole numbers."""
    return isinstance(type_, Scalar) and type_.name in INTEGERS


def is_fraction(type_: Type) -> bool:
    """Whether it is float or double."""
    return isinstance(type_, Scalar) and type_.name in FRACTIONS


def is_number(type_: Type) -> bool:
    """Whether it is a number of any type."""
    return kind(type_) == "number"


def brought(expr: Expr, target: Type) -> Expr:
    """The value in a type that holds it; what is written out is written in that type at once."""
    source = expr.type
    if source == target:
        return expr
    if isinstance(expr, Const):
        if expr.value is None:
            return Const(None, target)
        if kind(source) == "text" and kind(target) == "moment":
            return Const(_moment(str(expr.value), target), target)
        if is_number(source) and is_fraction(target):
            return Const(float(expr.value), target)  # type: ignore[arg-type]  # a number
        if is_integer(source) and is_integer(target):
            return replace(expr, type=target)
    return Convert(expr, target, "widen")


def _moment(text: str, target: Type) -> Constant:
    try:
        return parse_literal(text, target)
    except ValueError as error:
        raise Unfit(f"compared with {target}, and {error}") from None


def alike(exprs: Sequence[Expr]) -> tuple[Type, tuple[Expr, ...]]:
    """The type that holds all the values without loss, and the values in it."""
    common: Type = VOID
    for expr in exprs:
        given = plain(expr.type)
        wider = _wider(common, given)
        if wider is None:
            wider = _by_constant(common, given, exprs)
        common = wider
    return common, tuple(brought(expr, common) if plain(expr.type) != common else _plain(expr) for expr in exprs)


def _plain(expr: Expr) -> Expr:
    return Convert(expr, STRING, "widen") if isinstance(expr.type, Characters) else expr


def _wider(left: Type, right: Type) -> Type | None:
    if kind(left) == kind(right) == "moment" and left != right:
        return TIMESTAMP_TZ if TIMESTAMP_TZ in (left, right) else TIMESTAMP
    if FLOAT in (left, right) and left != right and is_number(left) and is_number(right):
        # As Spark: a float meets no other number but as a double.
        left, right = (DOUBLE if t == FLOAT else t for t in (left, right))
    return widened(left, right)


def _by_constant(left: Type, right: Type, exprs: Sequence[Expr]) -> Type:
    """A constant takes the type of what it stands with: a number that of a double, a text that of a moment."""
    pair = (left, right)
    for wanted, others in ((_fractional, is_number), (_is_moment, _is_text)):
        target = next((t for t in pair if wanted(t)), None)
        other = next((t for t in pair if not wanted(t)), None)
        if target is None or other is None or not others(other):
            continue
        target = DOUBLE if is_fraction(target) else target
        if all(isinstance(e, Const) or wanted(e.type) or _wider(target, plain(e.type)) == target for e in exprs):
            return target
    raise Unfit(f"{left} and {right} do not go together without loss", hint=_hint(left, right))


def _fractional(type_: Type) -> bool:
    return is_fraction(type_)


def _is_moment(type_: Type) -> bool:
    return kind(type_) == "moment"


def _is_text(type_: Type) -> bool:
    return kind(type_) == "text"


def _hint(left: Type, right: Type) -> str:
    if "text" in (kind(left), kind(right)):
        other = right if kind(left) == "text" else left
        return f"say what is meant: CAST the text AS {str(other).upper()}, or the other AS STRING"
    if is_number(left) and is_number(right):
        return "say what is meant: CAST one of them, for example AS DOUBLE"
    return "CAST one of them"


def arithmetic(operator: str, left: Expr, right: Expr) -> tuple[Expr, Expr, Type]:
    """Both operands as they are computed with, and the type of the result."""
    for operand in (left, right):
        if not is_number(operand.type) and operand.type != VOID:
            raise Unfit(f"{operator} takes numbers, not {operand.type}", hint=_number_hint(operator, left, right))
    if VOID in (left.type, right.type):
        raise Unfit(f"{operator} with NULL is always NULL", hint="CAST(NULL AS …) if that is meant")
    if is_fraction(left.type) or is_fraction(right.type):
        both: Type = FLOAT if left.type == right.type == FLOAT and operator != "/" else DOUBLE
        return brought(left, both), brought(right, both), both
    if is_integer(left.type) and is_integer(right.type):
        if operator == "/":
            return brought(left, DOUBLE), brought(right, DOUBLE), DOUBLE
        both = _wider(left.type, right.type) or left.type
        return brought(left, both), brought(right, both), both
    return _decimals(operator, left, right)


def _number_hint(operator: str, left: Expr, right: Expr) -> str:
    kinds = {kind(left.type), kind(right.type)}
    if "moment" in kinds and operator in "+-":
        return "use date_add, date_sub, add_months or datediff"
    if "text" in kinds and operator == "+":
        return "use concat for texts, or CAST to a number"
    return "CAST to a number" if "text" in kinds else ""


def _decimals(operator: str, left: Expr, right: Expr) -> tuple[Expr, Expr, Type]:
    a, b = _exact(left), _exact(right)
    result = decimal_result(operator, a, b)
    return _as_decimal(left, a), _as_decimal(right, b), result


def _exact(expr: Expr) -> Decimal:
    """The decimal type of an exact number; a whole number that is written out has as many digits as it shows."""
    if isinstance(expr, Const) and isinstance(expr.value, int):
        return Decimal(len(str(abs(expr.value))), 0)
    found = as_decimal(expr.type)
    assert found is not None, expr.type
    return found


def _as_decimal(expr: Expr, target: Decimal) -> Expr:
    if expr.type == target:
        return expr
    if isinstance(expr, Const) and isinstance(expr.value, int):
        return Const(Number(expr.value), target)
    return Convert(expr, target, "widen")


def decimal_result(operator: str, a: Decimal, b: Decimal) -> Decimal:
    """The type of Spark's exact arithmetic. Raises Unfit where Spark would drop digits behind the point."""
    whole_a, whole_b = a.precision - a.scale, b.precision - b.scale
    scale = max(a.scale, b.scale)
    match operator:
        case "+" | "-":
            precision = max(whole_a, whole_b) + scale + 1
        case "*":
            precision, scale = a.precision + b.precision + 1, a.scale + b.scale
        case "/":
            scale = max(_LEAST_SCALE, a.scale + b.precision + 1)
            precision = whole_a + b.scale + scale
        case _:
            precision = min(whole_a, whole_b) + scale
    result = _adjusted(precision, scale)
    lost = result.scale < scale and operator != "/"
    if lost or (operator == "/" and a.precision + b.scale + result.scale - a.scale > MAX_PRECISION):
        raise Unfit(
            f"{a} {operator} {b} has more than {MAX_PRECISION} digits",
            hint="CAST the operands to smaller decimals, or AS DOUBLE",
        )
    return result


def _adjusted(precision: int, scale: int) -> Decimal:
    """Spark's rule for too many digits: those before the point are kept, and at least six behind it."""
    if precision <= MAX_PRECISION:
        return Decimal(precision, scale)
    whole = precision - scale
    return Decimal(MAX_PRECISION, max(MAX_PRECISION - whole, min(scale, _LEAST_SCALE)))


def compared(left: Expr, right: Expr) -> tuple[Expr, Expr]:
    """Both in the type in which they are compared."""
    common, both = alike((left, right))
    orderable_kind(common)
    return both[0], both[1]


def orderable_kind(type_: Type) -> None:
    """Raises Unfit for values that have no order."""
    if kind(type_) not in ("text", "number", "boolean", "moment", "void"):
        raise Unfit(f"{type_} can't be compared")


def sum_type(type_: Type) -> Type:
    """The type of a sum."""
    match type_:
        case Decimal(precision, scale):
            return Decimal(min(MAX_PRECISION, precision + 10), scale)
        case _ if is_integer(type_):
            return Scalar("bigint")
        case _:
            return DOUBLE


def rounded(type_: Type, digits: int) -> Type:
    """The type of a value rounded to so many digits behind the point."""
    if not isinstance(type_, Decimal):
        return type_
    whole = type_.precision - type_.scale + 1
    if digits < 0:
        return Decimal(min(MAX_PRECISION, max(whole, 1 - digits)), 0)
    scale = min(type_.scale, digits)
    return Decimal(min(MAX_PRECISION, whole + scale), scale)


def whole(type_: Type) -> Type:
    """The type of floor and ceil."""
    if isinstance(type_, Decimal):
        return Decimal(min(MAX_PRECISION, type_.precision - type_.scale + 1), 0)
    return Scalar("bigint")
