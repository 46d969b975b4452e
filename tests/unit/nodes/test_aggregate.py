import pytest

from headrace.plan.types import BIGINT, DOUBLE, STRING, Decimal, Field
from tests.support.jobs import Json, fields, node, plan, problems, source, target

SOURCE = source("sku string, qty int, price decimal(6,2), sold boolean")


def result(name: str, function: str, called: str) -> Json:
    return {"name": name, "ResultName": called, "function": function}


def aggregate(*results: Json, by: tuple[str, ...] = ("sku",)) -> Json:
    return node("TRANSFORM_AGGREGATE", 2, (1,), groupByList=list(by), aggregateFieldList=list(results))


def told(*results: Json, by: tuple[str, ...] = ("sku",)) -> list[str]:
    found = problems(SOURCE, aggregate(*results, by=by), target("sku string", parents=(2,)))
    return [text.removeprefix("node 'node 2' (2), ") for text in found]


def test_groups_come_first_and_then_the_results() -> None:
    summed = aggregate(result("QTY", "SUM", "n"), result("price", "SUM", "p"), result("qty", "AVG", "mean"))
    op = plan(SOURCE, summed, target("n bigint", parents=(2,))).by_node[2]
    assert op.schema.fields == (
        Field("sku", STRING), Field("n", BIGINT), Field("p", Decimal(16, 2)), Field("mean", DOUBLE),
    )  # fmt: skip


@pytest.mark.parametrize("function", ["SUM", "AVG"])
def test_text_and_truth_are_not_added_up(function: str) -> None:
    assert told(result("sku", function, "a"), result("sold", function, "b")) == [
        f"aggregateFieldList[0].function: {function} needs a number, and 'sku' is string; "
        "cast it with TRANSFORM_DEFINE before",
        f"aggregateFieldList[1].function: {function} needs a number, and 'sold' is boolean; "
        "cast it with TRANSFORM_DEFINE before",
    ]


def test_bytes_have_no_extremes_and_nested_values_make_no_groups() -> None:
    nested = source("raw binary", kind="PARQUET")
    nested["fieldList"].append({"name": "tags", "type": "array", "properties": fields("element int")})
    assert problems(nested, aggregate(result("raw", "MAX", "m"), by=()), target("m binary", parents=(2,)))[0] == (
        "node 'node 2' (2), aggregateFieldList[0].function: MAX needs values with an order, and 'raw' is binary"
    )
    assert problems(nested, aggregate(result("raw", "MAX", "m"), by=("tags",)), target("m binary", parents=(2,))) == [
        "node 'node 2' (2), groupByList[0]: 'tags' is array<int>, which makes no groups"
    ]


def test_values_of_any_type_are_counted() -> None:
    nested = source("raw binary", kind="PARQUET")
    nested["fieldList"].append({"name": "tags", "type": "array", "properties": fields("element int")})
    counts = aggregate(result("raw", "COUNT", "r"), result("tags", "COUNT", "t"), by=())
    assert plan(nested, counts, target("r bigint, t bigint", parents=(2,))).by_node[2].schema.fields == (
        Field("r", BIGINT), Field("t", BIGINT),
    )  # fmt: skip
    different = aggregate(result("tags", "COUNT_DISTINCT", "t"), by=())
    assert problems(nested, different, target("t bigint", parents=(2,))) == [
        "node 'node 2' (2), aggregateFieldList[0].function: COUNT_DISTINCT needs values with an order, "
        "and 'tags' is array<int>"
    ]


def test_names_are_known_and_different() -> None:
    assert told(result("qtty", "SUM", "n"), by=("sku",)) == [
        "aggregateFieldList[0].name: no column 'qtty'; did you mean 'qty'?"
    ]
    assert told(result("qty", "SUM", "n"), by=("sk",)) == ["groupByList[0]: no column 'sk'; did you mean 'sku'?"]
    assert told(result("qty", "SUM", "SKU")) == [
        "aggregateFieldList: 'SKU' stands twice; names differ by more than case"
    ]


def test_results_are_needed_and_both_spellings_at_once_are_refused() -> None:
    assert told() == ["aggregateFieldList: is empty; it needs at least one entry"]
    both = {**result("qty", "SUM", "n"), "resultName": "m"}
    assert told(both) == ["aggregateFieldList[0]: ResultName and resultName are the same field: send one of them"]
