"""Patterns of dates: which letters are known, and how a text is read by them."""

import re

import pytest

from headrace.sqltext.moments import BadFormat, read, shown


@pytest.mark.parametrize(
    ("pattern", "form"),
    [("yyyy-MM-dd HH:mm:ss.SSS", "%Y-%m-%d %H:%M:%S.%g"), ("d. MMMM yy 'um' H''%", "%-d. %B %y um %-H'%%")],
)
def test_a_pattern_is_written_in_the_letters_of_strftime(pattern: str, form: str) -> None:
    assert shown(pattern) == form


@pytest.mark.parametrize(
    "pattern", ["YYYY", "DD", "yyyyy", "nn", "S", "SS", "z", "Q", "'open", "--", "", "[yyyy]", "{y}", "yyyy#"]
)
def test_letters_that_are_not_on_the_list_are_refused_for_writing(pattern: str) -> None:
    with pytest.raises(BadFormat):
        shown(pattern)


def test_a_text_is_read_by_its_form() -> None:
    reading = read("dd.M.yyyy'T'HH:mm:ss.SSS")
    found = re.fullmatch(reading.form, "05.1.2024T10:20:30.12")
    assert found is not None
    assert {part: found[number] for part, number in reading.groups.items()} == {
        "d": "05", "M": "1", "y": "2024", "H": "10", "m": "20", "s": "30", "S": "12",
    }  # fmt: skip


@pytest.mark.parametrize(
    "pattern",
    ["MM-dd", "yyyy-dd", "HH:mm", "yyyy-MM-dd mm", "yyyy yyyy", "yy-MM-dd", "yyyyMd", "yyyy-MM-dd a", "MMM yyyy", "-"],
)
def test_a_pattern_that_says_no_whole_date_can_not_be_read(pattern: str) -> None:
    with pytest.raises(BadFormat):
        read(pattern)
