from headrace.api.throttle import Throttle


def test_a_key_may_send_its_burst_and_then_one_for_each_part_of_a_second() -> None:
    throttle = Throttle(2, burst=3)
    assert [throttle.admits("a", seconds=10) for _ in range(4)] == [True, True, True, False]
    assert not throttle.admits("a", seconds=10.4)
    assert throttle.admits("a", seconds=10.5)
    assert [throttle.admits("a", seconds=1000) for _ in range(4)] == [True, True, True, False]


def test_one_key_does_not_use_up_the_rate_of_another() -> None:
    throttle = Throttle(1, burst=1)
    assert [throttle.admits(key, seconds=0) for key in ("a", "a", "b")] == [True, False, True]


def test_a_clock_that_steps_back_gives_no_tokens() -> None:
    throttle = Throttle(1, burst=1)
    assert [throttle.admits("a", seconds=at) for at in (100, 0, 0.5)] == [True, False, False]


def test_a_rate_of_zero_lets_everything_pass() -> None:
    throttle = Throttle(0, burst=0)
    assert all(throttle.admits("a", seconds=0) for _ in range(1000))
