"""Every function of SQL nodes gives on the embedded engine what Spark documents."""

import re
from pathlib import Path

import pytest

from headrace.engines import functions as renderings
from headrace.sqltext.functions import FUNCTIONS
from tests.support import sql_functions
from tests.support.casts import same
from tests.support.plans import collected
from tests.support.sql_functions import Case

_RENDERED_ELSEWHERE = {"if", "nullif", "mod", "to_date", "to_timestamp", "current_date", "current_timestamp"}


@pytest.mark.parametrize("case", list(sql_functions.cases()), ids=str)
def test_a_function_gives_what_spark_documents(case: Case, tmp_path: Path) -> None:
    got = sorted(collected(case.operation(), tmp_path))
    wrong = [(g, w) for g, w in zip(got, case.expected(), strict=True) if not same(g[1], w[1])]
    assert wrong == []


def test_every_function_stands_in_the_table() -> None:
    told = " ".join(case.expression.lower() for case in sql_functions.cases())
    called = set(re.findall(r"([a-z_]+)\(", told))
    missing = set(FUNCTIONS) - called - {"current_date", "current_timestamp"}
    assert missing == set()


@pytest.mark.parametrize("table", [renderings.DUCKDB, renderings.SPARK], ids=["duckdb", "spark"])
def test_every_function_of_a_row_is_rendered_in_each_dialect(table: dict[str, object]) -> None:
    scalars = {name for name, f in FUNCTIONS.items() if f.role != "aggregate"}
    assert scalars - _RENDERED_ELSEWHERE - set(table) == set()
