"""The page about what goes wrong, against the kinds of failure that there are."""

import re
from pathlib import Path

from headrace import errors
from headrace.errors import RunFailed

PAGE = Path(__file__).parents[2] / "docs/how-to/when-something-is-wrong.md"


def kinds() -> set[str]:
    """The codes of all failures of runs, but of those that stand for several."""
    found = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RunFailed)}
    return {kind.code for kind in found - {RunFailed}}


def test_every_way_in_which_a_run_fails_is_documented_and_no_other() -> None:
    words = set(re.findall(r"`([a-z]+-[a-z-]+)`|`(cancelled)`", PAGE.read_text()))
    assert {one or other for one, other in words} == kinds()
