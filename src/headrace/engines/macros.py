"""The casts from text as DuckDB macros: its own are looser than Spark's, so a form is matched first."""

from headrace.engines.forms import DATE_FORM, DOUBLE_FORM, FIRST, INTEGER_FORM, LAST, NUMBER_FORM, TIMESTAMP_FORM
from headrace.plan.types import FRACTIONS, INTEGERS

MACROS = (
    *(
        f"CREATE TEMP MACRO to_{name}(v) AS CASE WHEN CAST(TRY_CAST(v AS {name}) AS VARCHAR) = v "
        f"THEN TRY_CAST(v AS {name}) WHEN regexp_full_match(v, '{INTEGER_FORM}') THEN TRY_CAST(v AS {name}) END"
        for name in INTEGERS
    ),
    *(
        f"CREATE TEMP MACRO to_{name}(v) AS CASE "
        f"WHEN isfinite(TRY_CAST(v AS {name})) AND NOT contains(v, '_') AND NOT contains(v, '+-') "
        f"THEN TRY_CAST(v AS {name}) "
        f"WHEN regexp_full_match(v, '{DOUBLE_FORM}') THEN TRY_CAST(v AS {name}) END"
        for name in FRACTIONS
    ),
    "CREATE TEMP MACRO trimmed(v) AS trim(v, E' \\t\\n\\r\\x0C\\x0B')",
    "CREATE TEMP MACRO to_boolean(v) AS CASE "
    "WHEN lower(trimmed(v)) IN ('true', 't', 'yes', 'y', '1') THEN TRUE "
    "WHEN lower(trimmed(v)) IN ('false', 'f', 'no', 'n', '0') THEN FALSE END",
    # The cast to decimal takes `1_000`, `1E` and a lone sign, and makes 0.01 of `1e-9`: it is given plain numbers.
    "CREATE TEMP MACRO is_plain(v) AS NOT (contains(v, '_') OR contains(v, 'e') OR contains(v, 'E'))",
    "CREATE TEMP MACRO number_parts(v) AS regexp_extract(trimmed(v), "
    r"'^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$', ['sign', 'whole', 'part', 'power'])",
    "CREATE TEMP MACRO with_point(digits, place) AS CASE WHEN place > 0 "
    "THEN rpad(digits, place, '0') || '.' || substr(digits, place + 1) "
    "ELSE '0.' || repeat('0', -place) || digits END",
    "CREATE TEMP MACRO power(text) AS CASE WHEN text = '' THEN 0 WHEN TRY_CAST(text AS HUGEINT) > 999 THEN 999 "
    "WHEN TRY_CAST(text AS HUGEINT) < -999 THEN -999 ELSE TRY_CAST(text AS INT) END",
    "CREATE TEMP MACRO moved(p) AS p.sign || with_point("
    "p.whole || p.part, CAST(length(p.whole) + power(p.power) AS INT))",
    f"CREATE TEMP MACRO to_plain(v) AS CASE WHEN regexp_full_match(v, '{NUMBER_FORM}') THEN moved(number_parts(v)) END",
    "CREATE TEMP MACRO to_date(v) AS CASE WHEN CAST(TRY_CAST(v AS DATE) AS VARCHAR) = v "
    "AND TRY_CAST(v AS DATE) BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN TRY_CAST(v AS DATE) "
    f"WHEN regexp_full_match(v, '{DATE_FORM}') THEN TRY_CAST(v AS DATE) END",
    # Two forms need no match: with a space, as DuckDB writes it, and, at the price of a replacement, with a T.
    "CREATE TEMP MACRO to_timestamp_text(v) AS CASE "
    f"WHEN CAST(TRY_CAST(v AS TIMESTAMP) AS VARCHAR) = v AND TRY_CAST(v AS TIMESTAMP) BETWEEN {FIRST} AND {LAST} "
    "THEN TRY_CAST(v AS TIMESTAMP) "
    "WHEN CAST(TRY_CAST(v AS TIMESTAMP) AS VARCHAR) = replace(v, 'T', ' ') "
    f"AND TRY_CAST(v AS TIMESTAMP) BETWEEN {FIRST} AND {LAST} THEN TRY_CAST(v AS TIMESTAMP) "
    f"WHEN regexp_full_match(v, '{TIMESTAMP_FORM}') "
    f"AND CAST(TRY_CAST(trimmed(v) AS TIMESTAMPTZ) AS TIMESTAMP) BETWEEN {FIRST} AND {LAST} "
    "THEN CAST(TRY_CAST(trimmed(v) AS TIMESTAMPTZ) AS TIMESTAMP) END",
    "CREATE TEMP MACRO iso(t) AS replace(CAST(t AS VARCHAR), ' ', 'T')",
    "CREATE TEMP MACRO finite(x) AS CASE WHEN isfinite(x) THEN x END",
    # A sequence is a counter that threads share; the rows it is asked for are only the bad ones.
    "CREATE TEMP MACRO counted(x, v, counter) AS COALESCE(x, "
    "CASE WHEN v IS NOT NULL AND nextval(counter) < 0 THEN NULL END)",
)
