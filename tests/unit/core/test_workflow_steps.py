"""What follows in a run, as a table."""

from typing import get_args

import pytest

from headrace.core.workflow_definition import RunOn
from headrace.core.workflow_steps import ENDED, Next, RunStatus, Step, StepStatus, following, outcome


def step(job_id: str, *parents: str, run_on: RunOn = "SUCCEEDED", status: StepStatus = "WAITING") -> Step:
    return Step(job_id, parents, run_on, status)


@pytest.mark.parametrize(
    ("run_on", "starts_after"),
    [
        ("SUCCEEDED", {"COMPLETED"}),
        ("FAILED", {"FAILED"}),
        ("DONE", {"COMPLETED", "FAILED", "CANCELED", "SKIPPED"}),
    ],
)
def test_a_job_starts_after_the_ends_that_it_names_and_is_skipped_after_others(
    run_on: RunOn, starts_after: set[StepStatus]
) -> None:
    for status in get_args(StepStatus):
        found = following([step("a", status=status), step("b", "a", run_on=run_on)], cancelled=False)
        if status == "WAITING":
            assert found == Next(("a",), ())
        elif status == "STARTED":
            assert found == Next((), ())
        else:
            assert found == (Next(("b",), ()) if status in starts_after else Next((), ("b",))), status


def test_a_join_waits_for_all_of_its_parents() -> None:
    def join(first: StepStatus, second: StepStatus, run_on: RunOn = "SUCCEEDED") -> Next:
        steps = [step("a", status=first), step("b", status=second), step("c", "a", "b", run_on=run_on)]
        return following(steps, cancelled=False)

    assert join("COMPLETED", "STARTED") == Next((), ())
    assert join("COMPLETED", "COMPLETED") == Next(("c",), ())
    # What can't start any more need not wait for the rest.
    assert join("STARTED", "FAILED") == Next((), ("c",))
    assert join("STARTED", "FAILED", run_on="FAILED") == Next((), ())
    assert join("COMPLETED", "FAILED", run_on="FAILED") == Next(("c",), ())
    assert join("STARTED", "FAILED", run_on="DONE") == Next((), ())
    assert join("SKIPPED", "FAILED", run_on="DONE") == Next(("c",), ())


def test_a_failure_stops_what_depends_on_it_and_nothing_else() -> None:
    steps = [
        step("a", status="FAILED"),
        step("b", "a"),
        step("c", "b"),
        step("other", status="STARTED"),
        step("after-other", "other"),
        step("beside"),
    ]
    assert following(steps, cancelled=False) == Next(("beside",), ("b",))


def test_a_cancelled_run_starts_nothing_more() -> None:
    steps = [step("a", status="STARTED"), step("b"), step("c", "a", run_on="DONE")]
    assert following(steps, cancelled=True) == Next((), ("b", "c"))


@pytest.mark.parametrize(
    ("statuses", "cancelled", "ended"),
    [
        (["COMPLETED", "COMPLETED"], False, "COMPLETED"),
        (["COMPLETED", "STARTED"], False, None),
        (["FAILED", "WAITING"], False, None),
        (["FAILED", "SKIPPED", "COMPLETED"], False, "FAILED"),
        (["CANCELED", "SKIPPED"], False, "CANCELED"),
        (["CANCELED", "FAILED"], False, "FAILED"),
        (["COMPLETED", "SKIPPED"], False, "COMPLETED"),
        (["COMPLETED", "CANCELED"], True, "CANCELED"),
        (["FAILED", "SKIPPED"], True, "CANCELED"),
        (["COMPLETED", "COMPLETED"], True, "COMPLETED"),
    ],
)
def test_the_outcome_says_how_the_jobs_ended(
    statuses: list[StepStatus], cancelled: bool, ended: RunStatus | None
) -> None:
    steps = [step(str(index), status=status) for index, status in enumerate(statuses)]
    assert outcome({step.status for step in steps}, cancelled=cancelled) == ended


def test_every_order_of_ends_of_any_graph_comes_to_an_end() -> None:
    """Whatever jobs do, a run ends, and no job that was told about is told about again."""
    steps = {
        each.job_id: each
        for each in (
            step("a"),
            step("b", "a"),
            step("c", "a", run_on="FAILED"),
            step("d", "b", "c", run_on="DONE"),
            step("e", "d"),
        )
    }
    for seed in range(3**5):
        now = dict(steps)
        told: set[str] = set()
        while outcome({step.status for step in now.values()}, cancelled=False) is None:
            found = following(now.values(), cancelled=False)
            assert found.start or found.skip
            assert not told & {*found.start, *found.skip}
            told |= {*found.start, *found.skip}
            for job_id in found.skip:
                now[job_id] = Step(job_id, now[job_id].parents, now[job_id].run_on, "SKIPPED")
            for job_id in found.start:
                end: StepStatus = ("COMPLETED", "FAILED", "CANCELED")[seed // 3 ** "abcde".index(job_id) % 3]
                now[job_id] = Step(job_id, now[job_id].parents, now[job_id].run_on, end)
        assert {each.status for each in now.values()} <= ENDED
