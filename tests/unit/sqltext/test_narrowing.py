"""What of a text its readers need, and that the rest can be left out."""

from pathlib import Path

import pytest

from headrace.nodes.examples import Table
from headrace.plan.expr import Column, Named
from headrace.plan.ops import Collect, Op, Project, Sql
from headrace.plan.prune import prune
from headrace.sqltext.check import check
from headrace.sqltext.narrowing import narrowed, uses
from headrace.sqltext.tree import Derived, Select
from tests.support import divisions, examples, sql_functions
from tests.support.plans import collected

T = Table.of("id int, name string, qty int, day date, big bigint, rest int").schema
U = Table.of("id int, v string").schema


def needs(text: str) -> tuple[str, dict[str, str]]:
    """What the rows of a query need, and what each of its columns needs beside that."""
    always, columns = uses(check(text, (("t", T), ("u", U))))
    rows = [f"{alias}.{name}" for alias, names in always.items() for name in names]
    return " ".join(rows), {name: " ".join(f"{a}.{n}" for a, n in found) for name, found in columns.items()}


@pytest.mark.parametrize(
    ("text", "rows", "columns"),
    [
        ("SELECT id, name AS n FROM t", "", {"id": "t.id", "n": "t.name"}),
        ("SELECT count(*) AS c FROM t", "", {"c": ""}),
        ("SELECT id FROM t WHERE qty > 1", "t.qty", {"id": "t.id"}),
        ("SELECT DISTINCT id, name FROM t", "t.id t.name", {"id": "", "name": ""}),
        ("SELECT id FROM t ORDER BY day", "", {"id": "t.id"}),
        ("SELECT id FROM t ORDER BY day LIMIT 1", "t.day", {"id": "t.id"}),
        ("SELECT id, name FROM t ORDER BY id LIMIT 1", "t.id", {"id": "", "name": "t.name"}),
        ("SELECT t.id, v FROM t JOIN u ON t.id = u.id", "t.id u.id", {"id": "", "v": "u.v"}),
        ("SELECT name, max(day) AS d FROM t GROUP BY name", "t.name", {"name": "", "d": "t.day"}),
        ("SELECT max(day) AS d FROM t GROUP BY name HAVING sum(qty) > 1", "t.name t.qty", {"d": "t.day"}),
        ("SELECT id FROM (SELECT id, name FROM t WHERE qty > 1)", "t.qty", {"id": "t.id"}),
        ("SELECT x.id FROM (SELECT DISTINCT id, name FROM t) x", "t.id t.name", {"id": ""}),
        ("WITH q AS (SELECT id, day FROM t WHERE qty > 1) SELECT v FROM u", "", {"v": "u.v"}),
        ("WITH q AS (SELECT id, day FROM t WHERE qty > 1) SELECT id FROM q", "t.qty", {"id": "t.id"}),
        ("SELECT id, name FROM t UNION ALL SELECT id, v FROM u", "", {"id": "t.id u.id", "name": "t.name u.v"}),
        ("SELECT id FROM t UNION SELECT id FROM u", "t.id u.id", {"id": ""}),
        ("SELECT id FROM t WHERE EXISTS (SELECT * FROM u WHERE u.id = t.id)", "t.id u.id", {"id": ""}),
        ("SELECT id FROM t WHERE name IN (SELECT v FROM u)", "t.name u.v", {"id": "t.id"}),
        ("SELECT id, (SELECT max(v) FROM u WHERE u.id > 1) AS m FROM t", "", {"id": "t.id", "m": "u.id u.v"}),
        ("SELECT id, sum(qty) OVER (PARTITION BY day) AS s FROM t", "", {"id": "t.id", "s": "t.day t.qty"}),
    ],
)
def test_a_column_needs_what_it_reads_and_the_rows_what_decides_them(
    text: str, rows: str, columns: dict[str, str]
) -> None:
    assert needs(text) == (rows, columns)


def test_what_nobody_needs_is_left_out_of_queries_inside() -> None:
    query = narrowed(check("SELECT a, b FROM (SELECT id AS a, qty AS b, day FROM t) x", (("t", T),)), ["b"]).query
    assert isinstance(query, Select)
    assert isinstance(query.source, Derived)
    assert (query.schema.names, query.source.query.schema.names) == (("b",), ("b",))


def narrow(op: Op, name: str) -> Op:
    column = Named(name, Column(name, op.schema[name].type))
    return Project(node_id=11, node="one", parent=op, columns=(column,))


TEXTS = [*sql_functions.QUERIES, *(text for text, _, _ in divisions.CASES)]


@pytest.mark.parametrize("text", TEXTS)
def test_one_column_alone_has_the_values_that_it_has_among_all(text: str, tmp_path: Path) -> None:
    divides = text in [case for case, _, _ in divisions.CASES]
    given = (sql_functions.A.operation(1), sql_functions.B.operation(2))
    op = divisions.asked(text) if divides else sql_functions.node(text, "a", "b").plan(*given)
    whole = collected(op, tmp_path)
    for place, name in enumerate(op.schema.names):
        (sink,) = prune([Collect(node_id=0, node="result", parent=narrow(op, name))])
        (sql,) = sink.parents[0].parents
        assert isinstance(sql, Sql)
        assert sql.schema.names == (name,)
        assert examples.rows_equal(collected(sink.parent, tmp_path), [(row[place],) for row in whole])


@pytest.mark.parametrize("text", ["SELECT id FROM a", "SELECT DISTINCT name FROM a", "SELECT id FROM a UNION SELECT 7"])
def test_rows_of_which_no_column_is_read_are_still_as_many(text: str, tmp_path: Path) -> None:
    inner = sql_functions.node(text, "a").plan(sql_functions.A.operation(1))
    outer = sql_functions.node("SELECT count(*) AS n FROM q", "q").plan(inner)
    (sink,) = prune([Collect(node_id=0, node="result", parent=outer)])
    assert sink.parent.parents[0].schema.names == ()
    assert collected(sink.parent, tmp_path) == ((len(collected(inner, tmp_path)),),)
