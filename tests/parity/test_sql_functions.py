"""Every function of SQL nodes gives on Spark what it gives on the embedded engine."""

from pathlib import Path
from typing import Any

import pytest

from headrace.plan.ops import Collect
from headrace.plan.prune import prune
from tests.parity.running import WHY_SKIPPED, Spark, sail_fault, spark_columns
from tests.support import divisions, examples, sql_functions
from tests.support.casts import same
from tests.support.plans import collected
from tests.support.sql_functions import Case

pytest.importorskip("pysail", reason=WHY_SKIPPED)

_ROUND = "the type of a rounded decimal is that of the decimal"
_FAULTS = {
    ("x string, p int, k int", "substring(x, p, k)"): "a negative length is an error",
    ("x string, i int", "get(split(x, ','), i)"): "an index of 2147483647 is an error",
    ("x double", "round(x, 2)"): "rounds the binary value",
    ("x decimal(6,3)", "round(x, 1)"): _ROUND,
    ("x decimal(6,3)", "round(x, -1)"): _ROUND,
    ("x decimal(6,3)", "round(x, 5)"): _ROUND,
    ("x double, z double", "power(x, z)"): "0 to a negative power is an error",
    ("x decimal(10,2), z decimal(10,2)", "x / z"): "a quotient of decimals has another type",
    ("x decimal(10,2)", "x / 3"): "a quotient of decimals is cut, not rounded",
    ("x string", "to_date(x)"): "spaces around a date are not allowed",
}


def _params() -> list[Any]:
    found = []
    for case in sql_functions.cases():
        reason = _FAULTS.get((case.columns, case.expression))
        marks = [sail_fault(reason)] if reason else []
        found.append(pytest.param(case, id=str(case), marks=marks))
    return found


@pytest.mark.parametrize("case", _params())
def test_a_function_gives_what_spark_documents(case: Case, spark: Spark, tmp_path: Path) -> None:
    op = case.operation()
    ran = spark.run(op)
    assert ran.columns == spark_columns(op.schema)
    wrong = [(g, w) for g, w in zip(sorted(ran.rows), case.expected(), strict=True) if not same(g[1], w[1])]
    assert wrong == []


_CORRELATED = "a value that depends on the outer row is not resolved"
_QUOTIENT = "a quotient of decimals has another type"
_QUERY_FAULTS = {
    "SELECT id FROM a WHERE qty > (SELECT avg(x.qty) FROM a x WHERE x.name = a.name)": _CORRELATED,
    "SELECT id FROM a WHERE 0 = (SELECT count(*) FROM b WHERE b.id = a.id)": _CORRELATED,
    "SELECT id, price / (price - 2) AS x, id % (id - 2) AS y FROM a": _QUOTIENT,
    "SELECT name, sum(price) / count(qty) AS x FROM a GROUP BY name": _QUOTIENT,
}


def _queries() -> list[Any]:
    faults = ((sql, _QUERY_FAULTS.get(sql)) for sql in sql_functions.QUERIES)
    return [pytest.param(sql, marks=[sail_fault(reason)] if reason else []) for sql, reason in faults]


@pytest.mark.parametrize("sql", _queries())
def test_a_query_gives_the_same_rows_on_both_engines(sql: str, spark: Spark, tmp_path: Path) -> None:
    op = sql_functions.node(sql, "a", "b").plan(sql_functions.A.operation(1), sql_functions.B.operation(2))
    ran = spark.run(op)
    assert ran.columns == spark_columns(op.schema)
    assert examples.rows_equal(ran.rows, collected(op, tmp_path))


def _divisions() -> list[Any]:
    texts = ((text, [sail_fault(_QUOTIENT)] if "DECIMAL" in text else []) for text, _, _ in divisions.CASES)
    return [pytest.param(text, marks=marks) for text, marks in texts]


@pytest.mark.parametrize("sql", _divisions())
def test_counting_divisions_changes_no_row(sql: str, spark: Spark, tmp_path: Path) -> None:
    (sink,) = prune([Collect(node_id=0, node="result", parent=divisions.asked(sql))])
    ran = spark.run(sink.parent)
    assert ran.columns == spark_columns(sink.parent.schema)
    assert examples.rows_equal(ran.rows, collected(sink.parent, tmp_path))
