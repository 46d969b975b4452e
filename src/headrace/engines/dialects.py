"""The places where the SQL of the engines differs: names, literals, types, casts, aggregates.

Each rule of semantics has one line for DuckDB and one for Spark here, so that the same plan gives the same rows. Why a
line is as it is, when the plain cast would not do, stands beside it.
"""

from datetime import date, datetime
from decimal import Decimal as Number
from typing import Protocol

from headrace.plan.casts import kind
from headrace.plan.expr import Constant, Function
from headrace.plan.types import (
    FRACTIONS,
    INTEGERS,
    Array,
    Characters,
    Decimal,
    Map,
    Scalar,
    Struct,
    Type,
)

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_HOUR, _SIXTY = r"([01][0-9]|2[0-3])", r"[0-5][0-9]"
_ZONE = rf"(Z|[+-](0[0-9]|1[0-8])(:?{_SIXTY})?)"
DATE_FORM = rf"\s*{_DAY}\s*"
TIMESTAMP_FORM = rf"\s*{_DAY}([T ]{_HOUR}:{_SIXTY}(:{_SIXTY}(\.[0-9]{{1,9}})?)?{_ZONE}?)?\s*"
INTEGER_FORM = r"\s*[+-]?[0-9]+\s*"
NUMBER_FORM = r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"
DOUBLE_FORM = rf"(?i:\s*[+-]?inf(inity)?\s*|\s*nan\s*)|{NUMBER_FORM}"


class SqlDialect(Protocol):
    """What the generator asks of a dialect."""

    name: str

    def quoted(self, name: str) -> str:
        """A name as an identifier."""

    def text(self, value: str) -> str:
        """A text as a literal."""

    def type_name(self, type_: Type) -> str:
        """The engine's name of a type."""

    def cast(self, sql: str, source: Type, target: Type) -> str:
        """The value in the target type, or null when it has none there."""

    def finite(self, sql: str) -> str:
        """Null for NaN and the infinities."""

    def aggregate(self, function: Function, sql: str, source: Type, result: Type) -> str:
        """The aggregate, in the plan's result type."""

    def written(self, sql: str, type_: Type) -> str:
        """The value as a text file holds it: moments by ISO 8601, all else as it is."""


def literal(dialect: SqlDialect, value: Constant, type_: Type) -> str:
    """A constant of a type as SQL text."""
    if value is None:
        return f"CAST(NULL AS {dialect.type_name(type_)})"
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return dialect.text(value)
        case bytes():
            return f"CAST({dialect.text(value.decode())} AS {dialect.type_name(type_)})"
        case datetime():
            shown = dialect.text(value.replace(tzinfo=None).isoformat(" "))
            zone = "+00:00" if value.tzinfo else ""
            return f"CAST({shown[:-1]}{zone}{shown[-1]} AS {dialect.type_name(type_)})"
        case date():
            return f"CAST({dialect.text(value.isoformat())} AS DATE)"
        case int() | float() | Number():
            return f"CAST({dialect.text(str(value))} AS {dialect.type_name(type_)})"


class DuckDbDialect:
    """DuckDB 1.5: its casts are looser than Spark's, so a form is matched first; `MACROS` keep that readable.

    Matching a regular expression for each value costs a fifth of the time of a read. A value whose cast, cast back,
    is the very same text needs no match, and that test is cheap; only the others (`007`, ` 5`, `1.5`) are matched.
    """

    name = "duckdb"

    MACROS = (
        *(
            f"CREATE TEMP MACRO to_{name}(v) AS CASE WHEN CAST(TRY_CAST(v AS {name}) AS VARCHAR) = v "
            f"THEN TRY_CAST(v AS {name}) WHEN regexp_full_match(v, '{INTEGER_FORM}') THEN TRY_CAST(v AS {name}) END"
            for name in INTEGERS
        ),
        *(
            f"CREATE TEMP MACRO to_{name}(v) AS CASE "
            f"WHEN isfinite(TRY_CAST(v AS {name})) AND NOT contains(v, '_') THEN TRY_CAST(v AS {name}) "
            f"WHEN regexp_full_match(v, '{DOUBLE_FORM}') THEN TRY_CAST(v AS {name}) END"
            for name in FRACTIONS
        ),
        "CREATE TEMP MACRO to_boolean(v) AS CASE "
        "WHEN lower(trim(v, E' \\t\\n\\r\\f\\v')) IN ('true', 't', 'yes', 'y', '1') "
        "THEN TRUE WHEN lower(trim(v, E' \\t\\n\\r\\f\\v')) IN ('false', 'f', 'no', 'n', '0') THEN FALSE END",
        "CREATE TEMP MACRO to_date(v) AS CASE WHEN CAST(TRY_CAST(v AS DATE) AS VARCHAR) = v "
        "AND TRY_CAST(v AS DATE) BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN TRY_CAST(v AS DATE) "
        f"WHEN regexp_full_match(v, '{DATE_FORM}') THEN TRY_CAST(v AS DATE) END",
        "CREATE TEMP MACRO to_timestamp_text(v) AS CASE "
        "WHEN CAST(TRY_CAST(v AS TIMESTAMP) AS VARCHAR) = replace(v, 'T', ' ') "
        "AND TRY_CAST(v AS TIMESTAMP) BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999' "
        "THEN TRY_CAST(v AS TIMESTAMP) "
        f"WHEN regexp_full_match(v, '{TIMESTAMP_FORM}') THEN CAST(TRY_CAST(v AS TIMESTAMPTZ) AS TIMESTAMP) END",
        "CREATE TEMP MACRO iso(t) AS replace(CAST(t AS VARCHAR), ' ', 'T')",
        "CREATE TEMP MACRO finite(x) AS CASE WHEN isfinite(x) THEN x END",
        # A sequence is a counter that threads share; the rows it is asked for are only the bad ones.
        "CREATE TEMP MACRO counted(x, v, counter) AS COALESCE(x, "
        "CASE WHEN v IS NOT NULL AND nextval(counter) < 0 THEN NULL END)",
    )

    def quoted(self, name: str) -> str:
        """A name as an identifier."""
        return '"' + name.replace('"', '""') + '"'

    def text(self, value: str) -> str:
        """A text as a literal; a NUL, which no literal can hold, by its code."""
        parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\0")]
        return "(" + " || chr(0) || ".join(parts) + ")" if len(parts) > 1 else parts[0]

    def type_name(self, type_: Type) -> str:
        """DuckDB's name of a type."""
        match type_:
            case Decimal(precision, scale):
                return f"DECIMAL({precision},{scale})"
            case Characters() | Scalar("string" | "void"):
                return "VARCHAR"
            case Scalar("timestampwithtimezone"):
                return "TIMESTAMPTZ"
            case Scalar("binary"):
                return "BLOB"
            case Array(element):
                return f"{self.type_name(element)}[]"
            case Map(key, value):
                return f"MAP({self.type_name(key)}, {self.type_name(value)})"
            case Struct(fields):
                return f"STRUCT({', '.join(f'{self.quoted(f.name)} {self.type_name(f.type)}' for f in fields)})"
            case Scalar(name):
                return name.upper()

    def cast(self, sql: str, source: Type, target: Type) -> str:
        """The value in the target type, or null when it has none there."""
        if kind(source) == "text":
            return self._from_text(sql, source, target)
        if kind(target) == "text":
            return _bounded(self._to_text(sql, source), target)
        if kind(source) == "number" and isinstance(target, Scalar) and target.name in INTEGERS and not _whole(source):
            return f"TRY_CAST(trunc({sql}) AS {self.type_name(target)})"  # a plain cast rounds
        if isinstance(source, Scalar) and source.name in FRACTIONS and isinstance(target, Decimal):
            # By way of the shortest text, as Spark does: the binary value of 2.675 lies below it.
            return f"TRY_CAST(CAST({sql} AS VARCHAR) AS {self.type_name(target)})"
        return f"TRY_CAST({sql} AS {self.type_name(target)})"

    def _from_text(self, sql: str, source: Type, target: Type) -> str:
        match target:
            case Characters():
                return _bounded(sql, target)
            case Decimal():
                return f"TRY_CAST({sql} AS {self.type_name(target)})"
            case Scalar("string"):
                return sql
            case Scalar("timestamp"):
                return f"to_timestamp_text({sql})"
            case Scalar("timestampwithtimezone"):
                return f"CAST(to_timestamp_text({sql}) AS TIMESTAMPTZ)"
            case Scalar("binary"):
                return f"encode({sql})"
            case Scalar("void"):
                return "CAST(NULL AS VARCHAR)"
            case Scalar(name):
                return f"to_{name}({sql})"
            case _:
                raise ValueError(f"no cast from {source} to {target}")

    def _to_text(self, sql: str, source: Type) -> str:
        if source == Scalar("timestampwithtimezone"):
            return f"(CAST(CAST({sql} AS TIMESTAMP) AS VARCHAR) || 'Z')"
        if source == Scalar("binary"):
            return f"TRY(decode({sql}))"
        return f"CAST({sql} AS VARCHAR)"

    def finite(self, sql: str) -> str:
        """Null for NaN and the infinities."""
        return f"finite({sql})"

    def aggregate(self, function: Function, sql: str, source: Type, result: Type) -> str:
        """The aggregate, in the plan's result type: DuckDB's own sums are wider."""
        del source
        if function == "AVG":
            return f"avg(CAST({sql} AS DOUBLE))"
        call = f"{function.lower()}({sql})"
        return f"CAST({call} AS {self.type_name(result)})" if function == "SUM" else call

    def written(self, sql: str, type_: Type) -> str:
        """Moments by ISO 8601; the engine's own text has a space in them."""
        match type_:
            case Scalar("timestamp"):
                return f"iso({sql})"
            case Scalar("timestampwithtimezone"):
                return f"(iso(CAST({sql} AS TIMESTAMP)) || 'Z')"
            case _:
                return sql


class SparkDialect:
    """Spark SQL 4 with ANSI on and the session in UTC."""

    name = "spark"

    def quoted(self, name: str) -> str:
        """A name as an identifier."""
        return "`" + name.replace("`", "``") + "`"

    def text(self, value: str) -> str:
        """A text as a literal: a backslash escapes in Spark's."""
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def type_name(self, type_: Type) -> str:
        """Spark's name of a type."""
        match type_:
            case Decimal(precision, scale):
                return f"DECIMAL({precision},{scale})"
            case Characters() | Scalar("string" | "void"):
                return "STRING"
            case Scalar("timestampwithtimezone"):
                return "TIMESTAMP"
            case Scalar("timestamp"):
                return "TIMESTAMP_NTZ"
            case Array(element):
                return f"ARRAY<{self.type_name(element)}>"
            case Map(key, value):
                return f"MAP<{self.type_name(key)}, {self.type_name(value)}>"
            case Struct(fields):
                return f"STRUCT<{', '.join(f'{self.quoted(f.name)}: {self.type_name(f.type)}' for f in fields)}>"
            case Scalar(name):
                return name.upper()

    def cast(self, sql: str, source: Type, target: Type) -> str:
        """The value in the target type, or null when it has none there."""
        if kind(source) == "text":
            return self._from_text(sql, target)
        if kind(target) == "text":
            return _bounded(self._to_text(sql, source), target)
        return f"try_cast({sql} AS {self.type_name(target)})"

    def _from_text(self, sql: str, target: Type) -> str:
        match target:
            case Characters():
                return _bounded(sql, target)
            case Scalar("string"):
                return sql
            case Decimal():
                return self._when(sql, NUMBER_FORM, f"try_cast({sql} AS {self.type_name(target)})")
            case Scalar(name) if name in FRACTIONS:
                return self._when(sql, DOUBLE_FORM, f"try_cast({sql} AS {name.upper()})")
            case Scalar("date"):
                return self._when(sql, DATE_FORM, f"try_cast({sql} AS DATE)")
            case Scalar("timestamp"):
                return f"CAST({self._moment(sql)} AS TIMESTAMP_NTZ)"
            case Scalar("timestampwithtimezone"):
                return self._moment(sql)
            case Scalar("binary"):
                return f"CAST({sql} AS BINARY)"
            case _:
                return f"try_cast({sql} AS {self.type_name(target)})"

    def _moment(self, sql: str) -> str:
        return self._when(sql, TIMESTAMP_FORM, f"try_cast({sql} AS TIMESTAMP)")

    def _when(self, sql: str, form: str, value: str) -> str:
        return f"CASE WHEN {sql} RLIKE {self.text(f'^({form})$')} THEN {value} END"

    def _to_text(self, sql: str, source: Type) -> str:
        if source == Scalar("timestampwithtimezone"):
            return f"concat(CAST({sql} AS STRING), 'Z')"
        return f"CAST({sql} AS STRING)"

    def finite(self, sql: str) -> str:
        """Null for NaN and the infinities."""
        return f"CASE WHEN abs({sql}) < CAST('Infinity' AS DOUBLE) THEN {sql} END"

    def aggregate(self, function: Function, sql: str, source: Type, result: Type) -> str:
        """The aggregate, in the plan's result type."""
        del source, result
        return f"avg(CAST({sql} AS DOUBLE))" if function == "AVG" else f"{function.lower()}({sql})"

    def written(self, sql: str, type_: Type) -> str:
        """Moments by ISO 8601, with as many digits of the second as there are."""
        match type_:
            case Scalar("timestamp"):
                return f"replace(CAST({sql} AS STRING), ' ', 'T')"
            case Scalar("timestampwithtimezone"):
                return f"concat(replace(CAST({sql} AS STRING), ' ', 'T'), 'Z')"
            case _:
                return sql


def _bounded(sql: str, target: Type) -> str:
    """Text that is longer than its type allows is a bad value: cutting it would bend it in silence."""
    return f"CASE WHEN length({sql}) <= {target.length} THEN {sql} END" if isinstance(target, Characters) else sql


def _whole(source: Type) -> bool:
    return isinstance(source, Scalar) and source.name in INTEGERS
