"""The functions of SQL nodes in the SQL of each engine, so that both give what Spark's documentation says.

An entry is a template, in which `{0}` is the first argument, or a function of the call, its arguments as SQL and the
dialect. Where a plain call would not do, why stands beside it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from headrace.engines.dialects import SqlDialect
from headrace.engines.sql import FAILED
from headrace.plan.types import FRACTIONS, INTEGERS, Decimal, Scalar, Type
from headrace.sqltext.moments import Reading
from headrace.sqltext.moments import read as read_form
from headrace.sqltext.moments import shown as shown_form
from headrace.sqltext.patterns import parse_pattern, replacement
from headrace.sqltext.tree import Call, Const

Rendering = str | Callable[[Call, Sequence[str], SqlDialect], str]

_MOST_EXACT = "1e17"
MACROS: Mapping[str, str] = {
    "sql_fail": "(told, v) AS error('" + FAILED + "' || json_object('told', told, 'value', CAST(v AS VARCHAR)))",
    "sql_must": "(x, v, told) AS COALESCE(x, CASE WHEN v IS NOT NULL THEN sql_fail(told, v) END)",
    "sql_sum": "(total, about, most, told) AS CASE WHEN abs(about) >= most * 0.999 THEN sql_fail(told, about) "
    "ELSE total END",
    "sql_counted": "(x, bad, counter) AS CASE WHEN bad AND nextval(counter) < 0 THEN NULL ELSE x END",
    # As Spark cuts: from a start that may lie before the text, up to an end.
    "sql_start": "(s, p) AS CASE WHEN p > 0 THEN CAST(p AS BIGINT) - 1 WHEN p < 0 THEN length(s) + p "
    "WHEN p = 0 THEN 0 END",
    "sql_substring": "(s, p, n) AS CASE WHEN p IS NOT NULL AND n IS NOT NULL "
    "THEN substring(s, greatest(sql_start(s, p), 0) + 1, "
    "greatest(least(sql_start(s, p) + n, length(s)) - greatest(sql_start(s, p), 0), 0)) END",
    "sql_element": "(l, i, told) AS CASE WHEN i < 0 OR i >= len(l) "
    "THEN sql_fail(told, i) ELSE list_extract(l, CAST(i AS BIGINT) + 1) END",
    "sql_lpad": "(s, n, p) AS CASE WHEN p IS NULL THEN NULL WHEN p = '' OR n <= length(s) THEN substring(s, 1, n) "
    "ELSE lpad(s, n, p) END",
    "sql_rpad": "(s, n, p) AS CASE WHEN p IS NULL THEN NULL WHEN p = '' OR n <= length(s) THEN substring(s, 1, n) "
    "ELSE rpad(s, n, p) END",
    "sql_split_part": "(s, d, n) AS CASE WHEN d <> '' THEN split_part(s, d, n) WHEN s IS NULL OR d IS NULL THEN NULL "
    "WHEN n = 1 THEN s ELSE '' END",
    # A decimal as its digits, and back: DuckDB divides decimals as doubles.
    "sql_digits": "(x) AS CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT)",
    "sql_half_up": "(n, d) AS n // d + CASE WHEN abs(n % d) >= abs(d) - abs(n % d) "
    "THEN CASE WHEN (n < 0) = (d < 0) THEN 1 ELSE -1 END ELSE 0 END",
    "sql_padded": "(q, s) AS CASE WHEN length(CAST(abs(q) AS VARCHAR)) > s THEN CAST(abs(q) AS VARCHAR) "
    "ELSE lpad(CAST(abs(q) AS VARCHAR), s + 1, '0') END",
    "sql_with_point": "(q, s) AS CASE WHEN q < 0 THEN '-' ELSE '' END "
    "|| left(sql_padded(q, s), length(sql_padded(q, s)) - s) || '.' || right(sql_padded(q, s), s)",
    "sql_divide": "(a, b, shift, s) AS sql_with_point(sql_half_up(sql_digits(a) * CAST(shift AS HUGEINT), "
    "nullif(sql_digits(b), 0)), s)",
}  # fmt: skip


def macros(statements: Iterable[str]) -> list[str]:
    """The statements that make what these call, each after those that it needs itself."""
    needed: dict[str, None] = {}

    def need(text: str) -> None:
        for name, body in MACROS.items():
            if f"{name}(" in text and name not in needed:
                need(body)
                needed[name] = None

    for statement in statements:
        need(statement)
    return [f"CREATE TEMP MACRO {name}{MACROS[name]}" for name in needed]


def function(call: Call, args: Sequence[str], dialect: SqlDialect) -> str:
    """The call as SQL."""
    rendering = (DUCKDB if dialect.name == "duckdb" else SPARK)[call.name]
    return rendering.format(*args) if isinstance(rendering, str) else rendering(call, args, dialect)


def _list(call: Call, args: Sequence[str], _: SqlDialect) -> str:
    return f"{call.name}({', '.join(args)})"


def _joined(operator: str) -> Rendering:
    return lambda _call, args, _dialect: "(" + f" {operator} ".join(args) + ")"


def _among(_call: Call, args: Sequence[str], _: SqlDialect) -> str:
    return f"({args[0]} IN ({', '.join(args[1:])}))"


def _typed(template: str) -> Rendering:
    """A template whose result is cast to the type that the plan knows."""
    return lambda call, args, dialect: f"CAST({template.format(*args)} AS {dialect.type_name(call.type)})"


def _text(call: Call, index: int) -> str:
    """An argument that is written out."""
    given = call.args[index]
    assert isinstance(given, Const)
    return str(given.value)


def _integer(type_: Type) -> bool:
    return isinstance(type_, Scalar) and type_.name in INTEGERS


def _fraction(type_: Type) -> bool:
    return isinstance(type_, Scalar) and type_.name in FRACTIONS


# Arithmetic


def _arithmetic(operator: str) -> Rendering:
    def rendered(call: Call, args: Sequence[str], dialect: SqlDialect) -> str:
        if dialect.name == "duckdb" and isinstance(call.type, Decimal):
            name = dialect.type_name(call.type)
            if operator in "+-":
                args = [f"CAST({arg} AS {name})" for arg in args]
            return f"CAST({args[0]} {operator} {args[1]} AS {name})"
        return f"({args[0]} {operator} {args[1]})"

    return rendered


def _duckdb_divide(call: Call, args: Sequence[str], dialect: SqlDialect) -> str:
    if not isinstance(call.type, Decimal):
        return f"({args[0]} / NULLIF({args[1]}, 0))"
    (a, b), scale = (arg.type for arg in call.args), call.type.scale
    assert isinstance(a, Decimal)
    assert isinstance(b, Decimal)
    shift = "1" + "0" * (scale + b.scale - a.scale)
    return f"CAST(sql_divide({args[0]}, {args[1]}, '{shift}', {scale}) AS {dialect.type_name(call.type)})"


def _duckdb_round(call: Call, args: Sequence[str], dialect: SqlDialect) -> str:
    source, digits, name = call.args[0].type, int(_text(call, 1)), dialect.type_name(call.type)
    if isinstance(source, Decimal) and digits >= source.scale:
        return f"CAST({args[0]} AS {name})"
    if _integer(source) and digits >= 0:
        return args[0]
    if not _fraction(source):
        return f"CAST(round({args[0]}, {digits}) AS {name})"
    # By the shortest text of the double, as Spark does: the binary value of 2.675 lies below it.
    exact = dialect.cast(args[0], source, Decimal(38, 20))
    decimal = f"CAST(round({exact}, {digits}) AS {name})"
    return f"CASE WHEN abs({args[0]}) < {_MOST_EXACT} THEN {decimal} ELSE {args[0]} END"


def _spark_whole(call: Call, args: Sequence[str], dialect: SqlDialect) -> str:
    if not _fraction(call.args[0].type):
        return f"{call.name}({args[0]})"
    # Spark makes 0 of NaN, and the largest bigint of what is larger: in silence.
    fits = f"{args[0]} >= -9223372036854775808D AND {args[0]} < 9223372036854775808D"
    told = dialect.text(f"{call.name} of a number that is no bigint")
    return f"CASE WHEN NOT ({fits}) THEN raise_error({told}) ELSE {call.name}({args[0]}) END"


# Text


def _duckdb_pattern(template: str) -> Rendering:
    """A template in which `{p}` is the pattern for RE2, `{r}` the replacement, `{g}` the number of a group."""

    def rendered(call: Call, args: Sequence[str], dialect: SqlDialect) -> str:
        pattern = parse_pattern(_text(call, 1))
        by = replacement(_text(call, 2), pattern.groups)[1] if call.name == "regexp_replace" else ""
        group = _text(call, 2) if call.name == "regexp_extract" else "0"
        return template.format(*args, p=dialect.text(pattern.re2), r=dialect.text(by), g=group)

    return rendered


def _spark_pattern(call: Call, args: Sequence[str], dialect: SqlDialect) -> str:
    java = dialect.text(parse_pattern(_text(call, 1)).java)
    match call.name:
        case "rlike":
            return f"({args[0]} RLIKE {java})"
        case "split":
            return f"split({args[0]}, {java})"
        case "regexp_extract":
            return f"regexp_extract({args[0]}, {java}, {_text(call, 2)})"
        case _:
            return f"regexp_replace({args[0]}, {java}, {args[2]})"


def _replace(_: Call, args: Sequence[str], dialect: SqlDialect) -> str:
    by = args[2] if len(args) > 2 else "''"
    # With nothing to look for, Spark gives the text as it is.
    if dialect.name == "duckdb":
        return (
            f"CASE WHEN {args[1]} = '' AND {by} IS NOT NULL THEN {args[0]} ELSE replace({args[0]}, {args[1]}, {by}) END"
        )
    return f"replace({args[0]}, {args[1]}, {by})"


# Dates and times


def _duckdb_format(call: Call, args: Sequence[str], dialect: SqlDialect) -> str:
    shown = dialect.text(shown_form(_text(call, 1)))
    value = f"make_timestamp({args[0]} * 1000000)" if call.name == "from_unixtime" else args[0]
    return f"strftime({value}, {shown})"


def _duckdb_read(call: Call, args: Sequence[str], dialect: SqlDialect) -> str:
    """The parts of the text put together by ISO 8601; a text of another form, or of no day, fails the run."""
    reading = read_form(_text(call, 1))
    whole = dialect.text(f"^(?:{reading.form})\\z")
    iso = " || ".join(_parts(args[0], reading, whole, timestamp=call.name == "read_timestamp"))
    name = "TIMESTAMP" if call.name == "read_timestamp" else "DATE"
    # No year 0, as in Spark; DuckDB knows one.
    value = f"CASE WHEN regexp_matches({args[0]}, {whole}) AND {_part(args[0], reading, whole, 'y')} <> '0000' "
    return f"sql_must({value}THEN TRY_CAST({iso} AS {name}) END, {args[0]}, {args[2]})"


def _parts(text: str, reading: Reading, whole: str, *, timestamp: bool) -> list[str]:
    def part(letter: str, otherwise: str) -> str:
        if letter not in reading.groups:
            return f"'{otherwise}'"
        return f"lpad({_part(text, reading, whole, letter)}, 2, '0')"

    day = [_part(text, reading, whole, "y"), "'-'", part("M", "01"), "'-'", part("d", "01")]
    if not timestamp:
        return day
    time = ["' '", part("H", "00"), "':'", part("m", "00"), "':'", part("s", "00")]
    fraction = ["'.'", _part(text, reading, whole, "S")] if "S" in reading.groups else []
    return [*day, *time, *fraction]


def _part(text: str, reading: Reading, whole: str, letter: str) -> str:
    return f"regexp_extract({text}, {whole}, {reading.groups[letter]})"


def _spark_read(call: Call, args: Sequence[str], _: SqlDialect) -> str:
    read = f"{'to_date' if call.name == 'read_date' else 'to_timestamp'}({args[0]}, {args[1]})"
    return read if call.name == "read_date" else f"CAST({read} AS TIMESTAMP_NTZ)"


_SAME: Mapping[str, Rendering] = {
    "and": _joined("AND"),
    "or": _joined("OR"),
    "not": "(NOT {0})",
    "negative": "(- {0})",
    "is null": "({0} IS NULL)",
    "in": _among,
    "like": "({0} LIKE {1} ESCAPE {2})",
    **{operator: f"({{0}} {operator} {{1}})" for operator in ("=", "<>", ">", ">=", "<", "<=")},
    **{operator: _arithmetic(operator) for operator in ("+", "-", "*")},
    **dict.fromkeys(("upper", "lower", "concat_ws", "abs", "greatest", "least", "coalesce", "last_day"), _list),
    "replace": _replace,
}
DUCKDB: Mapping[str, Rendering] = {
    **_SAME,
    "<=>": "({0} IS NOT DISTINCT FROM {1})",
    "/": _duckdb_divide,
    "try_divide": _duckdb_divide,
    "%": _typed("{0} % NULLIF({1}, 0)"),
    "trim": "trim({0}, {1})",
    "ltrim": "ltrim({0}, {1})",
    "rtrim": "rtrim({0}, {1})",
    "length": _typed("length({0})"),
    "substring": "sql_substring({0}, {1}, {2})",
    "concat": _joined("||"),
    "split": _duckdb_pattern("string_split_regex({0}, {p})"),
    "split_part": "sql_split_part({0}, {1}, {2})",
    "size": _typed("len({0})"),
    "get": "CASE WHEN {1} >= 0 THEN list_extract({0}, CAST({1} AS BIGINT) + 1) END",
    "element": "sql_element({0}, {1}, {2})",
    "instr": _typed("instr({0}, {1})"),
    "lpad": "sql_lpad({0}, {1}, {2})",
    "rpad": "sql_rpad({0}, {1}, {2})",
    "regexp_replace": _duckdb_pattern("regexp_replace({0}, {p}, {r}, 'g')"),
    "regexp_extract": _duckdb_pattern("regexp_extract({0}, {p}, {g})"),
    "rlike": _duckdb_pattern("regexp_matches({0}, {p})"),
    "round": _duckdb_round,
    "floor": _typed("floor({0})"),
    "ceil": _typed("ceil({0})"),
    "power": "pow({0}, {1})",
    "sqrt": "CASE WHEN {0} < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt({0}) END",
    "date_add": _typed("{0} + {1}"),
    "date_sub": _typed("{0} - {1}"),
    "datediff": _typed("{0} - {1}"),
    "add_months": _typed("{0} + to_months({1})"),
    **{
        name: _typed(f"{name}({{0}})")
        for name in ("year", "quarter", "month", "dayofmonth", "hour", "minute", "second")
    },
    "dayofmonth": _typed("day({0})"),
    "dayofweek": _typed("dayofweek({0}) + 1"),
    "date_trunc": _typed("date_trunc({0}, {1})"),
    "trunc": _typed("date_trunc({1}, {0})"),
    "unix_timestamp": "(epoch_us({0}) // 1000000)",
    "date_format": _duckdb_format,
    "from_unixtime": _duckdb_format,
    "read_date": _duckdb_read,
    "read_timestamp": _duckdb_read,
    **dict.fromkeys(("row_number", "rank", "dense_rank", "lag", "lead"), _list),
}
SPARK: Mapping[str, Rendering] = {
    **_SAME,
    "<=>": "({0} <=> {1})",
    **dict.fromkeys(("/", "try_divide"), "({0} / nullif({1}, 0))"),
    "%": "({0} % nullif({1}, 0))",
    "trim": "trim(BOTH {1} FROM {0})",
    "ltrim": "trim(LEADING {1} FROM {0})",
    "rtrim": "trim(TRAILING {1} FROM {0})",
    **dict.fromkeys(
        ("length", "substring", "concat", "split_part", "size", "get", "instr", "lpad", "rpad", "round", "power",
         "sqrt", "date_add", "date_sub", "add_months", "year", "quarter", "month", "dayofmonth",
         "dayofweek", "hour", "minute", "second", "trunc", "unix_timestamp", "date_format", "from_unixtime",
         "row_number", "rank", "dense_rank", "lag", "lead"),
        _list,
    ),
    "element": "{0}[{1}]",
    "datediff": _typed("datediff({0}, {1})"),
    **dict.fromkeys(("split", "regexp_replace", "regexp_extract", "rlike"), _spark_pattern),
    "floor": _spark_whole,
    "ceil": _spark_whole,
    "date_trunc": "CAST(date_trunc({0}, {1}) AS TIMESTAMP_NTZ)",
    "read_date": _spark_read,
    "read_timestamp": _spark_read,
}  # fmt: skip
