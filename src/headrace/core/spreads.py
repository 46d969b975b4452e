"""How times are spread, in little room: how many fall into each of some 240 steps, whatever their number. Pure.

A step is a twelfth longer than the one before, from a millisecond to twelve days. So what is told of a spread is right
to a twentieth. A spread is one whole number with 32 bits for each step: those of hours add up to those of days by one
addition, and what was added can be taken away, in any order. So thousands of them are summed within milliseconds.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

FIRST = 0.001
A_DOUBLING = 8
_STEPS = 30 * A_DOUBLING
_ENDS = tuple(FIRST * 2 ** (step / A_DOUBLING) for step in range(_STEPS + 1))
_MIDDLE = 2 ** (-0.5 / A_DOUBLING)
_BITS = 32
_STEP = (1 << _BITS) - 1

Spread = int


def of(seconds: float) -> Spread:
    """The spread of a single time; what is too long counts in the last step."""
    return 1 << _BITS * min(bisect_left(_ENDS, seconds), _STEPS)


def quantiles(spread: Spread, shares: Iterable[float]) -> tuple[float, ...] | None:
    """For each share, from 0 to 1, the seconds that such a share of the times does not exceed; None without times."""
    known = [(step, count) for step, count in _counts(spread) if count]
    total = sum(count for _, count in known)
    return tuple(_at(known, share * total) for share in shares) if total else None


def packed(spread: Spread) -> str:
    """A spread as a text: its first step, and the rest in hexadecimal digits."""
    first = next((step for step, count in _counts(spread) if count), 0)
    return f"{first}:{spread >> _BITS * first:x}"


def unpacked(text: str) -> Spread:
    """The spread of such a text."""
    first, _, rest = text.partition(":")
    return int(rest, 16) << _BITS * int(first)


def _counts(spread: Spread) -> Iterator[tuple[int, int]]:
    for step in range(_STEPS + 1):
        yield step, spread >> _BITS * step & _STEP


def _at(known: list[tuple[int, int]], rank: float) -> float:
    reached = accumulate(count for _, count in known)
    step = next(step for (step, _), passed in zip(known, reached, strict=True) if passed >= rank)
    return _ENDS[step] * _MIDDLE if step else FIRST
