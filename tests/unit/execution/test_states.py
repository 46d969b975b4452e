import pytest

from headrace.execution.states import MOST_LOSSES, MOVES, Ended, after_end, after_loss, before, retry_delay

ENDED: tuple[Ended, ...] = ("COMPLETED", "FAILED", "CANCELED")


@pytest.mark.parametrize("status", ENDED)
def test_what_has_ended_stays_so(status: Ended) -> None:
    assert not MOVES[status]
    assert all(status not in before(later) for later in MOVES)


def test_only_what_waits_begins_to_run() -> None:
    assert before("RUNNING") == ("READY",)
    assert set(before("CANCELED")) == {"READY", "RUNNING"}


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_attempt_that_completed_counts_also_after_a_cancel(cancelled: bool) -> None:
    assert after_end("COMPLETED", "", errors=0, max_attempts=1, cancelled=cancelled) == "COMPLETED"


def test_a_failure_is_tried_again_while_attempts_are_left() -> None:
    ends = [after_end("FAILED", "engine-failed", errors=n, max_attempts=3, cancelled=False) for n in range(3)]
    assert ends == ["READY", "READY", "FAILED"]


def test_a_failure_that_would_come_again_or_after_a_cancel_is_not_tried_again() -> None:
    assert after_end("FAILED", "bad-data", errors=0, max_attempts=9, cancelled=False) == "FAILED"
    assert after_end("FAILED", "engine-failed", errors=0, max_attempts=9, cancelled=True) == "CANCELED"


def test_a_lost_worker_is_forgiven_so_many_times() -> None:
    ends = [after_loss(n, cancelled=False) for n in range(MOST_LOSSES + 1)]
    assert ends == ["READY"] * MOST_LOSSES + ["FAILED"]
    assert after_loss(0, cancelled=True) == after_loss(MOST_LOSSES, cancelled=True) == "CANCELED"


def test_each_retry_waits_twice_as_long_as_the_one_before_up_to_a_bound() -> None:
    assert [retry_delay(errors) for errors in (0, 1, 2, 9, 9_999)] == [5.0, 10.0, 20.0, 300.0, 300.0]
