"""How times are spread, in little room: how many fall into each of some 240 steps, whatever their number. Pure.

A step is a twelfth longer than the one before, from a millisecond to twelve days. So what is told of a spread is right
to a twentieth. A spread is one whole number with 32 bits for each step: those of hours add up to those of days by one
addition, and what was added can be taken away, in any order. So thousands of them are summed within milliseconds.
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from struct import Struct

FIRST = 0.001
A_DOUBLING = 8
_STEPS = 30 * A_DOUBLING
_ENDS = tuple(FIRST * 2 ** (step / A_DOUBLING) for step in range(_STEPS + 1))
_MIDDLE = 2 ** (-0.5 / A_DOUBLING)
_BITS = 32
_COUNTS = Struct(f"<{_STEPS + 1}I")

Spread = int


def of(seconds: float) -> Spread:
    """The spread of a single time; what is too long counts in the last step."""
    return 1 << _BITS * min(bisect_left(_ENDS, seconds), _STEPS)


def quantiles(spread: Spread, shares: Iterable[float]) -> tuple[float, ...] | None:
    """For each share, from 0 to 1, the seconds that such a share of the times does not exceed; None without times."""
    reached = tuple(accumulate(_counts(spread)))
    total = reached[-1]
    # The first of them all is in the first step that holds any.
    return tuple(_seconds(bisect_left(reached, max(share * total, 1))) for share in shares) if total else None


def packed(spread: Spread) -> str:
    """A spread as a text: its first step, and the rest in hexadecimal digits."""
    first = next((step for step, count in enumerate(_counts(spread)) if count), 0)
    return f"{first}:{spread >> _BITS * first:x}"


def unpacked(text: str) -> Spread:
    """The spread of such a text."""
    first, _, rest = text.partition(":")
    return int(rest, 16) << _BITS * int(first)


def _counts(spread: Spread) -> tuple[int, ...]:
    """How many there are in each step. All at once: to shift the whole number for each takes ten times as long."""
    counts: tuple[int, ...] = _COUNTS.unpack(spread.to_bytes(_COUNTS.size, "little"))
    return counts


def _seconds(step: int) -> float:
    return _ENDS[step] * _MIDDLE if step else FIRST
