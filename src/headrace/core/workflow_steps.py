"""What comes next in a run of a workflow: pure, from how its jobs stand."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from headrace.core.workflow_definition import RunOn

StepStatus = Literal["WAITING", "STARTED", "COMPLETED", "FAILED", "CANCELED", "SKIPPED"]
RunStatus = Literal["READY", "RUNNING", "COMPLETED", "FAILED", "CANCELED"]
ENDED: frozenset[StepStatus] = frozenset(("COMPLETED", "FAILED", "CANCELED", "SKIPPED"))


@dataclass(frozen=True, slots=True)
class Step:
    """A job of a run: which jobs it waits for, how they must end, and how it stands itself."""

    job_id: str
    parents: tuple[str, ...]
    run_on: RunOn
    status: StepStatus


@dataclass(frozen=True, slots=True)
class Next:
    """The jobs that can start now, and those that will never."""

    start: tuple[str, ...]
    skip: tuple[str, ...]


def following(steps: Iterable[Step], *, cancelled: bool) -> Next:
    """What can be said of the jobs that wait. One that is skipped may decide about others: ask again."""
    known = {step.job_id: step.status for step in steps}
    waiting = [step for step in steps if step.status == "WAITING"]
    if cancelled:
        return Next((), tuple(step.job_id for step in waiting))
    told = {step.job_id: _told(step, known) for step in waiting}
    return Next(
        tuple(job_id for job_id, said in told.items() if said == "start"),
        tuple(job_id for job_id, said in told.items() if said == "skip"),
    )


def outcome(found: Set[StepStatus], *, cancelled: bool) -> RunStatus | None:
    """How a run with jobs of these states ended; None while it has not.

    A cancel that came too late for every job changes nothing.
    """
    if not found <= ENDED:
        return None
    if cancelled and found - {"COMPLETED"}:
        return "CANCELED"
    if "FAILED" in found:
        return "FAILED"
    return "CANCELED" if "CANCELED" in found else "COMPLETED"


def _told(step: Step, known: Mapping[str, StepStatus]) -> Literal["start", "skip", "wait"]:
    parents = [known[parent] for parent in step.parents]
    ended = all(status in ENDED for status in parents)
    match step.run_on:
        case "SUCCEEDED":
            if any(status in ENDED and status != "COMPLETED" for status in parents):
                return "skip"
            return "start" if ended else "wait"
        case "FAILED":
            if not ended:
                return "wait"
            return "start" if "FAILED" in parents else "skip"
        case "DONE":
            return "start" if ended else "wait"
