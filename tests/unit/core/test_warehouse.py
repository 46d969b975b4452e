from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.core import warehouse
from headrace.core.warehouse import TableName
from tests.support.databases import sqlite

NOW = datetime(2025, 3, 21, tzinfo=UTC)


def test_a_table_is_named_by_two_words_whose_case_means_nothing() -> None:
    assert TableName.of(" Sales.Orders_1 ") == TableName("sales", "orders_1")
    assert TableName("sales", "orders").prefix == "sales/orders"


@pytest.mark.parametrize(
    "text", ["", "orders", ".orders", "sales.", "a.b.c", "_a.b", "a/b.c", "a.\nb", "ä.b", "a." + "b" * 129]
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not schema\.table"):
        TableName.of(text)


def test_columns_are_kept_for_each_account_and_the_last_ones_count(tmp_path: Path) -> None:
    table, columns = TableName("s", "t"), [{"name": "id", "type": "int"}]
    with sqlite(tmp_path) as database, database.transaction() as con:
        warehouse.keep(con, "main", table, [{"name": "old", "type": "string"}], now=NOW)
        warehouse.keep(con, "main", table, columns, now=NOW)
        assert warehouse.columns(con, "main", table) == columns
        assert warehouse.columns(con, "other", table) is None
