"""Expressions over the columns of a row. Each knows its type; none knows an engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal as Number
from typing import Literal

from headrace.plan.types import BIGINT, BOOLEAN, DOUBLE, MAX_PRECISION, STRING, Decimal, Scalar, Type
from headrace.plan.types import INTEGERS as INTEGER_NAMES

Side = Literal["row", "left", "right"]
Comparison = Literal["EQ", "NE", "GT", "LT", "GTE", "LTE"]
Function = Literal["SUM", "AVG", "MAX", "MIN", "COUNT", "COUNT_DISTINCT"]
Constant = str | int | float | bool | bytes | Number | date | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a column; `side` says of which input, in a join."""

    name: str
    type: Type
    side: Side = "row"


@dataclass(frozen=True, slots=True)
class Value:
    """A constant of a type."""

    value: Constant
    type: Type


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two expressions of one type; unknown when either is null."""

    operator: Comparison
    left: "Expr"
    right: "Expr"

    @property
    def type(self) -> Type:
        """Boolean."""
        return BOOLEAN


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether the value is missing."""

    operand: "Expr"

    @property
    def type(self) -> Type:
        """Boolean."""
        return BOOLEAN


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    operand: "Expr"

    @property
    def type(self) -> Type:
        """Boolean."""
        return BOOLEAN


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether the value is one of a list; unknown for a missing value."""

    operand: "Expr"
    values: tuple[Value, ...]

    @property
    def type(self) -> Type:
        """Boolean."""
        return BOOLEAN


@dataclass(frozen=True, slots=True)
class Like:
    """Whether a text matches a pattern: % any text, _ any one character, a backslash before either is that sign."""

    operand: "Expr"
    pattern: str

    @property
    def type(self) -> Type:
        """Boolean."""
        return BOOLEAN


@dataclass(frozen=True, slots=True)
class All:
    """True when every test is."""

    tests: tuple["Expr", ...]

    @property
    def type(self) -> Type:
        """Boolean."""
        return BOOLEAN


@dataclass(frozen=True, slots=True)
class Some:
    """True when at least one test is."""

    tests: tuple["Expr", ...]

    @property
    def type(self) -> Type:
        """Boolean."""
        return BOOLEAN


@dataclass(frozen=True, slots=True)
class Cast:
    """The value in another type, by the one table of casts; what does not cast is null.

    `count_as` names the field under which such values are counted; None counts nothing, for a cast that can't fail.
    """

    operand: "Expr"
    type: Type
    count_as: str | None = None


@dataclass(frozen=True, slots=True)
class Finite:
    """A floating-point value, with null for NaN and the infinities, counted under `count_as`."""

    operand: "Expr"
    count_as: str

    @property
    def type(self) -> Type:
        """The operand's."""
        return self.operand.type


@dataclass(frozen=True, slots=True)
class Filled:
    """The operand, or the value where the operand is null; for floating-point types NaN is a gap too."""

    operand: "Expr"
    value: Value

    @property
    def type(self) -> Type:
        """The operand's."""
        return self.operand.type


@dataclass(frozen=True, slots=True)
class Piece:
    """Piece number `index`, from 0, of a text cut at every delimiter; the `last` one is all that is left. Or null."""

    operand: "Expr"
    delimiter: str
    index: int
    last: bool

    @property
    def type(self) -> Type:
        """Text."""
        return STRING


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A text under the key of that name: Base64 of nonce, ciphertext and tag by AES-GCM; null stays null.

    The nonce is random, so a plan that has one gives other texts at each run.
    """

    operand: "Expr"
    key: str

    @property
    def type(self) -> Type:
        """Text."""
        return STRING


@dataclass(frozen=True, slots=True)
class Call:
    """An aggregate function over the rows of a group."""

    function: Function
    argument: "Expr"

    @property
    def type(self) -> Type:
        """As Spark has it: sums widen, an average is a double, the extremes keep the type."""
        given = self.argument.type
        if self.function == "AVG":
            return DOUBLE
        if self.function in ("MAX", "MIN"):
            return given
        if self.function in ("COUNT", "COUNT_DISTINCT"):
            return BIGINT
        match given:
            case Decimal(precision, scale):
                return Decimal(min(MAX_PRECISION, precision + 10), scale)
            case Scalar(name) if name in INTEGER_NAMES:
                return BIGINT
            case _:
                return DOUBLE


Expr = (
    Column
    | Value
    | Compare
    | IsNull
    | Not
    | OneOf
    | Like
    | All
    | Some
    | Cast
    | Finite
    | Filled
    | Piece
    | Encrypted
    | Call
)


@dataclass(frozen=True, slots=True)
class Named:
    """An expression and the name of the column that it becomes."""

    name: str
    expr: Expr


def operands(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside this one."""
    match expr:
        case Column() | Value():
            return ()
        case Compare():
            return (expr.left, expr.right)
        case All() | Some():
            return expr.tests
        case IsNull() | Not() | Like() | Cast() | Finite() | Piece() | Encrypted():
            return (expr.operand,)
        case OneOf():
            return (expr.operand, *expr.values)
        case Filled():
            return (expr.operand, expr.value)
        case Call():
            return (expr.argument,)


def columns(expr: Expr) -> Iterator[Column]:
    """Every column that the expression reads, as often as it does."""
    if isinstance(expr, Column):
        yield expr
    for inner in operands(expr):
        yield from columns(inner)


def keys(expr: Expr) -> Iterator[str]:
    """The name of every key that the expression encrypts with."""
    if isinstance(expr, Encrypted):
        yield expr.key
    for inner in operands(expr):
        yield from keys(inner)
