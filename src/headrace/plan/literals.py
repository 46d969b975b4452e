"""Texts as values of a type: the rules of casts from text, in plain Python.

A node's constants (the `value` of a filter) go through here when the job is checked, so that a text which does not
parse is a problem before anything runs. The engines follow the same rules for data.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, InvalidOperation, Overflow
from decimal import Decimal as Number

from headrace.plan.casts import bounds
from headrace.plan.expr import Constant
from headrace.plan.types import FRACTIONS, INTEGERS, Characters, Decimal, Scalar, Type

SPACES = " \t\n\r\f\v"
TRUE = ("true", "t", "yes", "y", "1")
FALSE = ("false", "f", "no", "n", "0")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"nan|[+-]?(inf|infinity)", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(Z|[+-](?:0[0-9]|1[0-7])(?::?[0-5][0-9])?|[+-]18(?::?00)?)?)?)?"
)


def parse_literal(text: str, type_: Type) -> Constant:
    """The value that `text` is, in the type. Raises ValueError that says what is expected."""
    match type_:
        case Characters(_, length):
            if len(text) > length:
                raise ValueError(f"{text!r} is longer than {length} characters")
            return text
        case Decimal():
            return _decimal(text.strip(SPACES), type_)
        case Scalar("string"):
            return text
        case Scalar("boolean"):
            return _boolean(text.strip(SPACES).lower())
        case Scalar(name) if name in INTEGERS:
            return _integer(text.strip(SPACES), type_)
        case Scalar(name) if name in FRACTIONS:
            return _fraction(text.strip(SPACES))
        case Scalar("date"):
            return _date(text.strip(SPACES))
        case Scalar("timestamp" | "timestampwithtimezone"):
            return _timestamp(text.strip(SPACES), zoned=type_ == Scalar("timestampwithtimezone"))
        case _:
            raise ValueError(f"a text can't be a value of {type_}")


def _boolean(text: str) -> bool:
    if text not in TRUE + FALSE:
        raise ValueError(f"{text!r} is not a boolean: one of {', '.join(TRUE + FALSE)}")
    return text in TRUE


def _integer(text: str, type_: Scalar) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{text!r} is not a whole number")
    low, high = bounds(type_)
    if not low <= int(text) <= high:
        raise ValueError(f"{text} is out of range of {type_}: {low} to {high}")
    return int(text)


def _fraction(text: str) -> float:
    if not (_NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text)):
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def _decimal(text: str, type_: Decimal) -> Number:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a decimal number")
    try:
        exact = Context(prec=60).create_decimal(text)
        value = exact.quantize(Number(1).scaleb(-type_.scale), rounding=ROUND_HALF_UP, context=Context(prec=60))
    except (InvalidOperation, Overflow):
        raise ValueError(f"{text} is out of range of {type_}") from None
    if abs(value) >= Number(10) ** (type_.precision - type_.scale):
        raise ValueError(f"{text} is out of range of {type_}")
    return value


def _date(text: str) -> date:
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a date: YYYY-MM-DD")
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        raise ValueError(f"{text!r} is no day of the calendar") from None


def _timestamp(text: str, *, zoned: bool) -> datetime:
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a timestamp: YYYY-MM-DDTHH:MM:SS[.ffffff][Z|+HH:MM]")
    day, hour, minute, second, fraction, zone = match.groups()
    start = _date(day)
    try:
        moment = datetime(start.year, start.month, start.day, int(hour or 0), int(minute or 0), int(second or 0))
        moment += timedelta(microseconds=int((fraction or "0").ljust(6, "0")[:6]))
        at = moment.replace(tzinfo=_zone(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no moment of the calendar") from None
    return at if zoned else at.replace(tzinfo=None)


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    assert text is not None
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
