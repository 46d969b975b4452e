"""Ask in SQL.

One query in Spark SQL over the rows of the parents. Each parent gets an alias in `sourceNameList`, and the query reads
these aliases and nothing else: no table, file, address or setting can be reached. What a query may hold is a list of
functions, joins and clauses ([the reference](../sql.md)); all else is a problem, with its line and column, before
anything runs. Every column of the result needs a name: give one with `AS` to what is computed.

A `CAST` that a value does not fit fails the run, as in Spark; `TRY_CAST` makes it null. A division by zero is null,
and the run's report counts such values for each column, and under the names `WHERE`, `ON` and `HAVING` those in tests.
A column of the result that no later node reads is not computed: it is not counted, and a `CAST` in it fails nothing.
`ORDER BY` decides which rows a `LIMIT` keeps; the rows of a result have no order.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import Described, Example, Fault, Node, NodeError, Table, Whole, Widget, Wire, nearest
from headrace.plan.ops import Op, Sql, SqlColumn, SqlSource
from headrace.plan.types import fold


class SourceName(Wire):
    """A parent and its alias in the query."""

    parent_id: Annotated[Whole, Described(description="A parent of this node.")]
    new_name: Annotated[str, Described(min_length=1, max_length=100, description="Its name in the query.")]


class SqlNode(Node):
    """Run a query in Spark SQL over the parents."""

    category: ClassVar = "TRANSFORM"
    group: ClassVar = "SQL"
    arity: ClassVar = (1, None)
    examples: ClassVar = (
        Example(
            title="Customers with what they bought: a join, sums, a filter on groups",
            given=(
                Table.of("id int, name string", (1, "Ann"), (2, "Bo"), (3, "Cy")),
                Table.of(
                    "customer int, qty int, price decimal(8,2)",
                    (1, 2, Decimal("1.50")),
                    (1, 1, Decimal("4.00")),
                    (2, 1, Decimal("0.99")),
                    (4, 1, Decimal("9.00")),
                ),
            ),
            fields={
                "sourceNameList": [{"parentId": 1, "newName": "customers"}, {"parentId": 2, "newName": "orders"}],
                "sql": "SELECT c.name, count(*) AS orders, sum(o.qty * o.price) AS spent\n"
                "FROM customers c JOIN orders o ON o.customer = c.id\n"
                "GROUP BY c.name HAVING sum(o.qty) > 1",
            },
            gives=Table.of("name string, orders bigint, spent decimal(29,2)", ("Ann", 2, Decimal("7.00"))),
        ),
        Example(
            title="The last row of each group, by a window",
            given=(
                Table.of(
                    "sku string, day date, price double",
                    ("A", date(2024, 1, 1), 1.0),
                    ("A", date(2024, 2, 1), 2.5),
                    ("B", date(2024, 1, 15), 4.0),
                ),
            ),
            fields={
                "sourceNameList": [{"parentId": 1, "newName": "prices"}],
                "sql": "SELECT sku, price, price - before AS change FROM (\n"
                "  SELECT sku, price, lag(price) OVER (PARTITION BY sku ORDER BY day) AS before,\n"
                "         row_number() OVER (PARTITION BY sku ORDER BY day DESC) AS place\n"
                "  FROM prices)\n"
                "WHERE place = 1",
            },
            gives=Table.of("sku string, price double, change double", ("A", 2.5, 1.5), ("B", 4.0, None)),
        ),
        Example(
            title="A running total and a share of the whole",
            given=(Table.of("day int, qty int", (1, 10), (2, 30), (3, 60)),),
            fields={
                "sourceNameList": [{"parentId": 1, "newName": "t"}],
                "sql": "SELECT day, sum(qty) OVER (ORDER BY day) AS total, qty / sum(qty) OVER () AS share FROM t",
            },
            gives=Table.of("day int, total bigint, share double", (1, 10, 0.1), (2, 40, 0.3), (3, 100, 0.6)),
        ),
        Example(
            title="A query in steps: WITH, the three best, what is above the mean",
            given=(Table.of("name string, points int", ("a", 5), ("b", 9), ("c", 7), ("d", None), ("e", 1)),),
            fields={
                "sourceNameList": [{"parentId": 1, "newName": "scores"}],
                "sql": "WITH best AS (SELECT name, points FROM scores ORDER BY points DESC LIMIT 3)\n"
                "SELECT name, points FROM best WHERE points > (SELECT avg(points) FROM scores)",
            },
            gives=Table.of("name string, points int", ("b", 9), ("c", 7)),
        ),
        Example(
            title="Dates: month by month, days between, the end of the month",
            given=(Table.of("started date, ended date", (date(2024, 1, 31), date(2024, 3, 1)), (None, None)),),
            fields={
                "sourceNameList": [{"parentId": 1, "newName": "t"}],
                "sql": "SELECT date_format(started, 'yyyy-MM') AS month, datediff(ended, started) AS days,\n"
                "       add_months(started, 1) AS next, last_day(ended) AS due,\n"
                "       date_trunc('QUARTER', ended) AS quarter\n"
                "FROM t WHERE started IS NOT NULL",
            },
            gives=Table.of(
                "month string, days int, next date, due date, quarter timestamp",
                ("2024-01", 30, date(2024, 2, 29), date(2024, 3, 31), datetime(2024, 1, 1)),
            ),
        ),
        Example(
            title="Text: parts, patterns, padding; Hangul counts by characters",
            given=(Table.of("code string, name string", ("kr-007", " 김철수 "), ("us-42", None)),),
            fields={
                "sourceNameList": [{"parentId": 1, "newName": "t"}],
                "sql": "SELECT upper(split(code, '-')[0]) AS land,\n"
                "       lpad(regexp_extract(code, '([0-9]+)$'), 4, '0') AS no,\n"
                "       coalesce(substring(trim(name), 1, 1), '?') AS family, length(name) AS size\n"
                "FROM t",
            },
            gives=Table.of(
                "land string, no string, family string, size int", ("KR", "0007", "김", 5), ("US", "0042", "?", None)
            ),
        ),
        Example(
            title="A division by zero is null and counted; TRY_CAST lets bad texts be null",
            given=(
                Table.of(
                    "id int, part int, whole int, note string", (1, 1, 4, "7"), (2, 1, 0, "x"), (3, None, 0, None)
                ),
            ),
            fields={
                "sourceNameList": [{"parentId": 1, "newName": "t"}],
                "sql": "SELECT id, round(part / whole, 1) AS share, TRY_CAST(note AS INT) AS note FROM t",
            },
            gives=Table.of("id int, share double, note int", (1, 0.3, 7), (2, None, None), (3, None, None)),
            bad_values={"share": 1},
        ),
        Example(
            title="Stacked rows, and those without a partner",
            given=(
                Table.of("id int, name string", (1, "a"), (2, "b")),
                Table.of("id bigint, name string", (2, "b"), (3, "c")),
            ),
            fields={
                "sourceNameList": [{"parentId": 1, "newName": "old"}, {"parentId": 2, "newName": "new"}],
                "sql": "SELECT id, name, 'gone' AS state FROM old o\n"
                "WHERE NOT EXISTS (SELECT 1 FROM new n WHERE n.id = o.id)\n"
                "UNION ALL\n"
                "SELECT n.id, n.name, 'new' FROM new n LEFT ANTI JOIN old o ON o.id = n.id",
            },
            gives=Table.of("id bigint, name string, state string", (1, "a", "gone"), (3, "c", "new")),
        ),
        Example(
            title="Classes by CASE, distinct counts",
            given=(Table.of("user string, amount double", ("u", 5.0), ("u", 50.0), ("v", 70.0), ("w", None)),),
            fields={
                "sourceNameList": [{"parentId": 1, "newName": "t"}],
                "sql": "SELECT CASE WHEN amount >= 10 THEN 'large' WHEN amount IS NULL THEN 'none' ELSE 'small' END\n"
                "       AS size,\n"
                "       count(DISTINCT user) AS users, max(amount) AS most\n"
                "FROM t GROUP BY 1",
            },
            gives=Table.of(
                "size string, users bigint, most double", ("large", 2, 70.0), ("small", 1, 5.0), ("none", 1, None)
            ),
        ),
    )

    type: Literal["TRANSFORM_SQL"] = "TRANSFORM_SQL"
    source_name_list: Annotated[
        tuple[SourceName, ...],
        Described(min_length=1, description="An alias for each parent."),
        Widget("list", "Sources"),
    ]
    sql: Annotated[
        str, Described(min_length=1, description="One query in Spark SQL over the aliases."), Widget("text", "SQL")
    ]

    def plan(self, *parents: Op) -> Op:
        """The query over the parents."""
        from headrace.sqltext.check import check
        from headrace.sqltext.faults import SqlInvalid
        from headrace.sqltext.narrowing import uses

        by_id = dict(zip(self.parent_node_ids, parents, strict=True))
        if faults := self._source_faults(by_id):
            raise NodeError.of(faults)
        named = [(source.new_name, by_id[source.parent_id]) for source in self.source_name_list]
        try:
            checked = check(self.sql, tuple((alias, parent.schema) for alias, parent in named))
            always, columns = uses(checked)
        except SqlInvalid as error:
            raise NodeError.of(
                [Fault(f"{f.place}: {f.message}", "sql", f.hint, f.code) for f in error.faults]
            ) from None
        return Sql(
            node_id=self.id,
            node=self.name,
            inputs=tuple(parent for _, parent in named),
            sources=tuple(SqlSource(alias, parent.schema, always[alias]) for alias, parent in named),
            text=self.sql,
            columns=tuple(SqlColumn(name, needs) for name, needs in columns.items()),
            result=checked.schema,
        )

    def warnings(self, *parents: Op) -> tuple[Fault, ...]:
        """What the query does that may surprise."""
        from headrace.sqltext.check import check

        by_id = dict(zip(self.parent_node_ids, parents, strict=True))
        sources = tuple((source.new_name, by_id[source.parent_id].schema) for source in self.source_name_list)
        return tuple(Fault(told, "sql", code="sql") for told in check(self.sql, sources).warnings)

    def _source_faults(self, by_id: dict[int, Op]) -> list[Fault]:
        """Each parent once, each alias once, no others."""
        faults: list[Fault] = []
        aliases: set[str] = set()
        seen: set[int] = set()
        for index, source in enumerate(self.source_name_list):
            place = f"sourceNameList[{index}]"
            if source.parent_id not in by_id:
                known = nearest(str(source.parent_id), map(str, by_id))
                message = f"{source.parent_id} is not a parent"
                faults.append(Fault(message, f"{place}.parentId", known, "unknown-parent"))
            elif source.parent_id in seen:
                message = f"parent {source.parent_id} has an alias already"
                faults.append(Fault(message, f"{place}.parentId", "one alias is enough: use it twice in the query"))
            if fold(source.new_name) in aliases:
                message = f"the alias {source.new_name!r} stands twice"
                faults.append(Fault(message, f"{place}.newName", "names differ by more than case", "repeated-alias"))
            seen.add(source.parent_id)
            aliases.add(fold(source.new_name))
        return faults + _without_alias(by_id, seen)


def _without_alias(by_id: dict[int, Op], seen: set[int]) -> list[Fault]:
    missing: Sequence[int] = [parent for parent in by_id if parent not in seen]
    hint = "add an entry with a newName"
    return [Fault(f"parent {parent} has no alias", "sourceNameList", hint, "unnamed-parent") for parent in missing]
