"""The allow-list of functions: their names, their typed signatures, what they give.

What does not stand here does not exist for a text of SQL. `rows` prints the list for the reference page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from headrace.plan.expr import Constant
from headrace.plan.types import (
    BIGINT,
    DATE,
    DOUBLE,
    INT,
    STRING,
    TIMESTAMP,
    Array,
    Type,
)
from headrace.sqltext.tree import Expr
from headrace.sqltext.widening import rounded, sum_type, whole

Kind = Literal[
    "string", "int", "bigint", "number", "whole", "double", "date", "moment", "boolean", "comparable", "any", "array",
    "pattern", "replacement", "format", "reading", "unit", "date unit", "digits", "length", "group", "offset", "part",
    "same", "divisible",
]  # fmt: skip
Role = Literal["scalar", "aggregate", "window"]
Result = Type | Callable[[Sequence[Expr]], Type]

WRITTEN_OUT: dict[Kind, str] = {
    "pattern": "a regular expression",
    "replacement": "a replacement",
    "format": "a pattern of letters",
    "reading": "a pattern of letters",
    "unit": "a unit",
    "date unit": "a unit",
    "digits": "a whole number",
    "length": "a whole number",
    "group": "a whole number",
    "offset": "a whole number",
    "part": "a whole number",
}
"""Arguments that are constants, so that what is wrong with them is known before anything runs."""


TRIMS = ("trim", "ltrim", "rtrim")
"""What these take away is said by words: as an argument, Spark has it before the text."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a function takes in one place; `default` stands in when it is left out."""

    name: str
    kind: Kind
    optional: bool = False
    default: Constant = None


@dataclass(frozen=True, slots=True)
class Function:
    """One function: `repeats` says that the last parameter may stand any number of times."""

    name: str
    group: str
    parameters: tuple[Parameter, ...]
    result: Result
    shown: str
    meaning: str
    role: Role = "scalar"
    repeats: bool = False
    weight: int = 1

    @property
    def signature(self) -> str:
        """How it is called."""
        if self.name in TRIMS:
            return f"{self.name}({self.parameters[0].name} string)"
        shown = ""
        for index, p in enumerate(self.parameters):
            one = f"{', ' if index else ''}{p.name} {_SHOWN.get(p.kind, p.kind)}"
            shown += f"[{one}]" if p.optional else one
        return f"{self.name}({shown}{', …' if self.repeats else ''})"


_SHOWN: dict[str, str] = {
    "pattern": "string*", "replacement": "string*", "format": "string*", "reading": "string*", "unit": "string*",
    "date unit": "string*", "digits": "int*", "length": "int*", "group": "int*", "offset": "int*", "part": "int*",
    "whole": "bigint", "array": "array<string>", "same": "any", "divisible": "number", "moment": "timestamp",
}  # fmt: skip


def _first(args: Sequence[Expr]) -> Type:
    return args[0].type


def _whole(args: Sequence[Expr]) -> Type:
    return whole(args[0].type)


def _rounded(args: Sequence[Expr]) -> Type:
    digits = getattr(args[1], "value", 0)
    return rounded(args[0].type, int(digits))


def _sum(args: Sequence[Expr]) -> Type:
    return sum_type(args[0].type)


_TEXTS = Array(STRING)
FUNCTIONS: dict[str, Function] = {}
OTHER_NAMES = {
    "substr": "substring", "char_length": "length", "character_length": "length", "ceiling": "ceil", "pow": "power",
    "nvl": "coalesce", "ifnull": "coalesce", "now": "current_timestamp", "curdate": "current_date", "day": "dayofmonth",
    "stddev_samp": "stddev", "std": "stddev", "date_diff": "datediff", "dateadd": "date_add", "mean": "avg",
    "ucase": "upper", "lcase": "lower",
}  # fmt: skip
"""Second names of functions, as in Spark."""


def _add(
    group: str,
    name: str,
    parameters: str,
    result: Result,
    meaning: str,
    *,
    role: Role = "scalar",
    gives: str = "",
    weight: int = 1,
) -> None:
    repeats = parameters.endswith(" …")
    made = tuple(_parameter(p) for p in parameters.removesuffix(" …").split(", ") if p)
    shown = gives or str(result)
    FUNCTIONS[name] = Function(name, group, made, result, shown, meaning, role, repeats, weight)


def _parameter(text: str) -> Parameter:
    head, _, default = text.partition("=")
    name, kind = head.split(":")
    optional = kind.endswith("?") or bool(default)
    value: Constant = int(default) if default.lstrip("-").isdigit() else default or None
    return Parameter(name, kind.removesuffix("?"), optional, value if value != "space" else " ")  # type: ignore[arg-type]  # the words below are those of Kind


# fmt: off

_add("Text", "upper", "text:string", STRING, "In capitals.")
_add("Text", "lower", "text:string", STRING, "In small letters.")
_add("Text", "trim", "text:string, signs:string=space", STRING,
     "Without these signs at both ends; `trim(signs FROM text)`.")
_add("Text", "ltrim", "text:string, signs:string=space", STRING,
     "The same at the start; `trim(LEADING signs FROM text)`.")
_add("Text", "rtrim", "text:string, signs:string=space", STRING,
     "The same at the end; `trim(TRAILING signs FROM text)`.")
_add("Text", "length", "text:string", INT, "The number of characters (code points).")
_add("Text", "substring", "text:string, from:int, length:int=2147483647", STRING,
     "A part, counted from 1, or from the end when `from` is negative; 0 counts as 1.", weight=4)
_add("Text", "concat", "text:string …", STRING, "One after another; null when one is. Also `||`.")
_add("Text", "concat_ws", "separator:string, text:string …", STRING, "With a separator between; nulls are left out.")
_add("Text", "replace", "text:string, what:string, by:string?", STRING,
     "Every `what` replaced; removed when `by` is left out.", weight=2)
_add("Text", "split", "text:string, pattern:pattern", _TEXTS, "The parts between matches.")
_add("Text", "split_part", "text:string, separator:string, number:part", STRING,
     "One part, counted from 1; empty when there is none.", weight=2)
_add("Text", "size", "parts:array", INT, "How many parts.")
_add("Text", "get", "parts:array, index:int", STRING,
     "One part, counted from 0; null when there is none. `parts[index]` fails then.", weight=2)
_add("Text", "instr", "text:string, part:string", INT, "Where the part begins, from 1; 0 when it is nowhere.")
_add("Text", "lpad", "text:string, length:length, signs:string=space", STRING,
     "Filled up, or cut, to a length; filled at the start.", weight=3)
_add("Text", "rpad", "text:string, length:length, signs:string=space", STRING, "The same at the end.", weight=3)
_add("Text", "regexp_replace", "text:string, pattern:pattern, by:replacement", STRING,
     "Every match replaced; `$1` is a group.")
_add("Text", "regexp_extract", "text:string, pattern:pattern, group:group=1", STRING,
     "A group of the first match, 0 for all of it; empty when nothing matches.")

_add("Numbers", "abs", "number:number", _first, "Without its sign.", gives="that of the number")
_add("Numbers", "round", "number:number, digits:digits=0", _rounded,
     "Half away from zero.", gives="that of the number; decimal(p,s) keeps `digits` behind the point", weight=6)
_add("Numbers", "floor", "number:number", _whole,
     "The next whole number below.", gives="bigint; decimal(p-s+1,0) for a decimal", weight=3)
_add("Numbers", "ceil", "number:number", _whole,
     "The next whole number above.", gives="bigint; decimal(p-s+1,0) for a decimal", weight=3)
_add("Numbers", "mod", "a:divisible, b:divisible", _first,
     "What is left of a division; null for b = 0, counted. Also `%`.", gives="as Spark has it for %", weight=2)
_add("Numbers", "power", "base:double, exponent:double", DOUBLE, "The power.", weight=2)
_add("Numbers", "sqrt", "number:double", DOUBLE, "The square root; NaN for a negative number.", weight=2)
_add("Numbers", "try_divide", "a:divisible, b:divisible", DOUBLE,
     "a / b; null for b = 0, not counted.", gives="as a / b", weight=3)
_add("Numbers", "greatest", "value:same, value:same …", _first,
     "The largest; nulls are left out.", gives="the common type")
_add("Numbers", "least", "value:same, value:same …", _first,
     "The smallest; nulls are left out.", gives="the common type")

_add("Choices", "coalesce", "value:same …", _first,
     "The first that is not null. Also `nvl`, `ifnull`.", gives="the common type")
_add("Choices", "nullif", "a:any, b:any", _first, "Null when both are equal, else `a`.", gives="that of `a`", weight=2)
_add("Choices", "if", "test:boolean, yes:same, no:same", _first,
     "`yes` when the test is true, else `no`.", gives="the common type")

_add("Dates and times", "current_date", "", DATE, "The day, in UTC, on which the run began.")
_add("Dates and times", "current_timestamp", "", TIMESTAMP, "When the run began, in UTC.")
_add("Dates and times", "date_add", "day:date, days:int", DATE, "So many days later.")
_add("Dates and times", "date_sub", "day:date, days:int", DATE, "So many days earlier.")
_add("Dates and times", "datediff", "end:date, start:date", INT, "Days from start to end.")
_add("Dates and times", "add_months", "day:date, months:int", DATE,
     "So many months later; the last day when there is no such day.")
_add("Dates and times", "last_day", "day:date", DATE, "The last day of the month.")
_add("Dates and times", "year", "day:date", INT, "The year.")
_add("Dates and times", "quarter", "day:date", INT, "The quarter, 1 to 4.")
_add("Dates and times", "month", "day:date", INT, "The month, 1 to 12.")
_add("Dates and times", "dayofmonth", "day:date", INT, "The day of the month. Also `day`.")
_add("Dates and times", "dayofweek", "day:date", INT, "1 for Sunday to 7 for Saturday.")
_add("Dates and times", "hour", "at:moment", INT, "The hour.")
_add("Dates and times", "minute", "at:moment", INT, "The minute.")
_add("Dates and times", "second", "at:moment", INT, "The second.")
_add("Dates and times", "to_date", "value:any, pattern:reading?", DATE,
     "A text, or a timestamp, as a date; a text that is none fails the run.", weight=8)
_add("Dates and times", "to_timestamp", "value:any, pattern:reading?", TIMESTAMP,
     "A text, or a date, as a timestamp; a text that is none fails the run.", weight=8)
_add("Dates and times", "date_format", "at:moment, pattern:format", STRING, "As text.")
_add("Dates and times", "date_trunc", "unit:unit, at:moment", TIMESTAMP, "The start of the unit.")
_add("Dates and times", "trunc", "day:date, unit:date unit", DATE, "The start of the unit.")
_add("Dates and times", "unix_timestamp", "value:any, pattern:reading?", BIGINT, "Seconds since 1970.", weight=8)
_add("Dates and times", "from_unixtime", "seconds:bigint, pattern:format=yyyy-MM-dd HH:mm:ss", STRING,
     "As text, in UTC.")

_add("Aggregates", "count", "value:any?", BIGINT,
     "Rows (`*`), or values that are not null; `count(DISTINCT value)`.", role="aggregate")
_add("Aggregates", "sum", "number:number", _sum,
     "The sum.", role="aggregate", gives="bigint, decimal(p+10,s) or double")
_add("Aggregates", "avg", "number:double", DOUBLE, "The mean.", role="aggregate")
_add("Aggregates", "min", "value:comparable", _first, "The smallest.", role="aggregate", gives="that of the value")
_add("Aggregates", "max", "value:comparable", _first, "The largest.", role="aggregate", gives="that of the value")
_add("Aggregates", "stddev", "number:double", DOUBLE,
     "The standard deviation of a sample; null for one value.", role="aggregate")

_add("Windows", "row_number", "", INT, "The number of the row, from 1.", role="window")
_add("Windows", "rank", "", INT, "The rank, with gaps after ties.", role="window")
_add("Windows", "dense_rank", "", INT, "The rank without gaps.", role="window")
_add("Windows", "lag", "value:any, rows:offset=1, otherwise:any?", _first,
     "The value so many rows before.", role="window", gives="that of the value")
_add("Windows", "lead", "value:any, rows:offset=1, otherwise:any?", _first,
     "The value so many rows after.", role="window", gives="that of the value")
# fmt: on


def find(name: str) -> Function | None:
    """The function of a name, in any case."""
    folded = name.lower()
    return FUNCTIONS.get(OTHER_NAMES.get(folded, folded))


def names() -> list[str]:
    """All names, second ones too."""
    return sorted({*FUNCTIONS, *OTHER_NAMES})


def rows() -> list[tuple[str, str, str, str]]:
    """Group, signature, result type and meaning of each function, for the reference page."""
    return [(f.group, f.signature, f.shown, f.meaning) for f in FUNCTIONS.values()]
