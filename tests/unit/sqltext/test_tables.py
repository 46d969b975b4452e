import pytest

from headrace.sqltext.faults import SqlInvalid
from headrace.sqltext.tables import aliased


def test_tables_get_an_alias_each_and_keep_the_names_that_the_query_gave_them() -> None:
    named = aliased(
        "SELECT o.id, b.x FROM sales.orders o JOIN `s-1`.b ON b.id = o.id WHERE o.id IN (SELECT id FROM SALES.Orders)"
    )
    assert named.text == (
        "SELECT o.id, b.x FROM `sales.orders` o JOIN `s-1.b` AS `b` ON b.id = o.id "
        "WHERE o.id IN (SELECT id FROM `sales.orders` AS `Orders`)"
    )
    assert named.tables == (("sales.orders", "sales", "orders"), ("s-1.b", "s-1", "b"))


def test_names_of_with_stay_as_they_are() -> None:
    named = aliased("WITH t AS (SELECT * FROM s.a) SELECT * FROM t")
    assert named.text == "WITH t AS (SELECT * FROM `s.a` AS `a`) SELECT * FROM t"


def test_texts_and_comments_that_look_like_tables_are_left_alone() -> None:
    text = "SELECT 'FROM s.b' AS x /* FROM s.c */ FROM s.a"
    assert aliased(text).text == "SELECT 'FROM s.b' AS x /* FROM s.c */ FROM `s.a` AS `a`"


def test_a_catalog_is_refused_with_its_place() -> None:
    with pytest.raises(SqlInvalid) as caught:
        aliased("SELECT * FROM c.s.a")
    (fault,) = caught.value.faults
    assert (str(fault.place), fault.message) == ("line 1, column 15", "a table is named schema.table")
