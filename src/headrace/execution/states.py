"""The states of an execution, which may follow which, and what becomes of one that ended or lost its worker. Pure."""

from collections.abc import Mapping
from typing import Literal

Status = Literal["READY", "RUNNING", "COMPLETED", "FAILED", "CANCELED"]
Ended = Literal["COMPLETED", "FAILED", "CANCELED"]

# A RUNNING one goes back to READY for another attempt, or because its worker gave it up. What has ended stays so.
MOVES: Mapping[Status, frozenset[Status]] = {
    "READY": frozenset({"RUNNING", "CANCELED"}),
    "RUNNING": frozenset({"READY", "COMPLETED", "FAILED", "CANCELED"}),
    "COMPLETED": frozenset(),
    "FAILED": frozenset(),
    "CANCELED": frozenset(),
}
MOST_LOSSES = 3

# A failure of these kinds would come again: nothing but a change of the job, the data or a setting helps.
_LASTING = frozenset({"bad-data", "job-invalid", "not-supported", "out-of-memory", "store-denied", "store-missing"})
_FIRST_DELAY, _LONGEST_DELAY = 5.0, 300.0


def before(status: Status) -> tuple[Status, ...]:
    """The states from which an execution may come into this one."""
    return tuple(earlier for earlier, later in MOVES.items() if status in later)


def after_end(
    told: Ended, code: str, *, errors: int, max_attempts: int, cancelled: bool, may_have_published: bool
) -> Status:
    """What becomes of an execution whose attempt ended; `errors` of its attempts had failed before.

    An attempt that completed counts, also when a cancel came too late for it. One that failed is tried again while
    attempts are left, unless its failure would come again or somebody wants the execution stopped. One that may have
    published and failed is no cancelled one: then the cancel came too late.
    """
    if told != "FAILED":
        return told
    if cancelled:
        return "FAILED" if may_have_published else "CANCELED"
    return "READY" if errors + 1 < max_attempts and code not in _LASTING else "FAILED"


def after_loss(losses: int, *, cancelled: bool, may_have_published: bool) -> Status:
    """What becomes of an execution whose worker is gone, after so many losses before this one.

    One that may have published goes to another worker also when it was cancelled: that one looks whether it has.
    """
    if cancelled and not may_have_published:
        return "CANCELED"
    return "READY" if losses < MOST_LOSSES else "FAILED"


def retry_delay(errors: int) -> float:
    """Seconds until an execution is tried again that had failed so many times before; twice as many each time."""
    return min(_FIRST_DELAY * 2.0 ** min(errors, 30), _LONGEST_DELAY)
