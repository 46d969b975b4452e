# ruff: noqa: E501  # tables of texts and what is told about them
"""What a text means: its columns, its types, what it reads, and what is wrong with it and where."""

import pytest

from headrace.nodes.examples import Table
from headrace.sqltext.check import check
from headrace.sqltext.faults import SqlInvalid
from headrace.sqltext.functions import FUNCTIONS, find, names, rows

SOURCES = (
    ("t", Table.of("id int, name string, price decimal(10,2), qty double, day date, at timestamp, big bigint").schema),
    ("u", Table.of("id int, v varchar(5), name string").schema),
)


def columns(text: str) -> list[str]:
    return [f"{f.name} {f.type}" for f in check(text, SOURCES).schema]


def faults(text: str) -> list[str]:
    with pytest.raises(SqlInvalid) as caught:
        check(text, SOURCES)
    return [f"{f.place}: {f.message}" + (f"; {f.hint}" if f.hint else "") for f in caught.value.faults]


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("id + 1", "int"), ("id + big", "bigint"), ("id / 2", "double"), ("price + 1", "decimal(11,2)"),
        ("price * 2", "decimal(12,2)"), ("price / 3", "decimal(14,6)"), ("price / id", "decimal(21,13)"),
        ("price % 2", "decimal(3,2)"), ("price * qty", "double"), ("price + id", "decimal(13,2)"), ("1.50", "decimal(3,2)"),
        ("1e3", "double"), ("3000000000", "bigint"), ("-5", "int"), ("0.001", "decimal(3,3)"), ("5L", "bigint"),
        ("1.5D", "double"), ("sum(id) OVER ()", "bigint"), ("sum(price) OVER ()", "decimal(20,2)"),
        ("avg(price) OVER ()", "double"), ("count(*) OVER ()", "bigint"), ("coalesce(price, 0)", "decimal(12,2)"),
        ("greatest(id, big)", "bigint"), ("if(id > 1, 1, 2.5)", "decimal(11,1)"), ("round(price, 1)", "decimal(10,1)"),
        ("floor(price)", "decimal(9,0)"), ("floor(qty)", "bigint"), ("CAST(id AS SMALLINT)", "smallint"),
        ("CAST(at AS TIMESTAMP_LTZ)", "timestampwithtimezone"), ("CAST(id AS DECIMAL)", "decimal(10,0)"),
        ("NULLIF(id, 0)", "int"), ("split(name, ',')", "array<string>"), ("name LIKE 'a%'", "boolean"),
        ("current_date", "date"), ("current_timestamp()", "timestamp"), ("id::string", "string"),
    ],
)  # fmt: skip
def test_types_are_those_of_spark(expression: str, type_: str) -> None:
    assert columns(f"SELECT {expression} AS x FROM t") == [f"x {type_}"]


def test_names_are_as_the_text_has_them() -> None:
    assert columns("SELECT ID, t.Name, price AS p FROM t") == ["ID int", "Name string", "p decimal(10,2)"]
    assert columns("SELECT * FROM u") == ["id int", "v varchar(5)", "name string"]


def test_it_is_known_from_which_columns_a_result_derives() -> None:
    checked = check(
        "WITH q AS (SELECT id, upper(name) AS n, day FROM t WHERE big > 1)\n"
        "SELECT q.n, count(*) AS c, max(concat(u.v, q.n)) AS m, (SELECT max(qty) FROM t) AS s\n"
        "FROM q JOIN u ON u.id = q.id GROUP BY q.n",
        SOURCES,
    )
    assert {name: sorted(found) for name, found in checked.lineage.items()} == {
        "n": [("t", "name")],
        "c": [],
        "m": [("t", "name"), ("u", "v")],
        "s": [("t", "qty")],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SELECT nam FROM t", "line 1, column 8: no column 'nam'; did you mean 'name'?"),
        ("SELECT id\nFROM x", "line 2, column 6: there is no source 'x'; there is t, u"),
        ("SELECT x.id FROM t", "line 1, column 8: there is no source 'x' here; there is t"),
        ("SELECT id FROM t JOIN u ON t.id = u.id", "line 1, column 8: 'id' is in several sources; write one of t.id, u.id"),
        ("SELECT t.id,\n  u.id FROM t JOIN u ON t.id = u.id",
         "line 2, column 3: two columns are named 'id'; give one of them another name with AS"),
        ("SELECT id + 1 FROM t", "line 1, column 8: this column has no name; give it one: … AS name"),
        ("SELECT id, count(*) AS c FROM t",
         "line 1, column 8: 'id' is neither in GROUP BY nor in an aggregate; group by it, or take min or max of it"),
        ("SELECT id FROM t WHERE count(*) > 1", "line 1, column 24: count can't stand in WHERE; use HAVING"),
        ("SELECT id FROM t WHERE id", "line 1, column 24: WHERE needs a test, not int"),
        ("SELECT CAST('abc' AS INT) AS x FROM t", "line 1, column 13: 'abc' is not a whole number"),
        ("SELECT CAST('2024-02-30' AS DATE) AS x FROM t", "line 1, column 13: '2024-02-30' is no day of the calendar"),
        ("SELECT id FROM t WHERE name = 5", "line 1, column 24: string and int do not go together without loss; "
         "say what is meant: CAST the text AS INT, or the other AS STRING"),
        ("SELECT id FROM t WHERE price > qty", "line 1, column 24: decimal(10,2) and double do not go together "
         "without loss; say what is meant: CAST one of them, for example AS DOUBLE"),
        ("SELECT id FROM t WHERE day > 'soon'",
         "line 1, column 24: compared with date, and 'soon' is not a date: YYYY-MM-DD"),
        ("SELECT uper(name) AS x FROM t", "line 1, column 8: 'uper' is not on the list of functions; did you mean 'upper' or 'power'?"),
        ("SELECT upper(id) AS x FROM t",
         "line 1, column 8: upper: text can't be int; upper(text string); CAST it AS STRING"),
        ("SELECT day + 1 AS x FROM t",
         "line 1, column 8: + takes numbers, not date; use date_add, date_sub, add_months or datediff"),
        ("SELECT date_format(at, 'YYYY-MM') AS x FROM t", "line 1, column 8: date_format, pattern: 'YYYY' is not known; "
         "one of yyyy, yy, MM, M, MMM, MMMM, dd, d, HH, H, hh, h, mm, m, ss, s, SSS, SSSSSS, a, E, EEE, EEEE, other "
         "letters in quotes"),
        ("SELECT name RLIKE '(?=a)' AS x FROM t",
         "line 1, column 8: RLIKE, the pattern: of the groups that begin with (? only (?: …) is known to every engine"),
        ("SELECT NULL AS x FROM t", "line 1, column 1: column 'x' is always NULL and has no type; CAST(NULL AS STRING)"),
        ("SELECT id FROM t UNION SELECT name FROM t", "line 1, column 31: column 'id': int and string do not go together "
         "without loss; say what is meant: CAST the text AS INT, or the other AS STRING"),
        ("SELECT id FROM t UNION SELECT id, v FROM u",
         "line 1, column 31: UNION stacks columns one by one, but there are 1 and 2"),
        ("SELECT id FROM t ORDER BY 2", "line 1, column 27: 2 is the number of no column; 1 to 1"),
        ("SELECT rank() OVER () AS x FROM t", "line 1, column 8: rank needs an order; OVER (… ORDER BY …)"),
        ("SELECT sum(sum(id)) AS x FROM t",
         "line 1, column 12: sum can't stand in an aggregate; aggregate in a query of its own first"),
        ("SELECT id FROM t WHERE rank() OVER (ORDER BY id) = 1",
         "line 1, column 24: a window can't stand in WHERE; use a query of its own, WITH"),
        ("SELECT id = 1 = TRUE AS x FROM t",
         "line 1, column 8: a test beside a test could be read in two ways; put the inner test in brackets"),
        ("SELECT id FROM t WHERE id IN (SELECT big FROM t)",
         None),
        ("SELECT id IN (SELECT id FROM u) AS x FROM t",
         "line 1, column 8: a query can't be tested in SELECT; put it into WHERE, or write a join"),
        ("SELECT id FROM t WHERE qty > (SELECT t.qty FROM u WHERE u.id = t.id)",
         "line 1, column 38: 'qty' is of the outer query; a subquery reads it in its WHERE alone; move the comparison to "
         "its WHERE, or write a join"),
        ("SELECT id FROM t WHERE id = (SELECT u.id FROM u WHERE u.name = t.name)", "line 1, column 37: a value that depends "
         "on the outer row must be an aggregate; take max(…) or another aggregate of it"),
        ("SELECT price * price * price * price AS x FROM t", "line 1, column 8: decimal(32,6) * decimal(10,2) has more "
         "than 38 digits; CAST the operands to smaller decimals, or AS DOUBLE"),
        ("SELECT id,, name FROM t", "line 1, column 10: nothing stands behind this comma; remove it"),
        ("SELECT id, FROM t", "line 1, column 10: nothing stands behind this comma; remove it"),
        ("SELECT coalesce(, id) AS x FROM t", "line 1, column 17: nothing stands before this comma; remove it"),
        ("SELECT id FROM t WHERE id IN (1, 2,)", "line 1, column 35: nothing stands behind this comma; remove it"),
        ("SELECT id FROM t GROUP BY id, ORDER BY id LIMIT 1",
         "line 1, column 29: nothing stands behind this comma; remove it"),
        ("SELECT id FORM t", "line 1, column 16: can't be read at 't': invalid expression / Unexpected token; "
         "one query in Spark SQL: SELECT … FROM …"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, told: str | None) -> None:
    if told is None:
        check(text, SOURCES)
    else:
        assert faults(text) == [told]


def test_all_faults_are_told_not_only_the_first() -> None:
    found = faults("SELECT nam, uper(name) AS x,\n  name + 1 AS y FROM t WHERE prize > 1")
    places = [told.split(":")[0] for told in found]
    assert places == ["line 2, column 30", "line 1, column 8", "line 1, column 13", "line 2, column 3"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SELECT id FROM t ORDER BY id", "ORDER BY without LIMIT has no effect: the rows of a result have no order"),
        ("SELECT id FROM t LIMIT 3", "LIMIT without ORDER BY: which rows these are is up to the engine"),
    ],
)
def test_what_may_surprise_is_a_warning(text: str, told: str) -> None:
    assert check(text, SOURCES).warnings == (told, "the text does not read 'u'")


@pytest.mark.parametrize(
    ("text", "uncounted"),
    [
        ("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id / t.id > 1)", True),
        ("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id / 2 > 1 AND 1 % id = 0)", True),
        ("SELECT id, (SELECT max(1 / u.id) FROM u WHERE u.id = t.id) AS m FROM t", True),
        (
            "WITH w AS (SELECT id FROM t WHERE id IN (SELECT 1 / u.id FROM u WHERE u.name = t.name)) SELECT w.id FROM w JOIN u ON u.id = w.id",
            True,
        ),
        ("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id / 2 > t.id)", False),
        ("SELECT 1 / id AS x FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)", False),
        ("SELECT id FROM t WHERE id IN (SELECT 1 / id FROM u)", False),
        ("SELECT id, (SELECT max(1 / id) FROM u) AS m FROM t", False),
    ],
)
def test_a_division_that_can_not_be_counted_is_a_warning(text: str, uncounted: bool) -> None:
    told = "a division by zero in EXISTS, or in a query that reads the row around it, is null and not counted"
    assert check(text, SOURCES).warnings == ((told,) if uncounted else ())


@pytest.mark.parametrize(
    "text",
    [
        "SELECT name AS n, sum(id) AS s FROM t GROUP BY n ORDER BY s DESC LIMIT 2",
        "SELECT name, sum(id) AS s FROM t GROUP BY 1 HAVING s > 1",
        "SELECT name FROM t GROUP BY name ORDER BY max(day) LIMIT 1",
        "SELECT DISTINCT name FROM t",
        "SELECT upper(name) AS n, rank() OVER (ORDER BY count(*) DESC) AS r FROM t GROUP BY upper(name)",
        "SELECT count(*) AS c FROM t",
        "SELECT id FROM t ORDER BY qty DESC NULLS FIRST LIMIT 2 OFFSET 1",
        "(SELECT id FROM t) UNION ALL (SELECT id FROM u ORDER BY id LIMIT 1)",
        "SELECT a.id FROM t a JOIN t b ON a.id = b.id LEFT SEMI JOIN u ON u.id = a.id",
        "SELECT id FROM t WHERE (id = 1) = (name IS NULL)",
        "SELECT 1 AS one, 'x' AS x",
        "SELECT id FROM t WHERE name IN (SELECT v FROM u WHERE u.id = t.id)",
        "SELECT id FROM t WHERE qty > (SELECT avg(x.qty) FROM t x WHERE x.name = t.name)",
        "select id from t where not exists (select 1 from u where u.id > t.id and u.name <> t.name)",
        "SELECT id /* a comment with ; and 'quotes' */ FROM t -- another\n",
        "SELECT id FROM t WHERE " + " OR ".join(f"id = {n}" for n in range(500)),
        "SELECT `id` FROM `t` WHERE `t`.`name` = \"x\"",
    ],
)  # fmt: skip
def test_what_may_stand_in_a_query_is_read(text: str) -> None:
    assert check(text, SOURCES).schema.fields


def test_the_list_of_functions_prints_itself() -> None:
    printed = rows()
    assert len(printed) == len(FUNCTIONS)
    assert ("Text", "instr(text string, part string)", "int", FUNCTIONS["instr"].meaning) in printed
    assert all(find(name.upper()) is not None for name in names())
