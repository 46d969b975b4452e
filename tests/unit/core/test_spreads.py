"""How times are spread over steps, and what is read out of that."""

from collections import Counter
from math import ceil
from random import Random

import pytest

from headrace.core.spreads import FIRST, quantiles, step_of

SHARES = (0.5, 0.95, 0.99, 1.0)


@pytest.mark.parametrize("scale", [0.01, 1.0, 3600.0])
@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_what_is_read_out_is_right_to_a_twentieth(scale: float, count: int) -> None:
    random = Random(count)
    times = sorted(scale * random.lognormvariate(0, 1.2) for _ in range(count))
    found = quantiles(Counter(map(step_of, times)), SHARES)
    assert found is not None
    exact = [max(times[ceil(share * count) - 1], FIRST) for share in SHARES]
    assert found == pytest.approx(exact, rel=0.05)


def test_no_times_have_no_quantiles() -> None:
    assert quantiles({}, SHARES) is None
    assert quantiles({7: 0}, SHARES) is None


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.0004, 0.001])
def test_what_is_shorter_than_a_millisecond_or_before_its_beginning_is_a_millisecond(seconds: float) -> None:
    assert quantiles({step_of(seconds): 3}, SHARES) == (FIRST,) * 4


def test_what_is_longer_than_the_last_step_counts_in_it() -> None:
    assert step_of(1e12) == step_of(1.5e6)


def test_a_longer_time_is_never_in_an_earlier_step() -> None:
    steps = [step_of(0.0005 * 1.01**number) for number in range(2400)]
    assert steps == sorted(steps)
    assert len(set(steps)) == 241
