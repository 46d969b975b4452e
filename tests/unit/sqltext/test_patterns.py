# ruff: noqa: E501  # tables of patterns
"""Regular expressions: what is taken, how it is written for each library, what is refused."""

import re

import pytest

from headrace.sqltext.patterns import BadPattern, parse_pattern, replacement


@pytest.mark.parametrize(
    ("text", "re2"),
    [
        ("abc", "abc"),
        ("^a.c$", r"^a[^\n\r\x{85}\x{2028}\x{2029}]c\z"),
        (r"\s+", r"[ \t\n\r\f\x0B]+"),
        (r"[\s,]", r"[ \t\n\r\f\x0B,]"),
        (r"(\d{2,3})-(?:a|b)?", r"(\d{2,3})-(?:a|b)?"),
        ("a*?", "a*?"),
        (r"[^가-힣a-z\-]", r"[^가-힣a-z\-]"),
        (r"\.\\", r"\.\\"),
        ("a]}", r"a\]\}"),
    ],
)
def test_a_pattern_is_written_for_re2(text: str, re2: str) -> None:
    assert parse_pattern(text).re2 == re2


@pytest.mark.parametrize(
    "text",
    [
        "(?=a)", "(?!a)", "(?<=a)", "(?<n>a)", "(?i)a", "(?>a)", r"\b", r"\1", r"\p{L}", r"\Qa\E", r"\G", r"\Z", r"\h", r"\x41",
        r"\u0041", "[[:alpha:]]", "[a[b]]", "[a&&b]", "[]a]", "[z-a]", "[+--]", "a**", "a++", "a{2}{3}", "*a", "a|*", "(a", "a)",
        "[a", "a\\", "a{", "a{x}", "a{300}", "a{3,2}", "^*", "$+", "(b*)+", "(a|)?", "a\x00", "(" * 30 + "a" + ")" * 30, "a" * 2000, r"[\W]", r"\é",
        "{2}",
    ],
)  # fmt: skip
def test_what_no_two_libraries_treat_alike_is_refused(text: str) -> None:
    with pytest.raises(BadPattern):
        parse_pattern(text)


@pytest.mark.parametrize(("text", "empty"), [("a*", True), ("a+", False), ("a|", True), ("(a?)(b*)", True), ("^", True), ("a{0,2}", True), ("(a|b)c?", False)])  # fmt: skip
def test_it_is_known_whether_empty_text_matches(text: str, empty: bool) -> None:
    pattern = parse_pattern(text)
    assert pattern.empty is empty
    assert (re.fullmatch(text, "") is not None) is empty


def test_groups_are_counted() -> None:
    assert parse_pattern("(a)(?:b)((c))").groups == 3


def test_a_replacement_has_groups_that_exist() -> None:
    assert replacement("[$1-$0]", 1) == ("[$1-$0]", r"[\1-\0]")
    for wrong in ("$2", "$", "$a", "$10", "\\1"):
        with pytest.raises(BadPattern):
            replacement(wrong, 1)
