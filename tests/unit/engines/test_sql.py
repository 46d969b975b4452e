import pytest

from headrace.engines.base import Step
from headrace.engines.dialects import DuckDbDialect, SparkDialect, SqlDialect
from headrace.engines.raw import Raw
from headrace.engines.sql import Generator, numbered
from headrace.plan.expr import All, Column, Compare, Expr, IsNull, Named, Not, Some, Value
from headrace.plan.ops import Aggregate, Collect, Filter, Op, Project, Rows, Union
from headrace.plan.types import BIGINT, INT, STRING, Field, Schema

ID, NAME = Column("id", INT), Column("name", STRING)
GIVEN = Rows(
    node_id=1, node="given", given=Schema((Field("id", INT), Field("name", STRING))), rows=((1, "it's"), (2, None))
)


def generator(dialect: SqlDialect) -> Generator:
    return Generator(dialect, raw=lambda read: Raw("nothing", {}), write=lambda write, select: select, counts=False)


def last(op: Op, dialect: SqlDialect) -> str:
    """The statement of an operation, without the head that names it."""
    steps = generator(dialect).generate([Collect(node_id=9, node="out", parent=op)]).steps
    return steps[-2].statement.split(" AS\n", 1)[1]


@pytest.mark.parametrize(
    ("test", "sql"),
    [
        (Compare("NE", ID, Value(5, INT)), "\"id\" <> CAST('5' AS INT)"),
        (IsNull(NAME), '"name" IS NULL'),
        (Not(IsNull(NAME)), 'NOT ("name" IS NULL)'),
        (
            All((IsNull(ID), Some((IsNull(NAME), Compare("EQ", NAME, Value("a'b", STRING)))))),
            '("id" IS NULL) AND (("name" IS NULL) OR ("name" = \'a\'\'b\'))',
        ),
        (Compare("LT", Column("x", INT, "left"), Column("x", INT, "right")), 'l."x" < r."x"'),
    ],
)
def test_a_test_is_written_with_its_own_brackets(test: Expr, sql: str) -> None:
    assert generator(DuckDbDialect()).expr(test, GIVEN).replace("AS INTEGER", "AS INT") == sql


def test_given_rows_are_written_row_for_row() -> None:
    assert last(GIVEN, DuckDbDialect()).replace("INTEGER", "INT") == (
        "SELECT CAST('1' AS INT) AS \"id\", 'it''s' AS \"name\"\n"
        "UNION ALL\n"
        'SELECT CAST(\'2\' AS INT) AS "id", CAST(NULL AS VARCHAR) AS "name"'
    )


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        (DuckDbDialect(), 'SELECT "id"\nFROM "given (1)"'),
        (SparkDialect(), "SELECT `id`\nFROM `given_1`"),
    ],
)
def test_both_dialects_write_the_same_plan_in_their_own_quotes(dialect: SqlDialect, sql: str) -> None:
    assert last(Project(node_id=2, node="p", parent=GIVEN, columns=(Named("id", ID),)), dialect) == sql


def test_an_aggregate_without_groups_has_no_group_by() -> None:
    one = Aggregate(node_id=2, node="a", parent=GIVEN, groups=(), measures=(Named("n", ID),))
    each = Aggregate(node_id=2, node="a", parent=GIVEN, groups=(Field("name", STRING),), measures=(Named("n", ID),))
    assert last(one, DuckDbDialect()) == 'SELECT "id" AS "n"\nFROM "given (1)"'
    assert last(each, DuckDbDialect()) == 'SELECT "name", "id" AS "n"\nFROM "given (1)"\nGROUP BY "name"'


def test_rows_that_are_only_counted_have_one_column_of_our_own() -> None:
    nothing = Project(node_id=2, node="p", parent=GIVEN, columns=())
    one = Aggregate(node_id=2, node="a", parent=GIVEN, groups=(), measures=())
    assert last(nothing, DuckDbDialect()) == 'SELECT TRUE AS "_headrace_row"\nFROM "given (1)"'
    assert last(nothing, SparkDialect()) == "SELECT TRUE AS `_headrace_row`\nFROM `given_1`"
    assert last(one, DuckDbDialect()) == 'SELECT count(*) AS "_headrace_row"\nFROM "given (1)"'


def test_a_union_of_different_rows_says_so() -> None:
    union = Union(node_id=3, node="u", inputs=(GIVEN, Filter(node_id=2, node="f", parent=GIVEN, test=IsNull(ID))),
                  distinct=True)  # fmt: skip
    assert last(union, DuckDbDialect()) == (
        'SELECT DISTINCT * FROM (\nSELECT * FROM "given (1)"\nUNION ALL\nSELECT * FROM "f (2)"\n)'
    )


def test_two_operations_of_one_node_have_two_names() -> None:
    inner = Project(node_id=2, node="p", parent=GIVEN, columns=(Named("id", ID),))
    outer = Project(node_id=2, node="p", parent=inner, columns=(Named("id", Column("id", BIGINT)),))
    steps = generator(DuckDbDialect()).generate([Collect(node_id=9, node="out", parent=outer)]).steps
    assert [step.statement.split(" AS")[0] for step in steps[:-1]] == [
        'CREATE TEMP VIEW "given (1)"',
        'CREATE TEMP VIEW "p (2)"',
        'CREATE TEMP VIEW "p (2) 2"',
    ]


def test_steps_are_numbered_under_their_nodes_and_stay_comments_whatever_the_name() -> None:
    steps = [Step(1, "a\nb", "read", "SELECT 1"), Step(2, "c", "write", "SELECT 2")]
    assert "\n".join(numbered(steps)) == "-- 1. a b (1): read\nSELECT 1;\n\n-- 2. c (2): write\nSELECT 2;\n"
