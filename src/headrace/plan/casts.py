"""Which casts exist, which of them can fail, and into which type two types widen without loss.

The table is Spark's ANSI one, less the casts whose meaning is a guess (a number to a timestamp): for those a node says
that the cast does not exist, and an SQL node can spell out what is meant.
"""

from headrace.plan.types import (
    DOUBLE,
    FRACTIONS,
    INTEGERS,
    MAX_PRECISION,
    STRING,
    TIMESTAMP,
    VOID,
    Characters,
    Decimal,
    Scalar,
    Type,
)

_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_EXACT_BITS = {"float": 24, "double": 53}
_BITS = {"tinyint": 7, "smallint": 15, "int": 31, "bigint": 63}
_MOMENTS = ("date", "timestamp", "timestampwithtimezone")

Kind = str


def kind(type_: Type) -> Kind:
    """The family of a type: text, number, boolean, moment, binary, void or nested."""
    match type_:
        case Characters():
            return "text"
        case Decimal():
            return "number"
        case Scalar(name) if name in INTEGERS or name in FRACTIONS:
            return "number"
        case Scalar(name) if name in _MOMENTS:
            return "moment"
        case Scalar("string"):
            return "text"
        case Scalar(name):
            return name
        case _:
            return "nested"


def castable(source: Type, target: Type) -> bool:
    """Whether the cast exists at all."""
    if source in (target, VOID):
        return True
    pair = (kind(source), kind(target))
    if "nested" in pair:
        return False
    if "text" in pair:
        return pair != ("text", "void")
    return pair[0] == pair[1] or set(pair) == {"number", "boolean"}


def never_fails(source: Type, target: Type) -> bool:
    """Whether every value of the source type has a value in the target type."""
    if source in (target, VOID):
        return True
    if target == STRING:
        return kind(source) != "binary"  # bytes need not be UTF-8
    if kind(source) == "boolean" and kind(target) == "number":
        return not isinstance(target, Decimal) or target.precision > target.scale
    if kind(source) == kind(target) == "moment":
        return True
    return (target in (Scalar("float"), DOUBLE) and kind(source) == "number") or widened(source, target) == target


def orderable(type_: Type) -> bool:
    """Whether values of the type have an order, so that they can be compared."""
    return kind(type_) in ("text", "number", "boolean", "moment")


def comparable(left: Type, right: Type) -> Type | None:
    """The type in which two values are compared, or None when they can't be."""
    if not (orderable(left) and orderable(right)) or kind(left) != kind(right):
        return None
    if kind(left) == "text":
        return STRING
    if kind(left) == "moment":
        return left if left == right else TIMESTAMP if Scalar("timestampwithtimezone") not in (left, right) else None
    return widened(left, right) or DOUBLE


def widened(left: Type, right: Type) -> Type | None:
    """The smallest type that holds every value of both, or None when there is none."""
    if left == right or right == VOID:
        return left
    if left == VOID:
        return right
    if kind(left) == kind(right) == "text":
        return STRING
    if {left, right} == {Scalar("date"), TIMESTAMP}:
        return TIMESTAMP
    if kind(left) == kind(right) == "number":
        return _wider_number(left, right)
    return None


def _wider_number(left: Type, right: Type) -> Type | None:
    match left, right:
        case Scalar(a), Scalar(b) if a in INTEGERS and b in INTEGERS:
            return left if INTEGERS.index(a) > INTEGERS.index(b) else right
        case Scalar(a), Scalar(b) if a in FRACTIONS and b in FRACTIONS:
            return DOUBLE
        case Scalar(a), Scalar(b):
            whole, fraction = (a, b) if a in INTEGERS else (b, a)
            return next((Scalar(f) for f in (fraction, "double") if _BITS[whole] <= _EXACT_BITS[f]), None)
        case _:
            return _wider_decimal(as_decimal(left), as_decimal(right))


def _wider_decimal(left: Decimal | None, right: Decimal | None) -> Type | None:
    if left is None or right is None:
        return None
    scale = max(left.scale, right.scale)
    precision = scale + max(left.precision - left.scale, right.precision - right.scale)
    return Decimal(precision, scale) if precision <= MAX_PRECISION else None


def as_decimal(type_: Type) -> Decimal | None:
    """The decimal that holds every value of an exact number type, or None for any other type."""
    match type_:
        case Decimal():
            return type_
        case Scalar(name) if name in _DIGITS:
            return Decimal(_DIGITS[name], 0)
        case _:
            return None


def bounds(type_: Scalar) -> tuple[int, int]:
    """The smallest and the largest value of an integer type."""
    return -(2 ** _BITS[type_.name]), 2 ** _BITS[type_.name] - 1
