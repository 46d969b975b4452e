import pytest

from headrace.nodes.base import Fault, NodeError, column, each, nearest, no_repeats
from headrace.plan.types import INT, Field, Schema


@pytest.mark.parametrize(
    ("word", "words", "hint"),
    [
        ("nam", ["id", "name"], "did you mean 'name'?"),
        ("NAMES", ["id", "Name"], "did you mean 'Name'?"),
        ("abc1", ["abc2", "abc3", "zzz"], "did you mean 'abc3' or 'abc2'?"),
        ("x", ["id", "name"], "there is id, name"),
        ("x", [], "there is none"),
        ("x", [f"column{i}" for i in range(23)], None),
    ],
)
def test_a_hint_names_what_is_near_or_all_that_there_is(word: str, words: list[str], hint: str | None) -> None:
    assert nearest(word, words) == (hint or f"there is {', '.join(words[:20])} and 3 more")


def test_an_unknown_column_is_told_with_its_place_and_the_near_ones() -> None:
    with pytest.raises(NodeError) as caught:
        column(Schema((Field("name", INT),)), "nmae", field="x[0].name")
    assert caught.value.faults == (Fault("no column 'nmae'", "x[0].name", "did you mean 'name'?", "unknown-column"),)


def test_the_faults_of_all_items_come_together() -> None:
    def half(number: int) -> int:
        if number % 2:
            raise NodeError(f"{number} is odd", field="value")
        return number // 2

    assert each([2, 4], half, field="list") == (1, 2)
    with pytest.raises(NodeError) as caught:
        each([1, 2, 3], half, field="list")
    assert caught.value.faults == (Fault("1 is odd", "list[0].value"), Fault("3 is odd", "list[2].value"))
    assert str(caught.value) == "1 is odd; 3 is odd"


def test_a_fault_without_a_place_of_its_own_gets_the_one_around_it() -> None:
    assert NodeError("bad").within("list[1]").faults == (Fault("bad", "list[1]"),)


def test_repeated_names_are_told_once_each() -> None:
    no_repeats(["a", "b"], field="f")
    with pytest.raises(NodeError) as caught:
        no_repeats(["a", "A", "b", "B"], field="f")
    assert caught.value.faults == (
        Fault("'A', 'B' stands twice", "f", "names differ by more than case", "repeated-column"),
    )
