"""What is to be done about one attempt: events come in, commands go out. It touches nothing and is told the time.

Moments are seconds on the worker's own clock. `step` is the whole of it. In short: a run goes on while its lease holds
and nobody wants it to end; a run that shall end is told so, and killed when its grace is over; nothing is published
unless the lease was renewed and the run marked right before, and from then on only the loss of the lease stops it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from headrace.execution.lines import Answer, Beat, Stop, StopCode

_HINTS: Mapping[StopCode, str] = {
    "timed-out": "raise timeout",
    "out-of-memory": "lower numWorker or memory_limit, so that more is spilled, or raise run_memory_limit",
}
_TOO_LATE = "the lease could not be renewed in time"
_WAS_MADE_FOR = "the kernel does so when memory runs out: a smaller memory_limit or fewer workers would leave more room"


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for the whole attempt: when it has to be over, and how long it may take to end.

    When an earlier attempt may have published, a child has to look for that, whoever cancelled it meanwhile.
    """

    until: float
    minutes: float
    grace: float
    margin: float
    may_have_published: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Where an attempt stands."""

    terms: Terms
    lease_ends: float
    phase: Literal["waiting", "running", "stopping", "killed", "over"] = "waiting"
    commit: Literal["no", "asked", "granted"] = "no"
    cause: Stop | None = None
    kill_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ChildReady:
    """There is a child for it."""

    at: float


@dataclass(frozen=True, slots=True)
class Renewed:
    """The lease holds until then; somebody may have asked for the run's end. It says whether the run may publish."""

    at: float
    until: float
    cancel: bool = False
    may_publish: bool = False


@dataclass(frozen=True, slots=True)
class LeaseIsLost:
    """The run is not ours any more."""

    at: float


@dataclass(frozen=True, slots=True)
class CommitWanted:
    """The child has staged everything."""

    at: float


@dataclass(frozen=True, slots=True)
class OverMemory:
    """The child and all that it has started have more memory than a run may have; bytes."""

    at: float
    has: int
    limit: int


@dataclass(frozen=True, slots=True)
class WorkerEnds:
    """The worker can wait no longer."""

    at: float


@dataclass(frozen=True, slots=True)
class Reported:
    """The child has ended its run."""

    at: float
    report: Mapping[str, Any]
    light: bool


@dataclass(frozen=True, slots=True)
class ChildGone:
    """The child is dead: its exit code, or a signal's number below 0."""

    at: float
    code: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""

    at: float


Event = ChildReady | Renewed | LeaseIsLost | CommitWanted | OverMemory | WorkerEnds | Reported | ChildGone | Tick


@dataclass(frozen=True, slots=True)
class Start:
    """Give the child its order; it may live until then without a beat."""

    until: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Say a line to the child."""

    line: Beat | Stop | Answer


@dataclass(frozen=True, slots=True)
class Renew:
    """Renew the lease now, for a run that is about to publish, and say what came of it."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Send SIGTERM to all that the child has started."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Send SIGKILL to the child and all that it has started."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Write how the run ended."""

    status: Literal["COMPLETED", "FAILED", "CANCELED"]
    failure: Mapping[str, Any] | None
    report: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class PutBack:
    """Let the run begin again, here or elsewhere; `lost` says that its process died."""

    cause: str
    message: str
    lost: bool


@dataclass(frozen=True, slots=True)
class Release:
    """The slot is free; the child can take another run or not."""

    reuse: bool


Command = Start | Tell | Renew | Terminate | Kill | Finish | PutBack | Release
Step = tuple[State, tuple[Command, ...]]


def step(state: State, event: Event) -> Step:
    """What follows from an event."""
    if state.phase == "over":
        return state, ()
    match event:
        case ChildReady():
            return replace(state, phase="running"), (Start(_end_of_child(state)),)
        case Renewed():
            return _renewed(state, event)
        case LeaseIsLost(at):
            return _killed(state, at, Stop("lease-lost", "the lease of this run was lost"))
        case CommitWanted():
            if state.phase != "running":
                return state, (Tell(Answer(granted=False)),)
            return replace(state, commit="asked"), (Renew(),)
        case OverMemory():
            return _overgrown(state, event)
        case WorkerEnds(at):
            return _stopped(state, at, "worker-stopped", "the worker is being stopped")
        case Reported():
            return _reported(state, event)
        case ChildGone():
            return replace(state, phase="over"), (*_end_of(state, event), Release(reuse=False))
        case Tick(at):
            return _passed(state, at)


def _renewed(state: State, event: Renewed) -> Step:
    state = replace(state, lease_ends=event.until)
    if state.phase == "waiting":
        if not event.cancel or state.terms.may_have_published:
            return state, ()
        return _stopped(state, event.at, "cancelled", "somebody cancelled it")
    if event.at >= _end_of_child(state):
        # It was told too late, as after a stand-still: the child is as good as dead, and may not commit.
        return _killed(state, event.at, Stop("lease-lost", _TOO_LATE))
    beat = Tell(Beat(_end_of_child(state)))
    if state.phase == "running" and event.cancel and state.commit != "granted":
        asked = state.commit == "asked"
        state, commands = _stopped(state, event.at, "cancelled", "somebody cancelled it")
        return state, (beat, *commands, *((Tell(Answer(granted=False)),) if asked else ()))
    if state.phase == "running" and state.commit == "asked" and event.may_publish:
        return replace(state, commit="granted"), (beat, Tell(Answer(granted=True)))
    if state.phase == "running" and state.commit == "asked":
        return state, (beat, Renew())
    return state, (beat,)


def _stopped(state: State, at: float, code: StopCode, message: str) -> Step:
    """Ask for the end of a run, unless that has been done, or it is publishing."""
    if state.phase == "waiting":
        state = replace(state, phase="over", cause=Stop(code, message))
        return state, (*_end_of(state, ChildGone(at, 0)), Release(reuse=True))
    if state.phase != "running" or state.commit == "granted":
        return state, ()
    cause = Stop(code, message)
    state = replace(state, phase="stopping", cause=cause, kill_at=at + state.terms.grace)
    return state, (Tell(cause), Terminate())


def _killed(state: State, at: float, cause: Stop) -> Step:
    if state.phase == "waiting":
        return _stopped(state, at, cause.code, cause.message)
    if state.phase == "killed":
        return state, ()
    return replace(state, phase="killed", cause=cause), (Kill(),)


def _overgrown(state: State, event: OverMemory) -> Step:
    """End what takes too much at once: it would not hear a word in time. What is publishing does not grow any more."""
    if state.commit == "granted" or state.phase not in ("running", "stopping"):
        return state, ()
    told = f"the run has {event.has / 1e6:,.0f} MB of memory, and may have {event.limit / 1e6:,.0f} MB"
    return _killed(state, event.at, state.cause or Stop("out-of-memory", told))


def _passed(state: State, at: float) -> Step:
    if at >= _end_of_child(state):
        return _killed(state, at, Stop("lease-lost", _TOO_LATE))
    if state.phase == "stopping" and state.cause is not None and at >= state.kill_at:
        return _killed(state, at, state.cause)
    if at >= state.terms.until:
        return _stopped(state, at, "timed-out", f"took longer than {state.terms.minutes:g} minutes")
    return state, ()


def _reported(state: State, event: Reported) -> Step:
    report, done = event.report, replace(state, phase="over")
    code = (report["failure"] or {}).get("code")
    reuse = event.light and state.phase == "running"
    if state.cause is not None and state.cause.code == "lease-lost":
        return done, (Release(reuse=False),)
    if code in ("worker-stopped", "lease-lost"):
        return done, (PutBack(code, report["failure"]["message"], lost=False), Release(reuse=False))
    return done, (Finish(report["status"], report["failure"], report), Release(reuse=reuse))


def _end_of(state: State, event: ChildGone) -> tuple[Command, ...]:
    """What to write about a run whose child left no report."""
    match state.cause:
        case None:
            message, hint = _death(event.code)
            return (PutBack("child-lost", f"{message}; {hint}" if hint else message, lost=True),)
        case Stop(code="lease-lost"):
            return ()
        case Stop(code="worker-stopped", message=message):
            return (PutBack("worker-stopped", message, lost=False),)
        case Stop(code=code, message=message):
            status: Literal["CANCELED", "FAILED"] = "CANCELED" if code == "cancelled" else "FAILED"
            hint = _HINTS.get(code, "")
            failure = {"code": code, "message": message, "hint": hint, "nodeId": None, "node": ""}
            return (Finish(status, failure, None),)


def _death(code: int) -> tuple[str, str]:
    if code == -9:
        return "the process of the run was killed", _WAS_MADE_FOR
    how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"the process of the run {how}", "the log of the server may say why"


def _end_of_child(state: State) -> float:
    """How long the child may live without another beat: it is gone before somebody else may begin."""
    return state.lease_ends - state.terms.margin
