# ruff: noqa: E501  # a table: a case is read along its line
"""Every function and operator of SQL nodes with inputs and the results that Spark documents.

A case is the columns, an expression over them, and rows: the inputs, then the result.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal as N

from headrace.nodes.base import Node
from headrace.nodes.examples import Table
from headrace.nodes.sql import SqlNode
from headrace.plan.expr import Constant
from headrace.plan.ops import Op

NAN, INF = float("nan"), float("inf")
_AT = datetime(2024, 1, 5, 3, 4, 5, 678901)
FAMILY = "👩‍👩‍👧"
Row = tuple[Constant, ...]


@dataclass(frozen=True)
class Case:
    """One expression over one column set; the last value of a row is what comes out."""

    columns: str
    expression: str
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        return self.expression

    def operation(self) -> Op:
        """The node with the expression, beside the number of the row."""
        return over(self.columns, tuple(row[:-1] for row in self.rows), f"SELECT n, {self.expression} AS y FROM t")

    def expected(self) -> tuple[Row, ...]:
        """Number of the row and result."""
        return tuple((number, row[-1]) for number, row in enumerate(self.rows))


def over(columns: str, rows: tuple[Row, ...], sql: str) -> Op:
    """A query over `t`, the rows with their numbers as column `n`."""
    given = Table.of(f"n int, {columns}", *((number, *row) for number, row in enumerate(rows)))
    return node(sql, "t").plan(given.operation(1))


def node(sql: str, *aliases: str) -> Node:
    """An SQL node over parents 1, 2 … under these aliases."""
    sources = [{"parentId": number, "newName": alias} for number, alias in enumerate(aliases, start=1)]
    parents = list(range(1, len(aliases) + 1))
    sent = {"id": 10, "name": "it", "parentNodeIds": parents, "sourceNameList": sources, "sql": sql}
    return SqlNode.model_validate({"type": "TRANSFORM_SQL", **sent})


def _case(columns: str, expression: str, *rows: Row) -> Case:
    return Case(columns, expression, rows)


TEXT = (
    _case("x string", "upper(x)", ("abc", "ABC"), ("é가", "É가"), ("", ""), (None, None)),
    _case("x string", "lower(x)", ("ABC", "abc"), ("Éa", "éa"), (None, None)),
    _case("x string", "trim(x)", ("  a b ", "a b"), ("\ta ", "\ta"), ("\xa0a\u3000", "\xa0a\u3000"), (None, None)),
    _case("x string", "trim('xy' FROM x)", ("xyaxx", "a"), ("xyxy", ""), ("", ""), (None, None)),
    _case("x string", "trim(LEADING '가' FROM x)", ("가가a가", "a가"), (None, None)),
    _case("x string", "trim(TRAILING 'x' FROM x)", ("xaxx", "xa"), (None, None)),
    _case("x string", "ltrim(x)", ("  a ", "a "), (None, None)),
    _case("x string", "rtrim(x)", ("  a ", "  a"), (None, None)),
    _case("x string", "length(x)", ("가나다", 3), ("", 0), (FAMILY, 5), ("a ", 2), (None, None)),
    _case(
        "x string, p int, k int",
        "substring(x, p, k)",
        ("abcde", 2, 3, "bcd"), ("abcde", 0, 2, "ab"), ("abcde", -2, 5, "de"), ("abcde", -10, 6, "a"),
        ("abcde", -10, 5, ""), ("abcde", 6, 1, ""), ("abcde", 2, 0, ""), ("abcde", 2, -1, ""), ("가나다라", 2, 2, "나다"),
        ("abc", 1, 2147483647, "abc"), ("abc", -2147483648, 2147483647, "ab"), (None, 1, 1, None), ("a", None, 1, None),
        ("", 1, 1, ""),
    ),
    _case("x string, p int", "substr(x, p)", ("abcde", 2, "bcde"), ("abcde", -2, "de"), ("abcde", 0, "abcde")),
    _case("x string, z string", "concat(x, '-', z)", ("a", "b", "a-b"), ("a", None, None), ("", "", "-")),
    _case("x string, z string", "x || z", ("가", "나", "가나"), (None, "a", None)),
    _case(
        "x string, z string", "concat_ws(',', x, z)", ("a", "b", "a,b"), ("a", None, "a"), (None, None, ""), ("", "b", ",b")
    ),
    _case("x string", "concat_ws(x, 'a', 'b')", ("-", "a-b"), ("", "ab"), (None, None)),
    _case(
        "x string, z string", "replace(x, z, 'Z')",
        ("abcab", "ab", "ZcZ"), ("abc", "", "abc"), ("", "a", ""), (None, "a", None), ("a", None, None), ("가나", "나", "가Z"),
    ),
    _case("x string, z string", "replace('ab', x, z)", ("", None, None), ("a", "", "b"), ("", "c", "ab")),
    _case("x string, z string", "lpad(x, 1, z)", ("ab", None, None), ("ab", "", "a"), (None, "", None)),
    _case("x string, z string", "rpad(x, 1, z)", ("ab", None, None), (None, "", None)),
    _case("x string, z string", "split_part(x, z, 2)", ("a,b", None, None), (None, "", None), ("a", "", "")),
    _case("x string", "replace(x, 'b')", ("abcb", "ac"), (None, None)),
    _case("x string", "concat_ws('|', split_part(x, ',', 1), split_part(x, ',', 3))", ("a,b,c", "a|c"), ("a", "a|"), ("", "|")),
    _case("x string", "split_part(x, '.', 2)", ("1.2.3", "2"), ("1", ""), (None, None)),
    _case("x string", "size(split(x, ','))", ("a,b,,c,", 5), ("", 1), (",", 2), ("abc", 1), (None, None)),
    _case("x string", "split(x, '[0-9]+')[1]", ("a1b22c", "b"), ("x9y", "y"), (None, None)),
    _case("x string", "get(split(x, ','), 1)", ("a,b", "b"), ("a", None), ("a,", ""), (None, None)),
    _case("x string, i int", "get(split(x, ','), i)", ("a,b", -1, None), ("a,b", 0, "a"), ("a,b", 2147483647, None)),
    _case(
        "x string, z string", "instr(x, z)",
        ("abcb", "b", 2), ("abc", "", 1), ("", "a", 0), ("가나다", "다", 3), (None, "a", None), ("a", None, None), ("", "", 1),
    ),
    _case("x string", "lpad(x, 5, 'xy')", ("a", "xyxya"), ("abcdef", "abcde"), ("가나", "xyx가나"), ("", "xyxyx"), (None, None)),
    _case("x string", "lpad(x, 3)", ("a", "  a"), ("", "   ")),
    _case("x string", "lpad(x, 2, '')", ("a", "a"), ("abc", "ab")),
    _case("x string", "lpad(x, 0, 'x')", ("a", ""), (None, None)),
    _case("x string", "rpad(x, 4, '가')", ("a", "a가가가"), ("abcdef", "abcd"), (None, None)),
    _case("x string, p string", "rpad(x, 3, p)", ("a", "", "a"), ("a", "-", "a--"), ("a", None, None)),
    _case(
        "x string", "regexp_replace(x, '([a-z]+)-([0-9]+)', '$2:$1')",
        ("ab-12 c-3", "12:ab 3:c"), ("none", "none"), ("", ""), (None, None),
    ),
    _case("x string", "regexp_replace(x, '\\\\s+', ' ')", ("a \t\n b", "a b"), ("a\x0bb", "a b"), ("a b", "a b")),
    _case("x string", "regexp_replace(x, '.', '_')", ("a\nb", "_\n_"), ("가나", "__"), (FAMILY, "_____")),
    _case("x string", "regexp_extract(x, '([a-z]+)([0-9]*)', 2)", ("ab12", "12"), ("ab", ""), ("12", ""), (None, None)),
    _case("x string", "regexp_extract(x, '(a)|(b)', 1)", ("b", ""), ("a", "a")),
    _case("x string", "regexp_extract(x, '[가-힣]+', 0)", ("abc가나 다", "가나"), ("abc", "")),
    _case("x string", "x RLIKE '^[0-9]+$'", ("12", True), ("12a", False), ("12\n", False), ("", False), (None, None)),
    _case("x string", "x RLIKE 'b|c{2}'", ("abc", True), ("ac", False), ("acc", True)),
    _case(
        "x string", "x LIKE 'a_c%'",
        ("abc", True), ("a가cd", True), ("ac", False), ("ABC", False), ("a\ncx\n", True), (None, None),
    ),
    _case("x string", "x LIKE '50\\\\%%'", ("50%", True), ("50", False), ("50%x", True)),
    _case("x string", "x LIKE '50!%!!' ESCAPE '!'", ("50%!", True), ("50x", False)),
    _case("x string", "x NOT LIKE '%\\\\\\\\%'", ("a\\b", False), ("ab", True), (None, None)),
)  # fmt: skip

NUMBERS = (
    _case("x int", "abs(x)", (-5, 5), (0, 0), (None, None)),
    _case("x double", "abs(x)", (-1.5, 1.5), (-INF, INF), (NAN, NAN), (None, None)),
    _case("x decimal(5,2)", "abs(x)", (N("-1.50"), N("1.50"))),
    _case(
        "x double", "round(x)",
        (2.5, 3.0), (-2.5, -3.0), (1.4999999999999998, 1.0), (1e300, 1e300), (NAN, NAN), (INF, INF), (None, None), (-0.4, 0.0),
        (0.49999999999999994, 0.0),
    ),
    _case("x double", "round(x, 2)", (2.675, 2.68), (1.005, 1.01), (-1.005, -1.01), (1e-7, 0.0), (123456789.125, 123456789.13)),
    _case("x double", "round(x, -2)", (1250.0, 1300.0), (49.9, 0.0), (-150.0, -200.0)),
    _case("x int", "round(x, -1)", (25, 30), (-25, -30), (24, 20), (None, None)),
    _case("x decimal(6,3)", "round(x, 1)", (N("1.250"), N("1.3")), (N("-1.250"), N("-1.3")), (None, None)),
    _case("x decimal(6,3)", "round(x, -1)", (N("123.456"), N("120")), (N("999.999"), N("1000")), (N("4.999"), N("0"))),
    _case("x decimal(6,3)", "round(x, 5)", (N("1.250"), N("1.250"))),
    _case("x float", "round(x, 1)", (2.25, 2.299999952316284), (None, None)),
    _case("x double", "floor(x)", (1.5, 1), (-1.5, -2), (2.0, 2), (None, None)),
    _case("x double", "ceil(x)", (1.5, 2), (-1.5, -1), (None, None)),
    _case("x int", "floor(x)", (5, 5), (None, None)),
    _case("x decimal(5,2)", "floor(x)", (N("1.50"), N("1")), (N("-1.50"), N("-2")), (None, None)),
    _case("x decimal(5,2)", "ceil(x)", (N("1.01"), N("2")), (N("-1.50"), N("-1")), (N("999.99"), N("1000"))),
    _case("x int, z int", "mod(x, z)", (5, 3, 2), (-5, 3, -2), (5, -3, 2), (5, 0, None), (None, 3, None)),
    _case("x double", "x % 2", (5.5, 1.5), (-7.5, -1.5), (NAN, NAN)),
    _case("x decimal(5,2), z decimal(4,1)", "x % z", (N("5.50"), N("2.0"), N("1.50")), (N("-5.50"), N("2.0"), N("-1.50")),
          (N("1.00"), N("0.0"), None)),
    _case("x double, z double", "power(x, z)", (2.0, 10.0, 1024.0), (4.0, 0.5, 2.0), (0.0, 0.0, 1.0), (0.0, -1.0, INF),
          (10.0, 400.0, INF), (-8.0, 1 / 3, NAN), (None, 1.0, None)),
    _case("x double", "sqrt(x)", (4.0, 2.0), (-1.0, NAN), (0.0, 0.0), (INF, INF), (NAN, NAN), (None, None)),
    _case("x int", "sqrt(x)", (9, 3.0)),
    _case("x int, z int", "greatest(x, z, 2)", (1, 3, 3), (None, 1, 2), (None, None, 2)),
    _case("x double, z double", "greatest(x, z)", (1.0, NAN, NAN), (None, 1.0, 1.0), (None, None, None), (INF, 1.0, INF)),
    _case("x string, z string", "least(x, z)", ("a", "B", "B"), ("가", "나", "가"), (None, "a", "a")),
    _case("x double, z double", "least(x, z)", (1.0, NAN, 1.0), (-0.5, None, -0.5)),
    _case("x int, z int", "x + z", (1, 2, 3), (None, 1, None)),
    _case("x tinyint", "x + 1", (127, 128)),
    _case("x tinyint, z tinyint", "x * z", (10, 12, 120), (-128, 1, -128)),
    _case("x int, z bigint", "x * z", (2147483647, 2, 4294967294)),
    _case("x int, z int", "x / z", (1, 2, 0.5), (7, 0, None), (0, 0, None), (None, 0, None), (-1, 4, -0.25)),
    _case("x double, z double", "x / z", (1.0, 3.0, 1 / 3), (1.0, 0.0, None), (NAN, 1.0, NAN), (INF, INF, NAN), (1.0, INF, 0.0)),
    _case("x double", "x * 10", (1e308, INF), (-1e308, -INF), (0.1, 1.0)),
    _case("x float, z int", "x + z", (0.5, 1, 1.5)),
    _case("x decimal(10,2), z decimal(10,2)", "x + z", (N("99999999.99"), N("0.01"), N("100000000.00")), (N("1"), None, None)),
    _case("x decimal(38,2), z decimal(38,2)", "x - z", (N("9" * 36 + ".99"), N("0.99"), N("9" * 36 + ".00"))),
    _case("x decimal(10,2), z decimal(5,4)", "x * z", (N("2.50"), N("0.1250"), N("0.312500")), (N("-1.00"), N("2.0000"), N("-2.000000"))),
    _case(
        "x decimal(10,2), z decimal(10,2)", "x / z",
        (N("1.00"), N("3.00"), N("0.3333333333333")), (N("2.00"), N("3.00"), N("0.6666666666667")),
        (N("-2.00"), N("3.00"), N("-0.6666666666667")), (N("1.00"), N("0.00"), None), (N("0.00"), N("5.00"), N("0E-13")),
        (N("99999999.99"), N("0.01"), N("9999999999.0000000000000")), (N("0.01"), N("99999999.99"), N("1.000E-10")), (None, N("1.00"), None),
        (N("1.00"), N("-4.00"), N("-0.2500000000000")),
    ),
    _case("x decimal(10,2)", "x / 3", (N("1.00"), N("0.333333")), (N("0.00"), N("0E-6")), (N("-2.00"), N("-0.666667"))),
    _case("x decimal(5,2)", "x * 2", (N("1.25"), N("2.50"))),
    _case("x int", "x - 1.5", (1, N("-0.5")), (2147483647, N("2147483645.5"))),
    _case("x int, z int", "try_divide(x, z)", (1, 4, 0.25), (1, 0, None)),
    _case("x decimal(4,2)", "try_divide(x, 0)", (N("1.00"), None)),
    _case("x int", "-x", (5, -5), (None, None)),
    _case("x decimal(4,2)", "- x", (N("1.50"), N("-1.50"))),
    _case("x int", "x + 3000000000", (1, 3000000001)),
)  # fmt: skip

CHOICES = (
    _case("x int, z int", "coalesce(x, z, 0)", (1, 2, 1), (None, 2, 2), (None, None, 0)),
    _case("x int, z double", "coalesce(x, z)", (1, 2.5, 1.0), (None, 2.5, 2.5)),
    _case("x decimal(4,2)", "coalesce(x, 0)", (N("1.50"), N("1.50")), (None, N("0.00"))),
    _case("x double", "coalesce(x, 0.5)", (None, 0.5), (1.0, 1.0)),
    _case("x string", "nvl(x, '-')", ("a", "a"), (None, "-"), ("", "")),
    _case("x string", "ifnull(x, '-')", (None, "-")),
    _case("x int", "nullif(x, 0)", (0, None), (1, 1), (None, None)),
    _case("x int", "if(x > 1, 'many', 'one')", (2, "many"), (1, "one"), (None, "one")),
    _case("x int", "CASE x WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", (1, "a"), (2, "b"), (3, None), (None, None)),
    _case("x int", "CASE WHEN x > 1 THEN 1 ELSE 2.5 END", (2, N("1.0")), (None, N("2.5"))),
    _case("x int, z int", "x = z", (1, 1, True), (1, 2, False), (None, None, None)),
    _case("x int, z int", "x <=> z", (1, 1, True), (None, None, True), (None, 1, False)),
    _case("x double, z double", "x = z", (NAN, NAN, True), (0.0, -0.0, True), (NAN, 1.0, False)),
    _case("x double, z double", "x > z", (NAN, INF, True), (1.0, NAN, False)),
    _case("x string, z string", "x < z", ("B", "a", True), ("가", "나", True), ("a", "", False), (None, "a", None)),
    _case("x int", "x IN (1, NULL)", (1, True), (2, None), (None, None)),
    _case("x int", "x NOT IN (1, 2)", (1, False), (3, True), (None, None)),
    _case("x int", "x BETWEEN 1 AND 2.5", (1, True), (2, True), (3, False), (None, None)),
    _case("x string", "x IS NULL", ("", False), (None, True)),
    _case("x boolean, z boolean", "x AND z", (True, None, None), (False, None, False), (True, True, True)),
    _case("x boolean, z boolean", "x OR NOT z", (None, True, None), (True, None, True), (False, True, False)),
    _case("x date", "x >= '2024-02-01'", (date(2024, 2, 1), True), (date(2024, 1, 31), False), (None, None)),
    _case("x date, z timestamp", "x = z", (date(2024, 1, 1), datetime(2024, 1, 1), True),
          (date(2024, 1, 1), datetime(2024, 1, 1, 1), False)),
)  # fmt: skip

CASTS = (
    _case("x string", "CAST(x AS INT)", (" 5 ", 5), ("+5", 5), (None, None)),
    _case("x string", "TRY_CAST(x AS INT)", ("1.5", None), ("1e3", None), ("0x1F", None), ("7", 7), ("3000000000", None)),
    _case("x double", "CAST(x AS INT)", (1.9, 1), (-1.9, -1), (None, None)),
    _case("x double", "TRY_CAST(x AS INT)", (NAN, None), (3e9, None), (2.5, 2)),
    _case("x decimal(5,2)", "CAST(x AS BIGINT)", (N("-1.99"), -1)),
    _case("x bigint", "TRY_CAST(x AS INT)", (2147483648, None), (5, 5)),
    _case("x string", "TRY_CAST(x AS DATE)", ("2024-01-05", date(2024, 1, 5)), ("2024", None), ("2024-02-30", None)),
    _case("x string", "TRY_CAST(x AS TIMESTAMP)", ("2024-01-05T10:00:00+02:00", datetime(2024, 1, 5, 8)), ("x", None)),
    _case("x string", "TRY_CAST(x AS DECIMAL(5,2))", ("1.005", N("1.01")), ("1234", None)),
    _case("x string", "TRY_CAST(x AS BOOLEAN)", ("yes", True), (" F ", False), ("2", None)),
    _case("x int", "CAST(x AS STRING)", (5, "5"), (-1, "-1"), (None, None)),
    _case("x decimal(5,2)", "CAST(x AS STRING)", (N("1.50"), "1.50"), (N("0.00"), "0.00")),
    _case("x boolean", "CAST(x AS STRING)", (True, "true"), (None, None)),
    _case("x date", "CAST(x AS STRING)", (date(2024, 1, 5), "2024-01-05")),
    _case("x date", "CAST(x AS TIMESTAMP)", (date(2024, 1, 5), datetime(2024, 1, 5))),
    _case("x timestamp", "CAST(x AS DATE)", (_AT, date(2024, 1, 5))),
    _case("x timestamp", "CAST(x AS STRING)", (_AT, "2024-01-05 03:04:05.678901"), (datetime(2024, 1, 1), "2024-01-01 00:00:00")),
)  # fmt: skip

_D, _T = date(2024, 2, 29), datetime(2024, 2, 29, 13, 14, 15, 678901)
MOMENTS = (
    _case("x date, k int", "date_add(x, k)", (_D, 1, date(2024, 3, 1)), (_D, -60, date(2023, 12, 31)), (None, 1, None)),
    _case("x date", "date_sub(x, 29)", (_D, date(2024, 1, 31)), (None, None)),
    _case("x timestamp", "date_add(x, 1)", (_T, date(2024, 3, 1))),
    _case("x date, z date", "datediff(x, z)", (_D, date(2024, 1, 1), 59), (date(2024, 1, 1), _D, -59), (None, _D, None)),
    _case("x timestamp, z date", "datediff(x, z)", (_T, date(2024, 2, 28), 1)),
    _case(
        "x date, k int", "add_months(x, k)",
        (date(2024, 1, 31), 1, _D), (_D, 12, date(2025, 2, 28)), (date(2024, 2, 29), 1, date(2024, 3, 29)),
        (date(2024, 3, 31), -1, _D), (None, 1, None),
    ),
    _case("x date", "last_day(x)", (date(2024, 2, 1), _D), (date(2023, 12, 31), date(2023, 12, 31)), (None, None)),
    _case("x date", "year(x)", (_D, 2024), (date(1, 1, 1), 1), (None, None)),
    _case("x date", "month(x) * 100 + day(x)", (_D, 229)),
    _case("x date", "quarter(x)", (_D, 1), (date(2024, 12, 1), 4)),
    _case("x date", "dayofmonth(x)", (_D, 29)),
    _case("x date", "dayofweek(x)", (_D, 5), (date(2024, 3, 3), 1), (date(2024, 3, 2), 7)),
    _case("x timestamp", "hour(x) * 10000 + minute(x) * 100 + second(x)", (_T, 131415), (None, None)),
    _case("x date", "hour(x)", (_D, 0)),
    _case("x string", "to_date(x)", (" 2024-02-29 ", _D), (None, None)),
    _case("x timestamp", "to_date(x)", (_T, _D)),
    _case("x string", "to_date(x, 'dd/MM/yyyy')", ("29/02/2024", _D), (None, None)),
    _case("x string", "to_date(x, 'yyyyMMdd')", ("20240229", _D)),
    _case("x string", "to_date(x, 'yyyy-M-d')", ("2024-2-29", _D), ("2024-02-29", _D)),
    _case("x string", "to_date(x, 'yyyy년 MM월 dd일')", ("2024년 02월 29일", _D)),
    _case("x string", "to_timestamp(x)", ("2024-02-29T13:14:15.678901", _T), ("2024-02-29", datetime(2024, 2, 29))),
    _case("x string", "to_timestamp(x, 'yyyy-MM-dd HH:mm:ss.SSSSSS')", ("2024-02-29 13:14:15.678901", _T),
          ("2024-02-29 13:14:15.6", datetime(2024, 2, 29, 13, 14, 15, 600000)), (None, None)),
    _case("x string", "to_timestamp(x, \"yyyy-MM-dd'T'HH:mm\")", ("2024-02-29T13:14", datetime(2024, 2, 29, 13, 14))),
    _case("x string", "to_timestamp(x, 'yyyy')", ("2024", datetime(2024, 1, 1))),
    _case("x date", "to_timestamp(x)", (_D, datetime(2024, 2, 29))),
    _case("x timestamp", "date_format(x, 'yyyy-MM-dd HH:mm:ss.SSS')", (_T, "2024-02-29 13:14:15.678"), (None, None)),
    _case("x timestamp", "date_format(x, 'yy M d H m s hh a E EEEE MMM MMMM SSSSSS')",
          (_AT, "24 1 5 3 4 5 03 AM Fri Friday Jan January 678901")),
    _case("x timestamp", "date_format(x, \"d.M.yyyy 'um' HH''mm\")", (_T, "29.2.2024 um 13'14")),
    _case("x date", "date_format(x, 'yyyy/MM')", (_D, "2024/02"), (date(99, 1, 5), "0099/01")),
    _case("x timestamp", "date_format(x, 'yyyy%H')", (_T, "2024%13")),
    _case("x timestamp", "date_trunc('YEAR', x)", (_T, datetime(2024, 1, 1)), (None, None)),
    _case("x timestamp", "date_trunc('quarter', x)", (datetime(2024, 5, 5), datetime(2024, 4, 1))),
    _case("x timestamp", "date_trunc('MM', x)", (_T, datetime(2024, 2, 1))),
    _case("x timestamp", "date_trunc('WEEK', x)", (_T, datetime(2024, 2, 26)), (datetime(2024, 2, 26), datetime(2024, 2, 26))),
    _case("x timestamp", "date_trunc('DAY', x)", (_T, datetime(2024, 2, 29))),
    _case("x timestamp", "date_trunc('HOUR', x)", (_T, datetime(2024, 2, 29, 13))),
    _case("x timestamp", "date_trunc('MINUTE', x)", (_T, datetime(2024, 2, 29, 13, 14))),
    _case("x timestamp", "date_trunc('SECOND', x)", (_T, datetime(2024, 2, 29, 13, 14, 15))),
    _case("x date", "date_trunc('MONTH', x)", (_D, datetime(2024, 2, 1))),
    _case("x date", "trunc(x, 'MM')", (_D, date(2024, 2, 1)), (None, None)),
    _case("x date", "trunc(x, 'WEEK')", (_D, date(2024, 2, 26))),
    _case("x timestamp", "unix_timestamp(x)", (datetime(2024, 1, 5, 10), 1704448800), (datetime(1969, 12, 31, 23, 59, 59, 500000), 0),
          (datetime(1969, 12, 31, 23, 59, 58), -2), (None, None)),
    _case("x string", "unix_timestamp(x)", ("2024-01-05 10:00:00", 1704448800)),
    _case("x string", "unix_timestamp(x, 'yyyy-MM-dd')", ("2024-01-05", 1704412800)),
    _case("x date", "unix_timestamp(x)", (date(1970, 1, 2), 86400)),
    _case("x bigint", "from_unixtime(x)", (1704448800, "2024-01-05 10:00:00"), (-1, "1969-12-31 23:59:59"), (None, None)),
    _case("x int", "from_unixtime(x, 'yyyy-MM')", (0, "1970-01")),
)  # fmt: skip

WHOLE = (
    _case("x int", "count(*) OVER ()", (1, 2), (None, 2)),
    _case("x int", "count(x) OVER ()", (1, 1), (None, 1)),
    _case("x int", "sum(x) OVER (ORDER BY n)", (2147483647, 2147483647), (1, 2147483648), (None, 2147483648)),
    _case("x decimal(4,2)", "sum(x) OVER ()", (N("99.99"), N("199.98")), (N("99.99"), N("199.98"))),
    _case("x decimal(38,2)", "sum(x) OVER ()", (N("9" * 35 + ".99"), N("1" + "0" * 35 + ".98")), (N("0.99"), N("1" + "0" * 35 + ".98"))),
    _case("x int", "avg(x) OVER ()", (1, 1.5), (2, 1.5), (None, 1.5)),
    _case("x decimal(4,2)", "avg(x) OVER ()", (N("1.00"), 1.5), (N("2.00"), 1.5)),
    _case("x string", "min(x) OVER ()", ("b", "B"), ("B", "B"), (None, "B")),
    _case("x double", "max(x) OVER ()", (1.0, NAN), (NAN, NAN)),
    _case("x int", "stddev(x) OVER ()", (1, 1.0), (2, 1.0), (3, 1.0)),
    _case("x int", "stddev(x) OVER (PARTITION BY n)", (1, None)),
    _case("x int", "row_number() OVER (ORDER BY x DESC, n)", (1, 2), (5, 1), (None, 3)),
    _case("x int", "rank() OVER (ORDER BY x)", (1, 2), (1, 2), (2, 4), (None, 1)),
    _case("x int", "dense_rank() OVER (ORDER BY x)", (1, 2), (1, 2), (2, 3), (None, 1)),
    _case("x int", "lag(x) OVER (ORDER BY n)", (1, None), (2, 1), (3, 2)),
    _case("x int", "lag(x, 2, 0) OVER (ORDER BY n)", (1, 0), (2, 0), (3, 1)),
    _case("x int", "lead(x, 1) OVER (ORDER BY n)", (1, 2), (2, None)),
    _case("x int", "sum(x) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)", (1, 3), (2, 6), (3, 5)),
    _case("x int", "sum(n) OVER (ORDER BY x)", (1, 1), (1, 1), (2, 3)),
    _case("x int", "sum(n) OVER (PARTITION BY x)", (None, 1), (None, 1), (2, 2)),
    _case("x int", "max(x) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)", (1, None), (2, 1)),
)  # fmt: skip


def cases() -> Iterator[Case]:
    """All of them."""
    for group in (TEXT, NUMBERS, CHOICES, CASTS, MOMENTS, WHOLE):
        yield from group


A = Table.of(
    "id int, name string, price decimal(10,2), qty double, day date",
    (1, "가", N("1.50"), 0.5, date(2024, 1, 1)), (2, "b", N("2.00"), None, date(2024, 1, 2)),
    (3, "b", None, 2.5, None), (4, None, N("4.25"), NAN, date(2024, 1, 1)), (5, "A", N("0.00"), -1.0, date(2023, 12, 31)),
)  # fmt: skip
B = Table.of("id bigint, v string, name string", (1, "x", "가"), (1, "y", None), (3, None, "b"), (9, "z", "q"))
QUERIES = (
    "SELECT a.id, b.v FROM a JOIN b ON a.id = b.id",
    "SELECT a.id, b.v FROM a LEFT JOIN b ON a.id = b.id AND b.v <> 'y'",
    "SELECT a.id, b.v FROM a RIGHT JOIN b ON a.name = b.name",
    "SELECT a.id AS i, b.id AS j FROM a FULL OUTER JOIN b ON a.id = b.id",
    "SELECT a.id AS i, b.id AS j FROM a CROSS JOIN b",
    "SELECT a.id AS i, b.id AS j FROM a, b WHERE a.id < b.id",
    "SELECT id FROM a LEFT SEMI JOIN b ON a.id = b.id",
    "SELECT id FROM a LEFT ANTI JOIN b ON a.id = b.id",
    "SELECT x.id AS i, y.id AS j, b.v FROM a x JOIN a y ON x.name = y.name LEFT JOIN b ON b.id = y.id",
    "SELECT id FROM a WHERE id IN (SELECT CAST(id AS INT) FROM b)",
    "SELECT id FROM a WHERE name NOT IN (SELECT name FROM b WHERE name IS NOT NULL)",
    "SELECT id FROM a WHERE name NOT IN (SELECT name FROM b)",
    "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.v = 'x')",
    "SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.id > a.id AND b.name = a.name)",
    "SELECT id FROM a WHERE id IN (SELECT CAST(b.id AS INT) FROM b WHERE b.name = a.name)",
    "SELECT id, (SELECT max(v) FROM b) AS m FROM a",
    "SELECT id FROM a WHERE qty > (SELECT avg(x.qty) FROM a x WHERE x.name = a.name)",
    "SELECT id FROM a WHERE 0 = (SELECT count(*) FROM b WHERE b.id = a.id)",
    "SELECT name, count(*) AS c, count(qty) AS q, sum(price) AS s, max(qty) AS m FROM a GROUP BY name",
    "SELECT upper(name) AS n, count(DISTINCT day) AS d FROM a GROUP BY 1 HAVING count(*) > 1",
    "SELECT name AS n, sum(id) AS s FROM a GROUP BY n HAVING s > 1 ORDER BY s DESC LIMIT 2",
    "SELECT sum(DISTINCT price) AS s, avg(qty) AS q, min(name) AS n, stddev(id) AS d FROM a",
    "SELECT count(*) AS c, sum(id) AS s FROM a WHERE id > 100",
    "SELECT name, count(*) AS c FROM a WHERE id > 100 GROUP BY name",
    "SELECT DISTINCT name, day FROM a",
    "SELECT id, qty FROM a ORDER BY qty LIMIT 2",
    "SELECT id, qty FROM a ORDER BY qty DESC, id LIMIT 2",
    "SELECT id FROM a ORDER BY qty DESC NULLS FIRST, id LIMIT 2",
    "SELECT id FROM a ORDER BY name ASC NULLS LAST, id LIMIT 3 OFFSET 1",
    "SELECT name FROM a GROUP BY name ORDER BY sum(id) DESC, name LIMIT 2",
    "SELECT id, name FROM a UNION SELECT id, name FROM b",
    "SELECT id FROM a UNION ALL SELECT id FROM b UNION ALL SELECT NULL",
    "SELECT price AS x FROM a UNION SELECT id FROM a ORDER BY x LIMIT 4",
    "SELECT day AS x FROM a UNION ALL SELECT TIMESTAMP '2024-01-01 10:00:00'",
    "WITH q AS (SELECT name, sum(id) AS s FROM a GROUP BY name), r AS (SELECT max(s) AS m FROM q) SELECT q.name FROM q JOIN r ON q.s = r.m",
    "WITH q AS (SELECT id FROM a), z AS (WITH q2 AS (SELECT id FROM q) SELECT id FROM q2) SELECT q.id FROM q JOIN z ON z.id = q.id",
    "SELECT s.n, s.c FROM (SELECT name AS n, count(*) AS c FROM a GROUP BY name) s WHERE s.c > 1",
    "SELECT name, rank() OVER (ORDER BY sum(id) DESC) AS r FROM a GROUP BY name",
    "SELECT id, sum(price) OVER (PARTITION BY name ORDER BY id) AS s, avg(price) OVER (ORDER BY id ROWS 1 PRECEDING) AS m FROM a",
    "SELECT id, price / (price - 2) AS x, id % (id - 2) AS y FROM a",
    "SELECT name, sum(price) / count(qty) AS x FROM a GROUP BY name",
    "SELECT sum(qty / (id - 1)) AS x, sum(price) / 0 AS y FROM a",
    "SELECT CASE WHEN id > 1 THEN qty / (id - 1) END AS x FROM a",
    "SELECT id FROM a WHERE (qty > 0 OR name IS NULL) AND NOT (id = 3 AND day IS NULL)",
    "SELECT 1 AS one, 'x' AS x, CAST(NULL AS DATE) AS d",
)
