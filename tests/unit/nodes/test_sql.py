# ruff: noqa: E501  # texts of SQL
"""The SQL node: its sources, its problems, and what it does with what does not fit."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headrace.engines.base import Outcome
from headrace.engines.duckdb import DuckDbEngine
from headrace.engines.duckdb import text as duckdb_text
from headrace.engines.spark import script as spark_script
from headrace.errors import BadData, RunFailed
from headrace.graph import Graph, read_node
from headrace.nodes.base import NodeError
from headrace.nodes.examples import Table
from headrace.plan.ops import Collect, Op, Place, Read, Sql, SqlColumn
from headrace.plan.pinned import pinned
from headrace.plan.prune import prune
from tests.support import examples
from tests.support.plans import collected
from tests.support.sql_functions import A, B, node

GIVEN = Table.of("id int, text string, part int, whole int", (1, "5", 1, 2), (2, "x", 1, 0), (3, None, None, 0))


def meaning(sql: str, table: Table = GIVEN) -> Op:
    return node(sql, "t").plan(table.operation(1))


def ran(op: Op, folder: Path) -> Outcome:
    sink = Collect(node_id=0, node="result", parent=op)
    return DuckDbEngine(examples.limits(folder)).run(prune([sink]), sources={}, targets={})


def faults(sources: list[dict[str, Any]]) -> list[str]:
    sent = {"type": "TRANSFORM_SQL", "id": 9, "name": "q", "parentNodeIds": [1, 2], "sourceNameList": sources}
    found = read_node({**sent, "sql": "SELECT id FROM a"}, 0)
    with pytest.raises(NodeError) as caught:
        found.plan(A.operation(1), B.operation(2))  # type: ignore[union-attr]  # it is a node: its fields are right
    return [f"{fault.field}: {fault.message}" for fault in caught.value.faults]


def test_each_parent_needs_one_alias_and_each_alias_one_parent() -> None:
    assert faults([{"parentId": 1, "newName": "a"}]) == ["sourceNameList: parent 2 has no alias"]
    twice = [{"parentId": 1, "newName": "a"}, {"parentId": 2, "newName": "A"}]
    assert faults(twice) == ["sourceNameList[1].newName: the alias 'A' stands twice"]
    strange = [{"parentId": 1, "newName": "a"}, {"parentId": 2, "newName": "b"}, {"parentId": 3, "newName": "c"}]
    assert faults(strange) == ["sourceNameList[2].parentId: 3 is not a parent"]
    again = [{"parentId": 1, "newName": "a"}, {"parentId": 2, "newName": "b"}, {"parentId": 2, "newName": "c"}]
    assert faults(again) == ["sourceNameList[2].parentId: parent 2 has an alias already"]


def test_a_problem_names_the_place_in_the_text() -> None:
    with pytest.raises(NodeError) as caught:
        meaning("SELECT id,\n  nam FROM t")
    (fault,) = caught.value.faults
    assert (fault.field, fault.message, fault.code) == ("sql", "line 2, column 3: no column 'nam'", "unknown-column")


def test_a_cast_that_does_not_fit_fails_the_run_with_its_place_and_value(tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        ran(meaning("SELECT CAST(text AS INT) AS n FROM t"), tmp_path)
    assert (caught.value.node_id, caught.value.node) == (10, "it")
    assert caught.value.message == "CAST AS INT, line 1, column 13: 'x' does not fit"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("to_date(text, 'yyyy-MM-dd')", "5"),
        ("to_timestamp(text)", "5"),
        ("split(text, ',')[id]", "1"),
        ("CAST(id * 300 AS TINYINT)", "300"),
        ("CAST(text AS DATE)", "5"),
    ],
)
def test_what_does_not_fit_fails_the_run(expression: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=f"'{value}' does not fit"):
        ran(meaning(f"SELECT {expression} AS y FROM t WHERE id = 1"), tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT x + 1 AS y FROM t", "SELECT -(-x - 1) * 2 AS y FROM t", "SELECT sum(b) AS y FROM t", "SELECT b + b AS y FROM t",
        "SELECT abs(-x - 1) AS y FROM t", "SELECT sum(d) OVER () AS y FROM t",
        "SELECT sum(d) AS y FROM t", "SELECT d * 10 AS y FROM t",
        "SELECT floor(f) AS y FROM t", "SELECT CAST(f AS BIGINT) AS y FROM t", "SELECT ceil(f / f) AS y FROM t",
    ],
)  # fmt: skip
def test_a_result_out_of_range_fails_the_run_and_never_wraps(sql: str, tmp_path: Path) -> None:
    row = (2**31 - 1, 2**63 - 1, Decimal("9" * 38), float("inf"))
    table = Table.of("x int, b bigint, d decimal(38,0), f double", row, row)
    with pytest.raises(RunFailed):
        ran(meaning(sql.replace("d * 10", "d + d").replace("-(-x - 1) * 2", "x * 2"), table), tmp_path)


def test_a_division_by_zero_is_null_and_counted_once_for_each_value(tmp_path: Path) -> None:
    sql = "SELECT id, round(part / whole, 2) AS share, part % whole AS rest, CASE WHEN whole <> 0 THEN part / whole END AS safe FROM t"
    outcome = ran(meaning(sql), tmp_path)
    assert sorted(outcome.collected[0]) == [(1, 0.5, 1, 0.5), (2, None, None, None), (3, None, None, None)]
    assert outcome.bad_values == {10: {"share": 1, "rest": 1, "safe": 0}}


def test_divisions_are_counted_in_sums_and_over_groups(tmp_path: Path) -> None:
    sql = "SELECT sum(part / whole) AS s, sum(part) / sum(whole - 1) AS q, count(*) / 0 AS z FROM t"
    outcome = ran(meaning(sql), tmp_path)
    assert outcome.collected[0] == ((0.5, -2.0, None),)
    assert outcome.bad_values == {10: {"s": 1, "q": 0, "z": 1}}


def test_a_filter_above_does_not_change_what_is_counted(tmp_path: Path) -> None:
    inner = meaning("SELECT id, part / whole AS share FROM t")
    outer = node("SELECT id FROM q WHERE share > 0 AND id = 1", "q").plan(inner)
    outcome = ran(outer, tmp_path)
    assert outcome.collected[0] == ((1,),)


def test_a_column_that_nobody_reads_is_not_computed_so_it_neither_counts_nor_fails(tmp_path: Path) -> None:
    inner = meaning("SELECT id, part / whole AS share, CAST(text AS INT) AS number FROM t")
    outer = node("SELECT id FROM q", "q").plan(inner)
    outcome = ran(outer, tmp_path)
    assert sorted(outcome.collected[0]) == [(1,), (2,), (3,)]
    assert outcome.bad_values == {}


def test_only_the_columns_that_the_text_reads_are_carried() -> None:
    (sink,) = prune([Collect(node_id=0, node="r", parent=meaning("SELECT id FROM t WHERE whole > 0"))])
    sql = sink.parent
    assert isinstance(sql, Sql)
    assert (sql.sources[0].always, sql.columns) == (("whole",), (SqlColumn("id", (("t", "id"),)),))


def test_the_time_is_that_of_the_start_of_the_run(tmp_path: Path) -> None:
    op = meaning(
        "SELECT current_date AS d, current_timestamp() AS t, now() AS n, unix_timestamp() AS u FROM t WHERE id = 1"
    )
    sink = Collect(node_id=0, node="result", parent=op)
    start = datetime(2024, 2, 29, 23, 59, 59, 5, tzinfo=UTC)
    (at,) = pinned([sink], start)
    outcome = DuckDbEngine(examples.limits(tmp_path)).run([at], sources={}, targets={})
    plain = start.replace(tzinfo=None)
    assert outcome.collected[0] == ((date(2024, 2, 29), plain, plain, 1709251199),)
    assert "current_timestamp" in duckdb_text.shown([sink])
    assert "2024-02-29 23:59:59.000005" in spark_script([at])


def test_a_shared_parent_stays_shared_when_the_time_is_set() -> None:
    shared = meaning("SELECT id FROM t")
    sinks = [Collect(node_id=n, node="r", parent=shared) for n in (1, 2)]
    first, second = pinned(sinks, datetime(2024, 1, 1, tzinfo=UTC))
    assert first.parent is second.parent


@pytest.mark.parametrize("sql", [f"SELECT count(*) AS c FROM {name}" for name in ("`it (10)`", "`input 1 (1)`")])
def test_the_engines_own_names_of_the_steps_can_not_be_read(sql: str) -> None:
    with pytest.raises(NodeError, match="there is no source"):
        meaning(sql)


def test_names_of_any_kind_are_only_names(tmp_path: Path) -> None:
    strange = 'x"; DROP TABLE t; --'
    table = Table.of('a`b" int', (1,))
    sent = {"type": "TRANSFORM_SQL", "id": 9, "name": strange, "parentNodeIds": [1]}
    sources = [{"parentId": 1, "newName": strange}]
    text = f'SELECT `a``b"` AS `{strange}` FROM `{strange}` AS `"`'
    found = read_node({**sent, "sourceNameList": sources, "sql": text}, 0)
    op = found.plan(table.operation(1))  # type: ignore[union-attr]  # it is a node: its fields are right
    assert op.schema.names == (strange,)
    assert collected(op, tmp_path) == ((1,),)


def test_a_query_that_would_slip_through_still_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's own fence: no file, no setting, no extension, whatever the text."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    op = meaning("SELECT id FROM t")
    from headrace.engines import queries

    for hostile in (
        f"SELECT * FROM read_csv('{secret}')",
        f"SELECT * FROM '{secret}'",
        f"SELECT content AS id FROM read_text('{secret}')",
        f"SELECT file AS id FROM glob('{tmp_path}/*')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    ):
        monkeypatch.setattr(queries.Writer, "text", lambda self, checked, hostile=hostile: hostile)
        with pytest.raises(RunFailed):
            ran(op, tmp_path)


def test_a_job_with_an_sql_node_is_checked_as_a_whole() -> None:
    field = {"name": "id", "type": "bigint"}
    source = {"type": "SOURCE_OBS", "id": 1, "name": "in", "parentNodeIds": [], "regionNo": "1", "bucketName": "lake",
              "prefix": "in", "dataType": "CSV", "fieldList": [field, {"name": "v", "type": "string"}]}  # fmt: skip
    query = {"type": "TRANSFORM_SQL", "id": 2, "name": "ask", "parentNodeIds": [1],
             "sourceNameList": [{"parentId": 1, "newName": "rows"}], "sql": "SELECT id FROM rows LIMIT 2"}  # fmt: skip
    target = {"type": "TARGET_OBS", "id": 3, "name": "out", "parentNodeIds": [2], "regionNo": "1", "bucketName": "lake",
              "prefix": "out", "dataType": "CSV", "updateType": "OVERWRITE", "fieldList": [field]}  # fmt: skip
    graph = Graph.of([source, query, target])
    assert graph.problems == ()
    assert "LIMIT without ORDER BY" in str(graph.warnings[0])
    (read,) = [op for op in _all(graph.plan().pruned[0]) if isinstance(op, Read)]
    assert read.used.names == ("id",)
    assert read.place == Place("lake", "in")


def _all(op: Op) -> list[Op]:
    return [op, *(found for parent in op.parents for found in _all(parent))]
