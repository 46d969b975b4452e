"""What is made of the measured runs."""

from benchmarks.figures import Bar, Run, bars, percentile, ratio, walls, without_fsync


def run(wall: float, pss: int = 0, fsync: float | None = None) -> Run:
    return Run(wall=wall, cpu=wall, pss=pss, rss=pss, fsync=fsync)


def test_a_ratio_is_taken_within_a_round_so_that_a_noisy_round_does_not_count() -> None:
    ours, theirs = [run(2.0), run(20.0), run(2.0)], [run(1.0), run(10.0), run(1.0)]

    assert (walls(ours), walls(theirs), ratio(ours, theirs)) == (2.0, 1.0, 2.0)


def test_the_time_without_fsync_is_known_only_where_a_run_tells_it() -> None:
    assert without_fsync([run(3.0, fsync=1.0), run(4.0, fsync=0.5), run(9.0, fsync=8.0)]) == 2.0
    assert without_fsync([run(3.0)]) is None


def test_a_bar_is_met_at_its_limit_and_not_beyond() -> None:
    theirs = [run(10.0)]

    assert _met([run(11.5, 310_000_000)], theirs) == [True, True]
    assert _met([run(11.6, 310_000_001)], theirs) == [False, False]


def _met(ours: list[Run], theirs: list[Run]) -> list[bool]:
    return [bar.is_met for bar in bars(ours, theirs, wall_ratio=1.15, most=310e6)]


def test_a_job_may_promise_no_time() -> None:
    assert [bar.what for bar in bars([run(9.0)], [run(1.0)], wall_ratio=None, most=1.0)] == ["peak memory"]


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(200, 0, -1)]

    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [100.0, 198.0, 200.0]
    assert percentile([7.0], 0.5) == 7.0


def test_a_bar_says_what_it_was_and_what_it_may_be() -> None:
    assert str(Bar("start", 0.8, 0.4, "s")) == "start: 0.40 s, at most 0.80: met"
    assert str(Bar("start", 0.8, 0.9, "s")) == "start: 0.90 s, at most 0.80: **not met**"
