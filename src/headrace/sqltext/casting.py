"""Constants and casts: numbers in the types that Spark gives them, and values in other types."""

from decimal import Decimal as Number

from sqlglot import exp

from headrace.plan.casts import castable
from headrace.plan.literals import parse_literal
from headrace.plan.types import BIGINT, BINARY, DOUBLE, INT, STRING, Decimal, Type, parse_type
from headrace.sqltext.functions import FUNCTIONS
from headrace.sqltext.scopes import Work
from headrace.sqltext.tree import Call, Const, Convert, Expr, operands
from headrace.sqltext.widening import Unfit, plain

_NAMES = {
    "TEXT": "string", "TIMESTAMPNTZ": "timestamp", "TIMESTAMPLTZ": "timestampwithtimezone", "TIMESTAMPTZ": "timestamp",
    "BOOLEAN": "boolean", "TINYINT": "tinyint", "SMALLINT": "smallint", "INT": "int", "BIGINT": "bigint",
    "FLOAT": "float", "DOUBLE": "double", "DATE": "date", "TIMESTAMP": "timestamp", "DECIMAL": "decimal",
    "BINARY": "binary",
}  # fmt: skip
_LARGEST_INT, _LARGEST_BIGINT = 2**31 - 1, 2**63 - 1


def cast(work: Work, node: exp.Expr, operand: Expr) -> Expr:
    """A CAST or TRY_CAST of a value, by the one table of casts; that of a text that is written out is done at once."""
    target = _type(work, node.args["to"], node)
    strict = not isinstance(node, exp.TryCast)
    if not castable(plain(operand.type), target):
        raise work.fault(node, f"there is no cast from {operand.type} to {target}", code="type-mismatch")
    if isinstance(operand, Const) and operand.value is None:
        return Const(None, target)
    if isinstance(operand, Const) and isinstance(operand.value, str) and target not in (STRING, BINARY):
        return _cast_text(work, node, operand.value, target, strict=strict)
    if isinstance(operand, Const) and type(operand.value) is int and target in (BIGINT, DOUBLE):
        return Const(operand.value if target == BIGINT else float(operand.value), target)
    if isinstance(operand, Const) and isinstance(operand.value, Number) and target == DOUBLE:
        return Const(float(operand.value), DOUBLE)
    told = f"CAST AS {str(target).upper()}, {work.place(node)}"
    return Convert(operand, target, "strict" if strict else "try", told)


def _cast_text(work: Work, node: exp.Expr, text: str, target: Type, *, strict: bool) -> Expr:
    try:
        return Const(parse_literal(text, target), target)
    except ValueError as error:
        if strict:
            raise work.fault(node, str(error), code="bad-value") from None
        return Const(None, target)


def _type(work: Work, node: exp.Expr, within: exp.Expr) -> Type:
    if not isinstance(node, exp.DataType):
        raise work.fault(node, "is no type", within)
    work.only(node, "this", "expressions", "nested")
    name = _NAMES.get(getattr(node.this, "name", str(node.this)))
    arguments = [part.name for part in node.expressions]
    if name is None or (arguments and name != "decimal"):
        shown = node.sql("spark")
        hint = f"one of {', '.join(sorted(set(_NAMES.values()) - {'timestampwithtimezone'}))}, timestamp_ltz"
        raise work.fault(within, f"{shown[:60]} is not a type to cast to", hint=hint)
    try:
        return parse_type(f"{name}({','.join(arguments)})" if arguments else name)
    except ValueError as error:
        raise work.fault(within, str(error)) from None


def number(text: str) -> Const:
    """A number as Spark types it: int, bigint or decimal; double with an exponent."""
    if "e" in text.lower():
        return Const(float(text), DOUBLE)
    if "." not in text:
        value = int(text)
        if abs(value) <= _LARGEST_INT:
            return Const(value, INT)
        if abs(value) <= _LARGEST_BIGINT:
            return Const(value, BIGINT)
    exact = Number(text)
    digits, exponent = len(exact.as_tuple().digits), -int(exact.as_tuple().exponent)
    precision = max(digits, exponent)
    if precision > 38:
        raise Unfit(f"{text[:50]} has more than 38 digits")
    return Const(exact, Decimal(precision, exponent))


def weight(expr: Expr) -> int:
    """About how long the expression becomes for an engine: what stands several times in its text counts so often."""
    inner = sum(map(weight, operands(expr)))
    match expr:
        case Convert(_, _, mode):
            return 1 + inner * (1 if mode == "widen" else 8)
        case Call(name):
            found = FUNCTIONS.get(name)
            return 1 + inner * (found.weight if found else 4 if name in ("/", "%", "element") else 1)
        case _:
            return 1 + inner
