import pytest

from headrace.execution.states import MOST_LOSSES, MOVES, Ended, Status, after_end, after_loss, before, retry_delay

ENDED: tuple[Ended, ...] = ("COMPLETED", "FAILED", "CANCELED")


def ended(
    told: Ended,
    code: str = "",
    *,
    errors: int = 0,
    max_attempts: int = 1,
    cancelled: bool = False,
    may_have_published: bool = False,
) -> Status:
    return after_end(
        told,
        code,
        errors=errors,
        max_attempts=max_attempts,
        cancelled=cancelled,
        may_have_published=may_have_published,
    )


@pytest.mark.parametrize("status", ENDED)
def test_what_has_ended_stays_so(status: Ended) -> None:
    assert not MOVES[status]
    assert all(status not in before(later) for later in MOVES)


def test_only_what_waits_begins_to_run() -> None:
    assert before("RUNNING") == ("READY",)
    assert set(before("CANCELED")) == {"READY", "RUNNING"}


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_attempt_that_completed_counts_also_after_a_cancel(cancelled: bool) -> None:
    assert ended("COMPLETED", cancelled=cancelled) == "COMPLETED"


def test_a_failure_is_tried_again_while_attempts_are_left() -> None:
    ends = [ended("FAILED", "engine-failed", errors=n, max_attempts=3) for n in range(3)]
    assert ends == ["READY", "READY", "FAILED"]


def test_a_failure_that_would_come_again_or_after_a_cancel_is_not_tried_again() -> None:
    assert ended("FAILED", "bad-data", max_attempts=9) == "FAILED"
    assert ended("FAILED", "engine-failed", max_attempts=9, cancelled=True) == "CANCELED"


def test_what_failed_and_may_have_published_is_no_cancelled_run() -> None:
    assert ended("FAILED", "store-error", max_attempts=9, cancelled=True, may_have_published=True) == "FAILED"
    assert ended("FAILED", "store-error", max_attempts=9, may_have_published=True) == "READY"


def test_a_lost_worker_is_forgiven_so_many_times() -> None:
    forgiven = ["READY"] * MOST_LOSSES + ["FAILED"]
    assert [after_loss(n, cancelled=False, may_have_published=False) for n in range(MOST_LOSSES + 1)] == forgiven
    cancelled = [after_loss(n, cancelled=True, may_have_published=False) for n in (0, MOST_LOSSES)]
    assert cancelled == ["CANCELED", "CANCELED"]
    looked_for = [after_loss(n, cancelled=True, may_have_published=True) for n in range(MOST_LOSSES + 1)]
    assert looked_for == forgiven


def test_each_retry_waits_twice_as_long_as_the_one_before_up_to_a_bound() -> None:
    assert [retry_delay(errors) for errors in (0, 1, 2, 9, 9_999)] == [5.0, 10.0, 20.0, 300.0, 300.0]
