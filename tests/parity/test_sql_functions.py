"""Every function of SQL nodes gives on Spark what it gives on the embedded engine."""

from pathlib import Path
from typing import Any

import pytest

from tests.parity.running import WHY_SKIPPED, Spark, sail_fault, spark_columns
from tests.support import sql_functions
from tests.support.casts import same
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
