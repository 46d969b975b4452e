"""The types of exact arithmetic, as Spark derives them."""

import pytest

from headrace.plan.types import Decimal
from headrace.sqltext.widening import Unfit, decimal_result, rounded


@pytest.mark.parametrize(
    ("operator", "a", "b", "result"),
    [
        ("+", (10, 2), (10, 2), (11, 2)), ("-", (10, 2), (5, 4), (13, 4)), ("*", (10, 2), (5, 4), (16, 6)),
        ("/", (10, 2), (10, 2), (23, 13)), ("/", (5, 2), (1, 0), (9, 6)), ("%", (10, 2), (5, 4), (5, 4)),
        ("+", (38, 2), (38, 2), (38, 2)), ("*", (20, 2), (20, 2), (38, 4)), ("/", (20, 2), (10, 2), (33, 13)),
    ],
)  # fmt: skip
def test_results_have_the_digits_that_spark_gives_them(
    operator: str, a: tuple[int, int], b: tuple[int, int], result: tuple[int, int]
) -> None:
    assert decimal_result(operator, Decimal(*a), Decimal(*b)) == Decimal(*result)


@pytest.mark.parametrize(
    ("operator", "a", "b"), [("+", (38, 10), (38, 2)), ("*", (20, 5), (20, 5)), ("/", (38, 18), (38, 18))]
)
def test_what_would_lose_digits_is_refused(operator: str, a: tuple[int, int], b: tuple[int, int]) -> None:
    with pytest.raises(Unfit, match="more than 38 digits"):
        decimal_result(operator, Decimal(*a), Decimal(*b))


def test_rounding_keeps_the_digits_asked_for() -> None:
    assert rounded(Decimal(10, 2), 1) == Decimal(10, 1)
    assert rounded(Decimal(10, 2), 5) == Decimal(11, 2)
    assert rounded(Decimal(6, 3), -1) == Decimal(4, 0)
