from typing import Any

import pytest

from headrace.execution.lines import Answer, Beat, Stop, StopCode
from headrace.execution.supervisor import (
    ChildGone,
    ChildReady,
    Command,
    CommitWanted,
    Event,
    Finish,
    Kill,
    LeaseIsLost,
    OverMemory,
    PutBack,
    Release,
    Renew,
    Renewed,
    Reported,
    Start,
    State,
    Tell,
    Terminate,
    Terms,
    Tick,
    WorkerEnds,
    step,
)

CANCELLED = Stop("cancelled", "somebody cancelled it")
ENDS = Stop("worker-stopped", "the worker is being stopped")
LATE = Stop("timed-out", "took longer than 2 minutes")


def play(*events: Event) -> list[Command]:
    """All that is done about a run that began at 0, with a lease of 15 s, 2 minutes of time and 10 s of grace."""
    state = State(Terms(until=120.0, minutes=2, grace=10.0, margin=1.0), lease_ends=15.0)
    done: list[Command] = []
    for event in events:
        state, commands = step(state, event)
        done += commands
    return done


def after(*events: Event) -> list[Command]:
    """What is done about these events in a run that has just begun."""
    return play(ChildReady(0.0), *events)[1:]


def report(status: str, code: str = "") -> dict[str, Any]:
    failure = {"code": code, "message": "so it was"} if code else None
    return {"status": status, "failure": failure}


def failure(code: StopCode, message: str, hint: str = "") -> dict[str, Any]:
    return {"code": code, "message": message, "hint": hint, "nodeId": None, "node": ""}


def test_a_run_begins_when_there_is_a_child_and_may_live_as_long_as_its_lease() -> None:
    assert play(ChildReady(2.0)) == [Start(14.0)]


def test_a_beat_goes_to_the_child_with_each_renewal() -> None:
    assert after(Renewed(5.0, 20.0)) == [Tell(Beat(19.0))]


def test_a_commit_waits_for_a_renewal_that_allows_it() -> None:
    assert after(CommitWanted(1.0)) == [Renew()]
    allowed = after(CommitWanted(1.0), Renewed(1.0, 16.0, may_publish=True))
    assert allowed == [Renew(), Tell(Beat(15.0)), Tell(Answer(granted=True))]
    asked_again = after(CommitWanted(1.0), Renewed(1.0, 16.0))
    assert asked_again == [Renew(), Tell(Beat(15.0)), Renew()]


def test_a_renewal_that_is_told_when_its_lease_is_as_good_as_over_lets_nobody_commit() -> None:
    assert after(CommitWanted(1.0), Renewed(14.9, 16.0, may_publish=True))[-1] == Tell(Answer(granted=True))
    assert after(CommitWanted(1.0), Renewed(15.0, 16.0, may_publish=True)) == [Renew(), Kill()]


def test_a_run_that_may_have_published_gets_a_child_that_looks_also_when_it_is_cancelled() -> None:
    terms = Terms(until=120.0, minutes=2, grace=10.0, margin=1.0, may_have_published=True)
    state, commands = step(State(terms, lease_ends=15.0), Renewed(1.0, 16.0, cancel=True))
    assert commands == ()
    assert step(state, ChildReady(2.0))[1] == (Start(15.0),)


def test_a_run_that_ended_well_is_written_and_leaves_its_child_to_the_next() -> None:
    done = report("COMPLETED")
    assert after(Reported(3.0, done, light=True)) == [Finish("COMPLETED", None, done), Release(reuse=True)]
    assert after(Reported(3.0, done, light=False))[-1] == Release(reuse=False)


def test_nothing_follows_a_run_that_is_over() -> None:
    ended = Reported(3.0, report("COMPLETED"), light=True)
    late = (CommitWanted(4.0), Renewed(4.0, 20.0, cancel=True), LeaseIsLost(4.0), ChildGone(4.0, -9), Tick(500.0))
    assert after(ended, *late) == after(ended)


def test_a_cancel_tells_the_child_and_kills_it_when_its_grace_is_over() -> None:
    told = [Tell(Beat(19.0)), Tell(CANCELLED), Terminate()]
    assert after(Renewed(5.0, 20.0, cancel=True)) == told
    assert after(Renewed(5.0, 20.0, cancel=True), Renewed(14.0, 29.0, cancel=True), Tick(14.9))[3:] == [
        Tell(Beat(28.0))
    ]
    assert after(Renewed(5.0, 20.0, cancel=True), Tick(15.0)) == [*told, Kill()]
    killed = after(Renewed(5.0, 20.0, cancel=True), Tick(15.0), ChildGone(15.1, -9))[4:]
    assert killed == [Finish("CANCELED", failure("cancelled", CANCELLED.message), None), Release(reuse=False)]


def test_a_cancel_that_the_child_heard_is_written_as_it_reports_it() -> None:
    done = report("CANCELED", "cancelled")
    played = after(Renewed(5.0, 20.0, cancel=True), Reported(5.5, done, light=False))
    assert played[3:] == [Finish("CANCELED", done["failure"], done), Release(reuse=False)]


def test_a_cancel_that_comes_with_the_renewal_for_a_commit_refuses_it() -> None:
    played = after(CommitWanted(1.0), Renewed(1.0, 16.0, cancel=True))
    assert played == [Renew(), Tell(Beat(15.0)), Tell(CANCELLED), Terminate(), Tell(Answer(granted=False))]


def test_a_run_that_is_to_end_may_not_commit() -> None:
    assert after(WorkerEnds(1.0), CommitWanted(1.1)) == [Tell(ENDS), Terminate(), Tell(Answer(granted=False))]


@pytest.mark.parametrize("event", [Renewed(2.0, 17.0, cancel=True), WorkerEnds(2.0)])
def test_a_run_that_publishes_is_not_stopped(event: Event) -> None:
    played = after(CommitWanted(1.0), Renewed(1.0, 16.0, may_publish=True), event)[3:]
    assert played in ([], [Tell(Beat(16.0))])
    assert after(CommitWanted(1.0), Renewed(110.0, 125.0, may_publish=True), Tick(121.0))[3:] == []


def test_a_lost_lease_kills_at_once_and_writes_nothing() -> None:
    assert after(LeaseIsLost(5.0), ChildGone(5.1, -9)) == [Kill(), Release(reuse=False)]
    assert after(LeaseIsLost(5.0), Reported(5.0, report("COMPLETED"), light=True)) == [Kill(), Release(reuse=False)]
    assert after(CommitWanted(1.0), Renewed(1.0, 16.0, may_publish=True), LeaseIsLost(5.0))[3:] == [Kill()]


def test_a_lease_that_can_not_be_renewed_kills_before_it_ends() -> None:
    assert after(Tick(13.9)) == []
    assert after(Tick(14.0)) == [Kill()]


def test_a_run_past_its_time_is_told_so_then_killed() -> None:
    played = after(Renewed(119.0, 134.0), Tick(119.9), Tick(120.0), Tick(130.0), ChildGone(130.1, -9))
    told = failure("timed-out", LATE.message, "raise timeout")
    assert played[1:] == [Tell(LATE), Terminate(), Kill(), Finish("FAILED", told, None), Release(reuse=False)]


def test_a_worker_that_ends_puts_its_run_back() -> None:
    by_itself = after(WorkerEnds(1.0), Reported(1.5, report("FAILED", "worker-stopped"), light=False))
    assert by_itself[2:] == [PutBack("worker-stopped", "so it was", lost=False), Release(reuse=False)]
    killed = after(WorkerEnds(1.0), Tick(11.0), ChildGone(11.1, -9))
    assert killed[2:] == [Kill(), PutBack("worker-stopped", ENDS.message, lost=False), Release(reuse=False)]


def test_a_child_that_dies_by_itself_is_a_loss_and_says_how() -> None:
    for code, told in ((-9, "was killed; the kernel"), (-11, "ended by signal 11"), (3, "ended with code 3")):
        back, released = after(ChildGone(2.0, code))
        assert isinstance(back, PutBack)
        assert (back.cause, back.lost, told in back.message) == ("child-lost", True, True)
        assert released == Release(reuse=False)


def test_a_cancel_before_there_is_a_child_never_runs() -> None:
    assert play(Renewed(1.0, 16.0, cancel=True), ChildReady(2.0)) == [
        Finish("CANCELED", failure("cancelled", CANCELLED.message), None),
        Release(reuse=True),
    ]


def test_a_lease_lost_before_there_is_a_child_writes_nothing() -> None:
    assert play(LeaseIsLost(1.0), ChildReady(2.0)) == [Release(reuse=True)]


def test_a_run_with_too_much_memory_is_killed_at_once_and_has_failed() -> None:
    told = "the run has 2,000 MB of memory, and may have 1,000 MB"
    hint = "lower numWorker or memory_limit, so that more is spilled, or raise run_memory_limit"
    failure = {"code": "out-of-memory", "message": told, "hint": hint, "nodeId": None, "node": ""}
    done = after(OverMemory(1.0, 2 * 10**9, 10**9), OverMemory(1.2, 2 * 10**9, 10**9), ChildGone(1.3, -9))
    assert done == [Kill(), Finish("FAILED", failure, None), Release(reuse=False)]


def test_a_run_that_publishes_is_not_ended_for_its_memory() -> None:
    published = (CommitWanted(1.0), Renewed(1.1, 16.1, may_publish=True))
    assert after(*published, OverMemory(1.2, 2, 1)) == after(*published)
