"""Runs of workflows go on as they should, whoever dies and whoever else looks at the same time; on both databases."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import Connection, func, select, update

from headrace.core import executions, outbox, workflow_advance, workflow_runs, workflows
from headrace.core.paging import Page
from headrace.db import Database, tables
from headrace.errors import BadParameter, BadState, DatabaseFailed, NotFound
from headrace.execution.queue import OF_WORKFLOWS, Outcome
from tests.support.queue import DONE, FAILED
from tests.support.uses import ALICE, NOON, OTHER, Uses
from tests.support.workflows import BY_HAND, LATER, Flow

CHAIN = {"a": (), "b": ("a",), "c": ("b",)}
DIAMOND = {"a": (), "left": ("a",), "right": ("a",), "join": ("left", "right")}
WAITING = {"a": "READY", "b": "WAITING", "c": "WAITING"}


class Died(Exception):
    """The process is gone."""


def test_the_jobs_of_a_chain_run_one_after_the_other_and_each_once(database: Database) -> None:
    flow = Flow.of(database, CHAIN)
    run_id = flow.started()
    assert flow.stands(run_id) == ("RUNNING", WAITING)
    for name in "abc":
        assert flow.stands(run_id)[1][name] == "READY"
        flow.end(name)
    assert flow.stands(run_id) == ("COMPLETED", dict.fromkeys("abc", "COMPLETED"))
    assert flow.executions(run_id) == {name: ["COMPLETED"] for name in "abc"}
    with database.reading() as con:
        rows, count = executions.of_workflow(con, ALICE, flow.workflow_id, filter="", page=Page())
    told = {(row.type, row.trigger_id, row.trigger_name, row.workflow_id) for row in rows}
    assert (told, count) == ({("WORKFLOW", BY_HAND.trigger_id, BY_HAND.trigger_name, flow.workflow_id)}, 3)


def test_branches_run_side_by_side_and_a_join_waits_for_both(database: Database) -> None:
    flow = Flow.of(database, DIAMOND)
    run_id = flow.started()
    flow.end("a")
    assert flow.stands(run_id)[1] == {"a": "COMPLETED", "left": "READY", "right": "READY", "join": "WAITING"}
    flow.end("right")
    assert flow.stands(run_id)[1]["join"] == "WAITING"
    flow.end("left")
    flow.end("join")
    assert flow.stands(run_id)[0] == "COMPLETED"


def test_a_failure_stops_what_depends_on_it_and_nothing_else(database: Database) -> None:
    parents = {"a": (), "b": ("a",), "c": ("b",), "beside": (), "after": ("beside",), "alarm": ("a",), "tidy": ("c",)}
    flow = Flow.of(database, parents, nodes={"alarm": {"runOn": "FAILED"}, "tidy": {"runOn": "DONE"}})
    run_id = flow.started()
    flow.end("a", FAILED)
    assert flow.stands(run_id) == (
        "RUNNING",
        {
            "a": "FAILED",
            "b": "SKIPPED",
            "c": "SKIPPED",
            "alarm": "READY",
            "tidy": "READY",
            "beside": "RUNNING",
            "after": "WAITING",
        },
    )
    for name in ("beside", "alarm", "after", "tidy"):
        flow.end(name)
    assert flow.stands(run_id)[0] == "FAILED"
    (failed,) = [job for job in flow.run(run_id).jobs if job.status == "FAILED"]
    assert failed.failure == {"code": "engine-failed", "message": "it broke"}


def test_a_job_that_was_deleted_since_has_failed_and_says_so(database: Database) -> None:
    flow = Flow.of(database, {"a": (), "b": ("a",), "alarm": ("b",)}, nodes={"alarm": {"runOn": "FAILED"}})
    run_id = flow.started()
    Uses(database).delete(flow.jobs["b"])
    flow.end("a")
    assert flow.stands(run_id) == ("RUNNING", {"a": "COMPLETED", "b": "FAILED", "alarm": "READY"})
    failure = flow.run(run_id).jobs[1].failure
    assert failure is not None
    assert (failure["code"], "the job is DELETED" in failure["message"]) == ("bad-state", True)
    flow.end("alarm")
    assert flow.stands(run_id)[0] == "FAILED"


def test_each_job_runs_under_its_own_condition_and_with_values_of_the_payload(database: Database) -> None:
    nodes = {
        "a": {"jobCondition": {"timeout": 7}, "parameters": {"day": "payload.event.day", "part": "payload.none"}},
        "b": {"jobCondition": {"numWorker": 5}, "parameters": {"day": "2025-01-01"}},
    }
    declared = [{"name": "day", "type": "date"}, {"name": "part", "type": "string", "default": "all"}]
    flow = Flow.of(database, {"a": (), "b": ()}, nodes=nodes, parameters=declared)
    run_id = flow.started(payload={"event": {"day": "2025-06-01"}})
    with database.reading() as con:
        rows, _ = executions.of_workflow(con, ALICE, flow.workflow_id, filter="", page=Page())
    told = {row.job_id: (row.condition.timeout, row.condition.num_worker, dict(row.parameters)) for row in rows}
    assert told[flow.jobs["a"]] == (7, 2, {"day": "2025-06-01", "part": "all"})
    assert told[flow.jobs["b"]] == (360, 5, {"day": "2025-01-01", "part": "all"})
    assert flow.run(run_id).payload == {"event": {"day": "2025-06-01"}}
    with pytest.raises(BadParameter, match=r"payload\.event\.day.*neither a text nor a whole number"):
        flow.start(payload={"event": {"day": ["2025-06-01"]}})
    # What a parameter needs and the payload does not have, or not so, is the job's failure.
    for payload, wrong in (({}, "has no value"), ({"event": {"day": "June"}}, "June")):
        run_id = flow.started(payload=payload)
        failure = flow.run(run_id).jobs[0].failure
        assert failure is not None
        assert (failure["code"], wrong in failure["message"]) == ("bad-parameter", True)


def test_what_is_told_twice_happens_once(database: Database) -> None:
    flow = Flow.of(database, DIAMOND)
    run_id = flow.started()
    flow.end("a")
    with database.transaction() as con:
        con.execute(update(tables.outbox).where(tables.outbox.c.consumer == OF_WORKFLOWS).values(done_at=None))
    assert flow.hear() == 2
    assert flow.executions(run_id) == {"a": ["COMPLETED"], "left": ["READY"], "right": ["READY"]}


def test_who_dies_in_the_midst_leaves_nothing_half_done(database: Database) -> None:
    flow = Flow.of(database, DIAMOND)
    run_id = flow.started()
    flow.end("a", heard=False)

    with suppress(Died), database.transaction() as con:
        (event,) = outbox.take(con, OF_WORKFLOWS, now=LATER, limit=1)
        workflow_advance.heard(con, event, LATER)
        raise Died
    assert flow.stands(run_id)[1] == {"a": "COMPLETED", "left": "WAITING", "right": "WAITING", "join": "WAITING"}
    flow.hear()
    assert flow.executions(run_id) == {"a": ["COMPLETED"], "left": ["READY"], "right": ["READY"]}


def test_many_who_look_at_the_same_time_start_each_job_once(database: Database) -> None:
    flow = Flow.of(database, {"a": (), **{f"b{n}": ("a",) for n in range(6)}, "c": tuple(f"b{n}" for n in range(6))})
    run_id = flow.started()
    flow.end("a", heard=False)
    now = LATER

    def look(_: int) -> None:
        with database.transaction() as con:
            workflow_advance.advance(con, run_id, now=now)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(8)))
        assert flow.executions(run_id) == {"a": ["COMPLETED"], **{f"b{n}": ["READY"] for n in range(6)}}
        for n in range(6):
            flow.end(f"b{n}", heard=False)
        list(pool.map(look, range(8)))
    assert flow.executions(run_id)["c"] == ["READY"]


def test_a_wide_workflow_starts_all_of_its_jobs_a_few_at_a_time(database: Database) -> None:
    flow = Flow.of(database, {f"job{n}": () for n in range(45)})
    run_id = flow.start()
    assert run_id is not None
    assert flow.hear() == 3
    assert set(flow.stands(run_id)[1].values()) == {"READY"}


def test_a_cancelled_run_stops_what_runs_and_starts_nothing_more(database: Database) -> None:
    flow = Flow.of(database, {"a": (), "b": (), "c": ("a",), "tidy": ("c",)}, nodes={"tidy": {"runOn": "DONE"}})
    run_id = flow.started()
    flow.end("a")
    flow.cancel(run_id)
    # What a worker holds is over when the worker says so.
    assert flow.stands(run_id) == (
        "RUNNING",
        {"a": "COMPLETED", "b": "RUNNING", "c": "CANCELED", "tidy": "SKIPPED"},
    )
    flow.end("b", Outcome("CANCELED", failure={"code": "cancelled", "message": "it was cancelled"}))
    assert flow.stands(run_id) == (
        "CANCELED",
        {"a": "COMPLETED", "b": "CANCELED", "c": "CANCELED", "tidy": "SKIPPED"},
    )
    with pytest.raises(BadState, match="the run is CANCELED"):
        flow.cancel(run_id)


def test_a_run_goes_on_from_what_failed_and_keeps_what_completed(database: Database) -> None:
    flow = Flow.of(database, {"a": (), "b": ("a",), "c": ("b",), "beside": ()})
    run_id = flow.started()
    flow.end("a")
    flow.end("beside")
    flow.end("b", FAILED)
    assert flow.stands(run_id)[0] == "FAILED"
    flow.rerun(run_id)
    assert flow.stands(run_id) == ("RUNNING", {"a": "COMPLETED", "b": "READY", "c": "WAITING", "beside": "COMPLETED"})
    flow.end("b")
    flow.end("c")
    assert flow.stands(run_id)[0] == "COMPLETED"
    assert {name: len(found) for name, found in flow.executions(run_id).items()} == {
        "a": 1,
        "b": 2,
        "c": 1,
        "beside": 1,
    }
    run = flow.run(run_id)
    assert (run.attempt, [job.attempt for job in run.jobs]) == (2, [1, 2, 1, 1])
    with pytest.raises(BadState, match="the run is COMPLETED"):
        flow.rerun(run_id)


def test_one_instant_of_a_trigger_starts_one_run(database: Database) -> None:
    flow = Flow.of(database, CHAIN)
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: flow.start(scheduled_for=NOON, overlap="QUEUE"), range(4)))
    assert len(found) == 1
    assert flow.start(scheduled_for=NOON, overlap="SKIP") in found


def test_runs_that_overlap_wait_are_left_out_go_beside_or_take_over(database: Database) -> None:
    flow = Flow.of(database, {"a": ()})
    first = flow.started()
    assert flow.start(overlap="SKIP") is None
    beside = flow.started(overlap="ALLOW")
    waits = flow.started(overlap="QUEUE")
    assert [flow.run(run_id).status for run_id in (first, beside, waits)] == ["RUNNING", "RUNNING", "READY"]
    flow.cancel(beside)
    assert flow.run(waits).status == "READY"
    flow.end("a")
    assert (flow.run(first).status, flow.run(waits).status) == ("COMPLETED", "RUNNING")
    last = flow.started(overlap="CANCEL_PREVIOUS")
    assert (flow.run(waits).status, flow.stands(last)) == ("CANCELED", ("RUNNING", {"a": "READY"}))


def test_a_run_that_waits_can_be_cancelled_and_holds_up_no_other(database: Database) -> None:
    flow = Flow.of(database, {"a": ()})
    first, second, third = (flow.started(overlap="QUEUE", now=NOON) for _ in range(3))
    assert second is not None
    waiting = [run_id for run_id in (first, second, third) if flow.run(run_id).status == "READY"]
    flow.cancel(waiting[0])
    assert flow.stands(waiting[0]) == ("CANCELED", {"a": "SKIPPED"})
    flow.end("a")
    assert flow.run(waiting[1]).status == "RUNNING"


def test_a_workflow_is_not_deleted_while_it_runs_and_its_runs_stay_readable(database: Database) -> None:
    flow = Flow.of(database, {"a": ()})
    run_id = flow.started()
    with pytest.raises(BadState, match="1 runs of the workflow"), database.transaction() as con:
        workflows.delete(con, ALICE, flow.workflow_id, now=NOON)
    flow.end("a")
    with database.transaction() as con:
        workflows.delete(con, ALICE, flow.workflow_id, now=NOON)
    assert flow.run(run_id).status == "COMPLETED"
    with database.reading() as con:
        rows, count = workflow_runs.list(con, ALICE, flow.workflow_id, status="COMPLETED", page=Page())
    assert ([row.run_id for row in rows], count) == ([run_id], 1)
    with pytest.raises(NotFound):
        flow.start()


def test_nobody_sees_or_starts_what_another_account_has(database: Database) -> None:
    flow = Flow.of(database, {"a": ()})
    run_id = flow.started()
    with database.transaction() as con:
        for do in (
            lambda: workflows.get(con, OTHER, flow.workflow_id),
            lambda: workflow_runs.get(con, OTHER, flow.workflow_id, run_id),
            lambda: workflow_runs.list(con, OTHER, flow.workflow_id, status="", page=Page()),
            lambda: workflow_runs.cancel(con, OTHER, flow.workflow_id, run_id, now=NOON),
            lambda: executions.of_workflow(con, OTHER, flow.workflow_id, filter="", page=Page()),
        ):
            with pytest.raises(NotFound):
                do()
        assert workflows.list(con, OTHER, name="", page=Page()) == ((), 0)


@contextmanager
def _dying(database: Database, dice: random.Random) -> Iterator[Connection]:
    """A transaction whose process dies, now and then, before it is committed."""
    with suppress(Died), database.transaction() as con:
        yield con
        if dice.random() < 0.4:
            raise Died


@pytest.mark.parametrize("seed", range(6))
def test_whatever_dies_each_job_that_completed_ran_once_and_the_run_ends_right(database: Database, seed: int) -> None:
    dice = random.Random(seed)
    names = [f"j{n}" for n in range(8)]
    parents = {name: tuple(p for p in names[:at] if dice.random() < 0.35) for at, name in enumerate(names)}
    flow = Flow.of(database, parents)
    fails = {name for name in names if dice.random() < 0.15}
    run_id = flow.start()
    assert run_id is not None
    for _ in range(400):
        if flow.run(run_id).ended_at is not None:
            break
        ready = [name for name, status in flow.stands(run_id)[1].items() if status in ("READY", "RUNNING")]
        if ready and dice.random() < 0.5:
            name = dice.choice(ready)
            flow.end(name, FAILED if name in fails else DONE, heard=False)
        with suppress(DatabaseFailed), _dying(database, dice) as con:
            now = LATER
            for event in outbox.take(con, OF_WORKFLOWS, now=now, limit=1):
                workflow_advance.heard(con, event, now)
                outbox.done(con, [event.id], now=now)
    reached = {name for name in names if all(p not in fails for p in _before(name, parents))}
    assert {name: len(found) for name, found in flow.executions(run_id).items()} == dict.fromkeys(reached, 1)
    status, jobs = flow.stands(run_id)
    assert status == ("FAILED" if fails & reached else "COMPLETED")
    assert jobs == {n: "SKIPPED" if n not in reached else "FAILED" if n in fails else "COMPLETED" for n in names}
    with database.reading() as con:
        undone = select(func.count()).where(tables.outbox.c.consumer == OF_WORKFLOWS, tables.outbox.c.done_at.is_(None))
        assert (con.scalar(undone) or 0) <= 1


def _before(name: str, parents: dict[str, tuple[str, ...]]) -> set[str]:
    return {*parents[name], *(each for parent in parents[name] for each in _before(parent, parents))}
