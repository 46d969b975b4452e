"""The casts from text as DuckDB macros: its own are looser than Spark's, so the form of a text counts too.

A regular expression for each value costs a fifth of the time of a read. So each macro begins with a cheap test that
only well-formed texts pass, though not all of them, and only the others are matched. What makes such a test right
stands beside it. Two rules of the engine keep them fast: a cast that several branches share has to stand in the first
test of the first branch, or it is computed again; and a costly expression that stands twice is computed for every row.
"""

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


def _integer(name: str, digits: int) -> str:
    """As many digits as signs, and the first of them 1 to 9: then only an exponent could hide a letter, as in 1e3.

    Such a value ends in two zeros, so those that do are cast back and compared.
    """
    least = ", ".join(str(10**power) for power in range(digits))
    value = f"TRY_CAST(v AS {name})"
    return (
        f"CREATE TEMP MACRO to_{name}(v) AS CASE "
        f"WHEN {value} >= [{least}][strlen(v)] AND {value} % 100 <> 0 AND v >= '1' THEN {value} "
        f"WHEN CAST({value} AS VARCHAR) = v THEN {value} "
        f"WHEN regexp_full_match(v, '{INTEGER_FORM}') THEN {value} END"
    )


def _fraction(name: str) -> str:
    """Of what DuckDB takes for a finite number, only an underscore and a double sign are wrong; `+` is below `-`."""
    value = f"TRY_CAST(v AS {name})"
    return (
        f"CREATE TEMP MACRO to_{name}(v) AS CASE "
        f"WHEN isfinite({value}) AND v >= '-' AND NOT contains(v, '_') THEN {value} "
        f"WHEN regexp_full_match(v, '{DOUBLE_FORM}') THEN {value} END"
    )


def _zoned(text: str) -> str:
    """An instant with an offset, as long as it stays within the years that can be written."""
    instant = f"TRY_CAST({text} AS TIMESTAMPTZ)"
    first, last = "TIMESTAMPTZ '0001-01-01 00:00:00+00'", "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"
    return f"CASE WHEN {instant} BETWEEN {first} AND {last} THEN CAST({instant} AS TIMESTAMP) END"


MACROS = (
    *(_integer(name, digits) for name, digits in _DIGITS.items()),
    *(_fraction(name) for name in FRACTIONS),
    "CREATE TEMP MACRO trimmed(v) AS trim(v, E' \\t\\n\\r\\x0C\\x0B')",
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
    # A year from 1000 with a dash behind four signs has four digits; then only the last sign could be loose.
    "CREATE TEMP MACRO to_date(v) AS CASE "
    "WHEN TRY_CAST(v AS DATE) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' AND v GLOB '????-??-?[0-9]' "
    f"THEN TRY_CAST(v AS DATE) WHEN regexp_full_match(v, '{DATE_FORM}') THEN TRY_CAST(v AS DATE) END",
    "CREATE TEMP MACRO to_timestamp_text(v) AS CASE "
    f"WHEN TRY_CAST(v AS TIMESTAMP) BETWEEN TIMESTAMP '1000-01-01 00:00:00' AND {LAST} "
    "AND v GLOB '????-??-?[0-9][ T][0-9]?:??:?[0-9]' AND NOT suffix(v, '24:00:00') THEN TRY_CAST(v AS TIMESTAMP) "
    f"WHEN regexp_full_match(v, '{UTC_TIMESTAMP_FORM}') THEN TRY_CAST(v AS TIMESTAMP) "
    f"WHEN regexp_full_match(v, '{BARE_TIMESTAMP_FORM}') THEN {_zoned('v')} "
    f"WHEN regexp_full_match(v, '{TIMESTAMP_FORM}') THEN {_zoned('trimmed(v)')} END",
    "CREATE TEMP MACRO iso(t) AS replace(CAST(t AS VARCHAR), ' ', 'T')",
    "CREATE TEMP MACRO finite(x) AS CASE WHEN isfinite(x) THEN x END",
    # A sequence is a counter that threads share; the rows it is asked for are only the bad ones.
    "CREATE TEMP MACRO counted(x, v, counter) AS COALESCE(x, "
    "CASE WHEN v IS NOT NULL AND nextval(counter) < 0 THEN NULL END)",
)
