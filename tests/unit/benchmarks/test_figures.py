"""What is made of the measured runs."""

from benchmarks.figures import Bar, Run, bars, ratio, walls, without_fsync


def run(wall: float, pss: int = 0, fsync: float | None = None) -> Run:
    return Run(wall=wall, cpu=wall, pss=pss, rss=pss, fsync=fsync)


def test_a_ratio_is_taken_within_a_round_so_that_a_noisy_round_does_not_count() -> None:
    ours, theirs = [run(2.0), run(20.0), run(2.0)], [run(1.0), run(10.0), run(1.0)]

    assert (walls(ours), walls(theirs), ratio(ours, theirs)) == (2.0, 1.0, 2.0)


def test_the_time_without_fsync_is_known_only_where_a_run_tells_it() -> None:
    assert without_fsync([run(3.0, fsync=1.0), run(4.0, fsync=0.5), run(9.0, fsync=8.0)]) == 2.0
    assert without_fsync([run(3.0)]) is None


def test_a_bar_is_met_at_its_limit_and_not_beyond() -> None:
    allowed = {"wall_ratio": 1.15, "peak_ratio": 1.25, "peak_bytes": 60e6}
    theirs = [run(10.0, 200_000_000)]

    wall, peak = bars([run(11.5, 310_000_000)], theirs, **allowed)
    assert (wall.is_met, peak.is_met) == (True, True)
    wall, peak = bars([run(11.6, 310_000_001)], theirs, **allowed)
    assert (wall.is_met, peak.is_met) == (False, False)


def test_a_bar_says_what_it_was_and_what_it_may_be() -> None:
    assert str(Bar("start", 0.8, 0.4, "s")) == "start: 0.40 s, at most 0.80: met"
    assert str(Bar("start", 0.8, 0.9, "s")) == "start: 0.90 s, at most 0.80: **not met**"
