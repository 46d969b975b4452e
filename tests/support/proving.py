"""How a test says which documented facts it proves; `tools.reference.facts` reads it, and the pages show it."""

import pytest

from tools.reference.facts import Fact, every_fact, subjects


def proves(*names: str) -> pytest.MarkDecorator:
    """The mark of a test, or of one row of its table: a `*` in a name stands for any signs but `=`."""
    return pytest.mark.proves(*names)


def facts_of(beginning: str) -> list[Fact]:
    """The facts whose names begin so and that we call implemented, to drive a test with."""
    found = every_fact(subjects()).values()
    return [fact for fact in found if fact.id.startswith(beginning) and fact.state == "implemented"]
