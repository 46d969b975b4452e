"""The places where the SQL of the engines differs: names, literals, types, casts, aggregates.

Each rule of semantics has one line for DuckDB and one for Spark here, so that the same plan gives the same rows. Why a
line is as it is, when the plain cast would not do, stands beside it.
"""

from datetime import date, datetime
from decimal import Decimal as Number
from typing import Protocol

from headrace.engines import macros
from headrace.engines.forms import (
    BOOLEAN_FORM,
    DATE_FORM,
    DOUBLE_FORM,
    FIRST,
    INTEGER_FORM,
    LAST,
    NUMBER_FORM,
    TIMESTAMP_FORM,
)
from headrace.plan.casts import kind
from headrace.plan.expr import Constant, Function
from headrace.plan.types import (
    BIGINT,
    DOUBLE,
    FLOAT,
    FRACTIONS,
    INTEGERS,
    MAX_PRECISION,
    Array,
    Characters,
    Decimal,
    Map,
    Scalar,
    Struct,
    Type,
)

ROW = "_headrace_row"
"""The column of rows that are only counted: a relation without columns is none in SQL."""


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

    def like(self, sql: str, pattern: str) -> str:
        """Whether the text matches the pattern, in which a backslash escapes."""

    def filled(self, sql: str, value: str, type_: Type) -> str:
        """The value where the operand is null, or NaN."""

    def piece(self, sql: str, delimiter: str, index: int, *, last: bool) -> str:
        """A piece of a text, from 0, or null when there are not as many; the last one with all that follows."""

    def encrypted(self, sql: str, key: str) -> str:
        """The text under the key of that name, as Base64 of nonce, ciphertext and tag by AES-GCM."""

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
            return f"unhex('{value.hex()}')"
        case datetime():
            shown = dialect.text(value.replace(tzinfo=None).isoformat(" "))
            zone = "+00:00" if value.tzinfo else ""
            return f"CAST({shown[:-1]}{zone}{shown[-1]} AS {dialect.type_name(type_)})"
        case date():
            return f"CAST({dialect.text(value.isoformat())} AS DATE)"
        case Number():
            return f"CAST({dialect.text(f'{value:f}')} AS {dialect.type_name(type_)})"
        case int() | float():
            return f"CAST({dialect.text(str(value))} AS {dialect.type_name(type_)})"


class DuckDbDialect:
    """DuckDB 1.5: its casts are looser than Spark's, so a form is matched first; `MACROS` keep that readable.

    Matching a regular expression for each value costs a fifth of the time of a read. A value whose cast, cast back,
    is the very same text needs no match, and that test is cheap; only the others (`007`, ` 5`, `1.5`) are matched.
    """

    name = "duckdb"

    MACROS = macros.MACROS

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
        if _fraction(source) and isinstance(target, Decimal):
            # By way of the shortest text of the double, as Spark does: the binary value of 2.675 lies below it.
            return self._decimal(f"CAST(CAST({sql} AS DOUBLE) AS VARCHAR)", target)
        if source == Scalar("boolean") and isinstance(target, Decimal):
            return f"TRY_CAST(CAST({sql} AS TINYINT) AS {self.type_name(target)})"  # as it is, true is 0.1 in (1,1)
        if (source, target) == (DOUBLE, FLOAT):
            # What is too large is infinite, which only a cast from text gives.
            return f"COALESCE(TRY_CAST({sql} AS FLOAT), TRY_CAST(CAST({sql} AS VARCHAR) AS FLOAT))"
        return f"TRY_CAST({sql} AS {self.type_name(target)})"

    def _from_text(self, sql: str, source: Type, target: Type) -> str:
        match target:
            case Characters():
                return _bounded(sql, target)
            case Decimal():
                return self._decimal(sql, target)
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

    def _decimal(self, text: str, target: Decimal) -> str:
        name = self.type_name(target)
        value = f"TRY_CAST({text} AS {name})"
        plain = f"is_plain({text}) AND ({value} <> 0 OR contains({text}, '0'))"
        return f"CASE WHEN {plain} THEN {value} ELSE TRY_CAST(to_plain({text}) AS {name}) END"

    def _to_text(self, sql: str, source: Type) -> str:
        if source == Scalar("timestampwithtimezone"):
            return f"(CAST(CAST({sql} AS TIMESTAMP) AS VARCHAR) || 'Z')"
        if source == Scalar("binary"):
            return f"TRY(decode({sql}))"
        if isinstance(source, Decimal) and source.precision == source.scale:
            # As it is, 0.50 becomes .50.
            return rf"regexp_replace(CAST({sql} AS VARCHAR), '^(-?)\.', '\10.')"
        return f"CAST({sql} AS VARCHAR)"

    def finite(self, sql: str) -> str:
        """Null for NaN and the infinities."""
        return f"finite({sql})"

    def like(self, sql: str, pattern: str) -> str:
        """Whether the text matches the pattern: here nothing escapes unless told."""
        return f"{sql} LIKE {self.text(pattern)} ESCAPE '\\'"

    def filled(self, sql: str, value: str, type_: Type) -> str:
        """The value where the operand is null, or NaN."""
        if _fraction(type_):
            return f"CASE WHEN {sql} IS NULL OR isnan({sql}) THEN {value} ELSE {sql} END"
        return f"COALESCE({sql}, {value})"

    def piece(self, sql: str, delimiter: str, index: int, *, last: bool) -> str:
        """A piece of a text; a list has nothing at a place beyond its end."""
        pieces = f"string_split({sql}, {self.text(delimiter)})"
        if not last:
            return f"{pieces}[{index + 1}]"
        rest = f"array_to_string({pieces}[{index + 1}:], {self.text(delimiter)})"
        return f"CASE WHEN len({pieces}) > {index} THEN {rest} END"

    def encrypted(self, sql: str, key: str) -> str:
        """A function that the run adds."""
        return f"encrypted({sql}, {self.text(key)})"

    def aggregate(self, function: Function, sql: str, source: Type, result: Type) -> str:
        """The aggregate, in the plan's result type: DuckDB's own sums are wider."""
        del source
        if function == "COUNT_DISTINCT":
            return f"count(DISTINCT {sql})"
        if function == "AVG":
            return f"avg(CAST({sql} AS DOUBLE))"
        call = f"{function.lower()}({sql})"
        if function == "SUM" and isinstance(result, Decimal) and result.precision == MAX_PRECISION:
            call = f"CAST({call} AS VARCHAR)"  # 128 bits hold more than 38 digits, and only text is checked
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
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\u0000") + "'"

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
        value = f"try_cast({sql} AS {self.type_name(target)})"
        if _fraction(source) and target == BIGINT:
            # 2^63 is the one value that is too large and yet cast, to the largest bigint.
            return f"CASE WHEN {sql} < 9223372036854775808D THEN {value} END"
        return value

    def _from_text(self, sql: str, target: Type) -> str:
        """Matching the form first: the casts themselves also take `1d`, `2024`, and control characters around."""
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
            case Scalar("boolean"):
                return self._when(sql, BOOLEAN_FORM, f"try_cast({sql} AS BOOLEAN)")
            case Scalar(name) if name in INTEGERS:
                return self._when(sql, INTEGER_FORM, f"try_cast({sql} AS {name.upper()})")
            case _:
                return "CAST(NULL AS STRING)"

    def _moment(self, sql: str) -> str:
        value = f"try_cast({sql} AS TIMESTAMP)"
        return self._when(sql, TIMESTAMP_FORM, value, and_also=f" AND {value} BETWEEN {FIRST} AND {LAST}")

    def _when(self, sql: str, form: str, value: str, *, and_also: str = "") -> str:
        whole = self.text(rf"^({form})\z")  # `$` would also match before a line break at the end
        return f"CASE WHEN {sql} RLIKE {whole}{and_also} THEN {value} END"

    def _to_text(self, sql: str, source: Type) -> str:
        if source == Scalar("timestampwithtimezone"):
            return f"concat(CAST({sql} AS STRING), 'Z')"
        if source == Scalar("binary"):
            return f"try_validate_utf8(CAST({sql} AS STRING))"
        return f"CAST({sql} AS STRING)"

    def finite(self, sql: str) -> str:
        """Null for NaN and the infinities."""
        return f"CASE WHEN abs({sql}) < CAST('Infinity' AS DOUBLE) THEN {sql} END"

    def like(self, sql: str, pattern: str) -> str:
        """Whether the text matches the pattern."""
        return f"{sql} LIKE {self.text(pattern)}"

    def filled(self, sql: str, value: str, type_: Type) -> str:
        """The value where the operand is null, or NaN."""
        return f"coalesce(nanvl({sql}, NULL), {value})" if _fraction(type_) else f"coalesce({sql}, {value})"

    def piece(self, sql: str, delimiter: str, index: int, *, last: bool) -> str:
        """A piece of a text: the delimiter is a regular expression to Spark, so its signs are quoted one by one."""
        pattern = self.text("".join(f"\\x{{{ord(sign):x}}}" for sign in delimiter))
        return f"get(split({sql}, {pattern}, {index + 1 if last else -1}), {index})"

    def encrypted(self, sql: str, key: str) -> str:
        """Spark's own function puts the nonce before and the tag behind, too."""
        return f"base64(aes_encrypt(CAST({sql} AS BINARY), session.{self.variable(key)}, 'GCM'))"

    @staticmethod
    def variable(key: str) -> str:
        """The variable of the session that has the key of that name."""
        return f"`key_{key}`"

    def aggregate(self, function: Function, sql: str, source: Type, result: Type) -> str:
        """The aggregate, in the plan's result type."""
        del source, result
        if function == "COUNT_DISTINCT":
            return f"count(DISTINCT {sql})"
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


def _fraction(source: Type) -> bool:
    return source in (FLOAT, DOUBLE)
