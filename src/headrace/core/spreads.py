"""How times are spread, in little room: how many fall into each of some 240 steps, whatever their number. Pure.

A step is a twelfth longer than the one before, from a millisecond to twelve days. So what is told of a spread is right
to a twentieth, and spreads of hours add up to those of days.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate

FIRST = 0.001
A_DOUBLING = 8
_STEPS = 30 * A_DOUBLING
_ENDS = tuple(FIRST * 2 ** (step / A_DOUBLING) for step in range(_STEPS + 1))
_MIDDLE = 2 ** (-0.5 / A_DOUBLING)

Spread = Mapping[int, int]


def step_of(seconds: float) -> int:
    """The step that a time falls into; what is too long falls into the last one."""
    return min(bisect_left(_ENDS, seconds), _STEPS)


def quantiles(spread: Spread, shares: Iterable[float]) -> tuple[float, ...] | None:
    """For each share, from 0 to 1, the seconds that such a share of the times does not exceed; None without times."""
    known = sorted((step, count) for step, count in spread.items() if count > 0)
    total = sum(count for _, count in known)
    return tuple(_at(known, share * total) for share in shares) if total else None


def _at(known: list[tuple[int, int]], rank: float) -> float:
    reached = accumulate(count for _, count in known)
    step = next(step for (step, _), passed in zip(known, reached, strict=True) if passed >= rank)
    return _ENDS[step] * _MIDDLE if step else FIRST
