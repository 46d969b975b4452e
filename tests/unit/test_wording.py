"""What was sent, in words: short, and in the words of JSON."""

import pytest

from headrace.wording import kind_of


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "the boolean true"),
        (5, "the number 5"),
        (10**60, f"the number 1{'0' * 39}"),
        ("a", "the text 'a'"),
        ("a" * 60, f"the text '{'a' * 40}'"),
        ([], "an empty list"),
        ([1], "a list"),
        ({}, "an object"),
    ],
)
def test_a_value_is_named_in_a_few_words(value: object, words: str) -> None:
    assert kind_of(value) == words
