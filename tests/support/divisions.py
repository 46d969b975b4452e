# ruff: noqa: E501  # a table: a case is read along its line
"""Queries that divide by zero in every clause: the text, its rows where they matter, and what is counted for each column.

`tests/unit` holds both on the embedded engine, `tests/parity` that the rows are those of Spark.
"""

from headrace.nodes.examples import Table
from headrace.plan.ops import Op
from tests.support.sql_functions import node

T = Table.of("id int, a int, b int", (1, 4, 2), (2, 4, 0), (3, 0, 0), (4, None, 0), (5, 9, 3), (6, 1, None))
U = Table.of("id int, c int", (1, 2), (1, 0), (2, 1), (2, 4), (9, 0))


def asked(text: str) -> Op:
    """The query over both tables."""
    aliases = [alias for alias in ("t", "u") if f" {alias}" in text.replace("JOIN u v", "JOIN u")]
    return node(text, *aliases).plan(*({"t": T, "u": U}[alias].operation(n) for n, alias in enumerate(aliases, 1)))


Case = tuple[str, list[tuple[object, ...]] | None, dict[str, int]]
WHERE: list[Case] = [
    ("SELECT id FROM t WHERE a / b > 1", [(1,), (5,)], {"WHERE": 2}),
    ("SELECT id FROM t WHERE a / b IS NULL", [(2,), (3,), (4,), (6,)], {"WHERE": 2}),
    ("SELECT id FROM t WHERE coalesce(a / b, 7) = 7", [(2,), (3,), (4,), (6,)], {"WHERE": 2}),
    ("SELECT id FROM t WHERE b <> 0 AND a / b > 1", [(1,), (5,)], {}),
    ("SELECT id FROM t WHERE a / b > 1 AND b <> 0", [(1,), (5,)], {}),
    ("SELECT id FROM t WHERE a / b > 1 AND id > 2", [(5,)], {"WHERE": 1}),
    ("SELECT id FROM t WHERE (b = 0 OR a / b > 1) AND a % b = 0", [(1,), (5,)], {"WHERE": 2}),
    ("SELECT id FROM t WHERE id = 2 OR a / b > 1", [(1,), (2,), (5,)], {"WHERE": 1}),
    ("SELECT id FROM t WHERE NOT (a / b > 1)", [], {"WHERE": 2}),
    ("SELECT id FROM t WHERE a / 2 > 1 AND a % 4 = 0", [(1,), (2,)], {}),
    ("SELECT id FROM t WHERE a / 0 IS NULL AND id = 1", [(1,)], {"WHERE": 1}),
    ("SELECT id FROM t WHERE a / b IN (SELECT CAST(c AS DOUBLE) FROM u)", [(1,)], {"WHERE": 2}),
    ("SELECT id FROM t WHERE id IN (SELECT id / c FROM u)", [(2,)], {"column_1": 2}),
    ("SELECT id FROM t WHERE id IN (SELECT id FROM u WHERE id / c > 1) AND a / b IS NULL", [(2,)], {"WHERE": 3}),
    ("SELECT id FROM t WHERE id > (SELECT max(id / c) FROM u)", [(3,), (4,), (5,), (6,)], {"column_1": 2}),
]
GROUPS: list[Case] = [
    ("SELECT b, count(*) AS n FROM t GROUP BY b HAVING sum(a) / b > 1", [(2, 1), (3, 1)], {"HAVING": 1}),
    ("SELECT b FROM t GROUP BY b HAVING b <> 0 AND sum(a) / b > 1", [(2,), (3,)], {}),
    ("SELECT a / b AS q, count(*) AS n FROM t GROUP BY 1", [(2.0, 1), (3.0, 1), (None, 4)], {"q": 2}),
    ("SELECT count(DISTINCT a / b) AS n FROM t", [(2,)], {"n": 2}),
    ("SELECT sum(CAST(a AS DECIMAL(38,9)) / b) AS s FROM t WHERE id < 3", None, {"s": 1}),
    ("SELECT id, sum(a / b) OVER (ORDER BY id) AS s FROM t WHERE id < 3", [(1, 2.0), (2, 2.0)], {"s": 1}),
]
ON: list[Case] = [
    ("SELECT t.id, c FROM t JOIN u ON t.id = u.id AND t.a / u.c > 3", [(2, 1)], {"ON": 1}),
    ("SELECT t.id, c FROM t JOIN u ON t.id = u.id AND t.a / t.b > 1", [(1, 0), (1, 2)], {"ON": 2}),
    ("SELECT t.id, c FROM t JOIN u ON t.id = u.id AND t.id = 2 AND t.a / t.b > 1", [], {"ON": 1}),
    ("SELECT t.id, c FROM t JOIN u ON t.a / t.b = u.c", [(1, 2)], {"ON": 2}),
    ("SELECT t.id, c FROM t JOIN u ON t.a / t.b = u.id / u.c", None, {"ON": 4}),
    ("SELECT u.id, a FROM u LEFT JOIN t ON t.id = u.id AND t.a / t.b > 3", None, {"ON": 2}),
    ("SELECT u.id, a FROM u LEFT JOIN t ON t.id = u.id AND t.a / u.c > 2", None, {"ON": 1}),
    ("SELECT t.id FROM t LEFT SEMI JOIN u ON t.id = u.id AND t.a / u.c > 1", [(1,), (2,)], {"ON": 1}),
    ("SELECT t.id FROM t LEFT ANTI JOIN u ON t.a / t.b = u.c", [(2,), (3,), (4,), (5,), (6,)], {"ON": 2}),
    (
        "SELECT t.id, v.c FROM t LEFT JOIN u ON t.id = u.id AND t.a / t.b > 1 "
        "JOIN u v ON coalesce(u.id / u.c, 9) = v.id",
        None,
        {"ON": 7},
    ),
]
WITH: list[Case] = [
    (
        "WITH q AS (SELECT id, a / b AS r FROM t) SELECT x.id FROM q x JOIN q y ON x.id = y.id WHERE x.r = 2",
        [(1,)],
        {"r": 2},
    ),
    ("WITH q AS (SELECT id FROM t WHERE a / b > 1) SELECT id FROM q UNION ALL SELECT id FROM q", None, {"WHERE": 2}),
    ("WITH q AS (SELECT a / b AS r FROM t) SELECT id FROM t WHERE id = 1", [(1,)], {}),
    ("SELECT id FROM (SELECT id, a / b AS r FROM t) WHERE id = 1", [(1,)], {}),
    ("SELECT id, r FROM (SELECT id, a / b AS r FROM t) WHERE id = 1", [(1, 2.0)], {"r": 2}),
    ("SELECT id, r FROM (SELECT id, a / b AS r FROM t UNION ALL SELECT id, c FROM u) WHERE id = 5", None, {"r": 2}),
]
CASES: tuple[Case, ...] = (*WHERE, *GROUPS, *ON, *WITH)
