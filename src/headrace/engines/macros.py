"""The casts from text as DuckDB macros: its own are looser than Spark's, so the form of a text counts too.

A regular expression for each value costs a fifth of the time of a read. So each macro begins with a cheap test that
only well-formed texts pass, though not all of them, and only the others are matched. What makes such a test right
stands beside it. Two rules of the engine keep them fast: a cast that several branches share has to stand in the first
test of the first branch, or it is computed again; and a costly expression that stands twice is computed for every row.
A cast that counts does so behind its cheap test: around it, each value would be looked at once more.
"""

from collections.abc import Iterator

from headrace.engines.forms import (
    BARE_TIMESTAMP_FORM,
    DATE_FORM,
    DOUBLE_FORM,
    FALSE_FORM,
    INTEGER_FORM,
    LAST,
    NUMBER_FORM,
    TIMESTAMP_FORM,
    TRUE_FORM,
    UTC_TIMESTAMP_FORM,
)
from headrace.plan.types import FRACTIONS

_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_COUNTING = frozenset((*_DIGITS, *FRACTIONS, "date", "timestamp_text"))


def counted(value: str, inner: str, counter: str) -> str:
    """The value, counted where it is null and what it was made of is not: by its own cast when it is just that."""
    name = value.removeprefix("to_").removesuffix(f"({inner})")
    own = name in _COUNTING and value == f"to_{name}({inner})"
    return f"counted_{name}({inner}, '{counter}')" if own else f"counted({value}, {inner}, '{counter}')"


def _cast(name: str, cheap: str, value: str, matched: str) -> Iterator[str]:
    """A cast with a cheap test that tells well-formed texts, and the value of those that it does not tell."""
    yield f"CREATE TEMP MACRO matched_{name}(v) AS CASE {matched} END"
    yield f"CREATE TEMP MACRO to_{name}(v) AS CASE WHEN {cheap} THEN {value} ELSE matched_{name}(v) END"
    yield (
        f"CREATE TEMP MACRO counted_{name}(v, counter) AS CASE WHEN {cheap} THEN {value} "
        f"ELSE counted(matched_{name}(v), v, counter) END"
    )


def _integer(name: str, digits: int) -> Iterator[str]:
    """As many digits as signs, and the first of them 1 to 9: then only an exponent could hide a letter, as in 1e3.

    Such a value ends in two zeros, so those that do are cast back and compared.
    """
    least = ", ".join(str(10**power) for power in range(digits))
    value = f"TRY_CAST(v AS {name})"
    cheap = f"{value} >= [{least}][strlen(v)] AND {value} % 100 <> 0 AND v >= '1'"
    matched = f"WHEN CAST({value} AS VARCHAR) = v THEN {value} WHEN regexp_full_match(v, '{INTEGER_FORM}') THEN {value}"
    return _cast(name, cheap, value, matched)


def _fraction(name: str) -> Iterator[str]:
    """Of what DuckDB takes for a finite number, only an underscore and a double sign are wrong; `+` is below `-`."""
    value = f"TRY_CAST(v AS {name})"
    cheap = f"isfinite({value}) AND v >= '-' AND NOT contains(v, '_')"
    return _cast(name, cheap, value, f"WHEN regexp_full_match(v, '{DOUBLE_FORM}') THEN {value}")


def _date() -> Iterator[str]:
    """A year from 1000 with a dash behind four signs has four digits; then only the last sign could be loose."""
    value = "TRY_CAST(v AS DATE)"
    cheap = f"{value} BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' AND v GLOB '????-??-?[0-9]'"
    return _cast("date", cheap, value, f"WHEN regexp_full_match(v, '{DATE_FORM}') THEN {value}")


def _timestamp() -> Iterator[str]:
    """As a date, with a time whose hour is below 24."""
    value = "TRY_CAST(v AS TIMESTAMP)"
    cheap = (
        f"{value} BETWEEN TIMESTAMP '1000-01-01 00:00:00' AND {LAST} "
        "AND v GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9]' AND NOT suffix(v, '24:00:00')"
    )
    matched = (
        f"WHEN regexp_full_match(v, '{UTC_TIMESTAMP_FORM}') THEN {value} "
        f"WHEN regexp_full_match(v, '{BARE_TIMESTAMP_FORM}') THEN {_zoned('v')} "
        f"WHEN regexp_full_match(v, '{TIMESTAMP_FORM}') THEN {_zoned('trimmed(v)')}"
    )
    return _cast("timestamp_text", cheap, value, matched)


def _zoned(text: str) -> str:
    """An instant with an offset, as long as it stays within the years that can be written."""
    instant = f"TRY_CAST({text} AS TIMESTAMPTZ)"
    first, last = "TIMESTAMPTZ '0001-01-01 00:00:00+00'", "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"
    return f"CASE WHEN {instant} BETWEEN {first} AND {last} THEN CAST({instant} AS TIMESTAMP) END"


MACROS = (
    "CREATE TEMP MACRO trimmed(v) AS trim(v, E' \\t\\n\\r\\x0C\\x0B')",
    # A sequence is a counter that threads share; the rows it is asked for are only the bad ones.
    "CREATE TEMP MACRO counted(x, v, counter) AS COALESCE(x, "
    "CASE WHEN v IS NOT NULL AND nextval(counter) < 0 THEN NULL END)",
    *(macro for name, digits in _DIGITS.items() for macro in _integer(name, digits)),
    *(macro for name in FRACTIONS for macro in _fraction(name)),
    *_date(),
    *_timestamp(),
    "CREATE TEMP MACRO to_boolean(v) AS CASE WHEN v = 'true' THEN TRUE WHEN v = 'false' THEN FALSE "
    f"WHEN regexp_full_match(v, '{TRUE_FORM}') THEN TRUE WHEN regexp_full_match(v, '{FALSE_FORM}') THEN FALSE END",
    # The cast to decimal takes `1_000`, `1E` and a lone sign, and makes 0.01 of `1e-9`: it is given plain numbers.
    "CREATE TEMP MACRO is_plain(v) AS NOT (contains(v, '_') OR contains(v, 'e') OR contains(v, 'E'))",
    "CREATE TEMP MACRO number_parts(v) AS regexp_extract(trimmed(v), "
    r"'^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$', ['sign', 'whole', 'part', 'power'])",
    "CREATE TEMP MACRO with_point(digits, place) AS CASE WHEN place > 0 "
    "THEN rpad(digits, place, '0') || '.' || substr(digits, place + 1) "
    "ELSE '0.' || repeat('0', -place) || digits END",
    "CREATE TEMP MACRO power_of(text) AS CASE WHEN text = '' THEN 0 WHEN TRY_CAST(text AS HUGEINT) > 999 THEN 999 "
    "WHEN TRY_CAST(text AS HUGEINT) < -999 THEN -999 ELSE TRY_CAST(text AS INT) END",
    "CREATE TEMP MACRO moved(p) AS p.sign || with_point("
    "p.whole || p.part, CAST(length(p.whole) + power_of(p.power) AS INT))",
    f"CREATE TEMP MACRO to_plain(v) AS CASE WHEN regexp_full_match(v, '{NUMBER_FORM}') THEN moved(number_parts(v)) END",
    "CREATE TEMP MACRO iso(t) AS replace(CAST(t AS VARCHAR), ' ', 'T')",
    "CREATE TEMP MACRO finite(x) AS CASE WHEN isfinite(x) THEN x END",
)
