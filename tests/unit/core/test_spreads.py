"""How times are spread over steps, and what is read out of that."""

from math import ceil
from random import Random

import pytest

from headrace.core.spreads import FIRST, of, packed, quantiles, unpacked

SHARES = (0.5, 0.95, 0.99, 1.0)


@pytest.mark.parametrize("scale", [0.01, 1.0, 3600.0])
@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_what_is_read_out_is_right_to_a_twentieth(scale: float, count: int) -> None:
    random = Random(count)
    times = sorted(scale * random.lognormvariate(0, 1.2) for _ in range(count))
    found = quantiles(sum(map(of, times)), SHARES)
    assert found is not None
    exact = [max(times[ceil(share * count) - 1], FIRST) for share in SHARES]
    assert found == pytest.approx(exact, rel=0.05)


def test_no_times_have_no_quantiles() -> None:
    assert quantiles(0, SHARES) is None
    assert quantiles(of(3) - of(3), SHARES) is None


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.0004, 0.001])
def test_what_is_shorter_than_a_millisecond_or_before_its_beginning_is_a_millisecond(seconds: float) -> None:
    assert quantiles(3 * of(seconds), SHARES) == (FIRST,) * 4


def test_what_is_longer_than_the_last_step_counts_in_it() -> None:
    assert of(1e12) == of(1.5e6)


def test_a_longer_time_is_never_in_an_earlier_step() -> None:
    steps = [of(0.0005 * 1.01**number) for number in range(2400)]
    assert steps == sorted(steps)
    assert len(set(steps)) == 241


def test_what_was_added_is_taken_away_in_any_order() -> None:
    assert -of(3) - of(0.1) + 2 * of(3) + of(0.1) + of(9) == of(3) + of(9)


@pytest.mark.parametrize("spread", [0, of(0), of(3), of(1e12), 7 * of(0.2) + 2**31 * of(5)])
def test_a_spread_is_the_same_after_it_was_a_text(spread: int) -> None:
    assert unpacked(packed(spread)) == spread


def test_few_times_make_a_short_text() -> None:
    assert len(packed(of(3))) < 8
