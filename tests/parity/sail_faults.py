"""Where the stand-in answers otherwise than Spark, with the reason: by text or value and type, and by job."""

import math
import re
from decimal import ROUND_HALF_UP
from decimal import Decimal as Number

from headrace.plan.casts import kind
from headrace.plan.expr import Constant
from headrace.plan.literals import SPACES
from headrace.plan.types import BINARY, BOOLEAN, DATE, FLOAT, FRACTIONS, INTEGERS, Decimal, Scalar, Type
from tests.support import casts
from tests.support.generated import Job

_EXPONENT = re.compile(r"[0-9.]+[eE][+-]?[0-9]+")


def text_fault(text: str, target: Type) -> str:
    """Why Sail misses this text as that type; empty when it does not."""
    if casts.expected(text, target) is None:
        return ""
    if isinstance(target, Decimal) and _EXPONENT.fullmatch(text):
        return "an exponent makes the text no decimal"
    if target == DATE and text != text.lstrip(SPACES):
        return "spaces before a date make it none"
    if isinstance(target, Scalar) and target.name in INTEGERS + FRACTIONS and "\x0b" in text:
        return "a vertical tab around a number makes it none"
    return ""


def value_fault(value: Constant, source: Type, target: Type) -> str:
    """Why Sail misses this value of one type as another; empty when it does not."""
    if {source, target} & {BOOLEAN} and any(isinstance(t, Decimal) for t in (source, target)):
        return "no cast between boolean and decimal"
    if source == BINARY and kind(target) == "text" and value == b"\xff\x41":
        return "bytes that are no UTF-8 are an error"
    if (
        isinstance(value, float)
        and isinstance(target, Decimal)
        and _bent(casts.single(value) if source == FLOAT else value, target)
    ):
        return "a floating-point number becomes a decimal by way of its binary value"
    return ""


def _bent(value: float, target: Decimal) -> bool:
    """Whether 53 bits scaled to the decimal give other digits than the shortest text of the number does."""
    shortest = Number(repr(value)).scaleb(target.scale) if math.isfinite(value) else Number("inf")
    if abs(shortest) >= 10**target.precision:
        return False
    return int(value * 10.0**target.scale + math.copysign(0.5, value)) != int(shortest.to_integral_value(ROUND_HALF_UP))


def job_fault(job: Job) -> str:
    """Why Sail may answer a generated job otherwise than Spark, by the casts in it; empty when it must not."""
    for source, target, values in job.casts():
        if BOOLEAN in (source, target) and any(isinstance(t, Decimal) for t in (source, target)):
            return "no cast between boolean and decimal"
        for value in values:
            why = text_fault(value, target) if isinstance(value, str) else value_fault(value, source, target)
            if why:
                return why
    return ""
