import pytest

from headrace.core.paging import Page
from headrace.errors import BadParameter


def test_a_page_holds_no_more_rows_than_the_most_and_never_counts_too_far() -> None:
    assert (Page(0, 5000).rows, Page(2, 5000).first, Page(3, 10).first) == (1000, 2000, 30)
    assert Page(10**40, 1000).first < 2**63


def test_a_page_below_0_is_refused_with_the_name_of_what_is_wrong() -> None:
    with pytest.raises(BadParameter) as caught:
        Page(-1, -1)
    assert [problem.field for problem in caught.value.problems] == ["page", "limit"]
