"""An instant of a trigger is recorded once, with all that it starts, whoever looks and whoever dies."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from headrace.auth.principal import Principal
from headrace.core import ticks, triggers, workflow_runs, workflows
from headrace.core.triggers import Trigger
from headrace.db import Database
from headrace.db import tables as t
from headrace.errors import BadState, DatabaseFailed
from tests.support.uses import ALICE, Uses, sound

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERY_HOUR = {"type": "RECURRING", "interval": "HOUR", "time": "00"}


def trigger(database: Database, name: str = "hourly", rule: object = EVERY_HOUR, **more: object) -> Trigger:
    sent = {"name": name, "type": "SCHEDULED", "triggerRule": rule, "timeZone": "UTC", **more}
    with database.transaction() as con:
        return triggers.create(con, ALICE, sent, now=NOON)


def workflow(database: Database, started_by: Trigger, job_id: str, name: str = "flow") -> str:
    nodes = [
        {"id": started_by.trigger_id, "name": started_by.name, "type": "TRIGGER", "parentNodeIds": []},
        {"id": job_id, "name": "job", "type": "JOB", "parentNodeIds": [started_by.trigger_id]},
    ]
    with database.transaction() as con:
        return workflows.create(con, ALICE, {"name": name, "nodes": nodes}, now=NOON).workflow.workflow_id


def fire(database: Database, at: datetime, *, limit: int = 100) -> tuple[str, ...]:
    with database.transaction() as con:
        return ticks.fire(con, now=at.timestamp(), limit=limit)


def recorded(database: Database) -> list[tuple[datetime, str, Any]]:
    c = t.ticks.c
    with database.reading() as con:
        rows = con.execute(select(c.instant, c.outcome, c.detail).order_by(c.instant)).all()
    return [(datetime.fromtimestamp(row.instant, UTC), row.outcome, row.detail) for row in rows]


def started(database: Database, workflow_id: str) -> list[datetime]:
    """The instants for which the workflow has a run."""
    c = t.workflow_runs.c
    with database.reading() as con:
        found = con.scalars(select(c.scheduled_for).where(c.workflow_id == workflow_id).order_by(c.scheduled_for))
        return [datetime.fromtimestamp(at, UTC) for at in found]


@pytest.fixture
def job_id(database: Database) -> str:
    return Uses(database).create(sound()).job_id


def test_an_instant_starts_each_workflow_of_its_trigger_once(database: Database, job_id: str) -> None:
    hourly = trigger(database)
    other = Uses(database).create(sound(name="other")).job_id
    flows = [workflow(database, hourly, job_id), workflow(database, hourly, other, "second")]
    assert fire(database, NOON + 0.9 * HOUR) == ()
    assert fire(database, NOON + HOUR) == (hourly.trigger_id,)
    assert fire(database, NOON + HOUR) == ()
    ((instant, outcome, detail),) = recorded(database)
    assert (instant, outcome, sorted(detail["workflows"])) == (NOON + HOUR, "STARTED", sorted(flows))
    assert [started(database, flow) for flow in flows] == [[NOON + HOUR]] * 2
    with database.reading() as con:
        assert triggers.get(con, ALICE, hourly.trigger_id).next_fire_at == NOON + 2 * HOUR
        assert ticks.next_due(con) == (NOON + 2 * HOUR).timestamp()


def test_a_trigger_that_nobody_uses_starts_nothing_and_goes_on(database: Database) -> None:
    trigger(database)
    fire(database, NOON + HOUR)
    assert recorded(database) == [(NOON + HOUR, "SKIPPED", {"workflows": {}})]


def test_what_stands_in_the_way_of_one_workflow_is_told_and_holds_up_no_other(database: Database, job_id: str) -> None:
    hourly = trigger(database, overlapPolicy="SKIP")
    other = Uses(database).create(sound(name="other")).job_id
    busy, free = workflow(database, hourly, job_id), workflow(database, hourly, other, "second")
    fire(database, NOON + HOUR)
    with database.transaction() as con:
        con.execute(t.workflow_runs.update().where(t.workflow_runs.c.workflow_id == free).values(_ended()))
    fire(database, NOON + 2 * HOUR)
    told = recorded(database)[1][2]["workflows"]
    assert told[busy] == {"skipped": "an earlier run of it has not ended"}
    assert list(told[free]) == ["runId"]


def _ended() -> dict[str, object]:
    return {"status": "COMPLETED", "ended_at": (NOON + HOUR).timestamp()}


@pytest.mark.parametrize(
    ("policy", "outcomes", "runs"),
    [
        ("SKIP", [(1, "MISSED")], []),
        ("LATEST", [(1, "MISSED"), (5, "STARTED")], [5]),
        ("ALL", [(1, "MISSED"), (4, "STARTED"), (5, "STARTED")], [4, 5]),
    ],
)
@pytest.mark.parametrize("how", ["nobody was there", "it was paused"])
def test_what_was_missed_is_one_matter_whether_nobody_was_there_or_it_was_paused(
    database: Database, job_id: str, policy: str, outcomes: list[tuple[int, str]], runs: list[int], how: str
) -> None:
    hourly = trigger(database, misfirePolicy=policy, misfireWindow=120)
    flow = workflow(database, hourly, job_id)
    if how == "it was paused":
        with database.transaction() as con:
            triggers.pause(con, ALICE, hourly.trigger_id, if_match=None, now=NOON)
        assert fire(database, NOON + 5 * HOUR) == ()
        with database.transaction() as con:
            triggers.resume(con, ALICE, hourly.trigger_id, if_match=None, now=NOON + 5.5 * HOUR)
    fire(database, NOON + 5.5 * HOUR)
    told = [((instant - NOON) // HOUR, outcome) for instant, outcome, _ in recorded(database)]
    assert told == outcomes
    assert started(database, flow) == [NOON + hours * HOUR for hours in runs]


def test_a_clock_that_is_put_back_starts_nothing_again(database: Database, job_id: str) -> None:
    flow = workflow(database, trigger(database), job_id)
    fire(database, NOON + HOUR)
    assert fire(database, NOON + 0.5 * HOUR) == ()
    assert fire(database, NOON + HOUR) == ()
    assert started(database, flow) == [NOON + HOUR]


def test_a_trigger_that_we_fail_at_leaves_nothing_stays_due_and_holds_up_no_other(
    database: Database, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = trigger(database, "first"), trigger(database, "second")
    other = Uses(database).create(sound(name="other")).job_id
    sick, sound_one = workflow(database, first, job_id), workflow(database, second, other, "second")
    start = workflow_runs.start

    def broken(con: Connection, principal: Principal, workflow_id: str, **more: Any) -> str | None:
        run_id = start(con, principal, workflow_id, **more)
        if workflow_id == sick:
            raise ZeroDivisionError
        return run_id

    # Two instants: that the first was missed is written down before the second one starts anything.
    now, latest = NOON + 2.5 * HOUR, NOON + 2 * HOUR
    with monkeypatch.context() as patched:
        patched.setattr(workflow_runs, "start", broken)
        assert fire(database, now) == (second.trigger_id,)
    assert (started(database, sick), started(database, sound_one)) == ([], [latest])
    assert [outcome for _, outcome, _ in recorded(database)] == ["MISSED", "STARTED"]
    assert fire(database, now) == (first.trigger_id,)
    assert (started(database, sick), started(database, sound_one)) == ([latest], [latest])


def test_a_look_at_which_the_database_fails_leaves_all_of_it_due(
    database: Database, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = workflow(database, trigger(database), job_id)

    def broken(con: Connection, *_: object, **__: object) -> str:
        con.execute(text("SELECT * FROM nowhere"))
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(workflow_runs, "start", broken)
        with pytest.raises(DatabaseFailed):
            fire(database, NOON + HOUR)
    assert recorded(database) == []
    fire(database, NOON + HOUR)
    assert started(database, flow) == [NOON + HOUR]


def test_several_who_look_at_once_start_everything_once(database: Database) -> None:
    job_id = Uses(database).create(sound()).job_id
    flows = [workflow(database, trigger(database, f"trigger-{n}"), job_id, f"flow-{n}") for n in range(20)]

    def look(_: int) -> None:
        while fire(database, NOON + HOUR, limit=3):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(4)))
    while fire(database, NOON + HOUR):  # what another one was at was left to it, and it may have been the last to look
        pass
    assert Counter(outcome for _, outcome, _ in recorded(database)) == {"STARTED": 20}
    assert [started(database, flow) for flow in flows] == [[NOON + HOUR]] * 20


def test_a_trigger_that_workflows_use_is_not_deleted(database: Database, job_id: str) -> None:
    hourly = trigger(database)
    flow = workflow(database, hourly, job_id)
    with pytest.raises(BadState, match="workflows use the trigger: flow"), database.transaction() as con:
        triggers.delete(con, ALICE, hourly.trigger_id, now=NOON)
    with database.transaction() as con:
        workflows.delete(con, ALICE, flow, now=NOON)
        triggers.delete(con, ALICE, hourly.trigger_id, now=NOON)
    assert fire(database, NOON + HOUR) == ()


def test_another_rule_forgets_what_was_due_and_the_same_rule_does_not(database: Database, job_id: str) -> None:
    hourly = trigger(database)
    flow = workflow(database, hourly, job_id)
    with database.transaction() as con:
        triggers.update(
            con, ALICE, hourly.trigger_id, {"name": "renamed"}, partial=True, if_match=None, now=NOON + 1.001 * HOUR
        )
    fire(database, NOON + 1.002 * HOUR)
    assert started(database, flow) == [NOON + HOUR]
    daily = {"triggerRule": {"type": "RECURRING", "interval": "DAY", "time": "09:00"}}
    with database.transaction() as con:
        changed = triggers.update(
            con, ALICE, hourly.trigger_id, daily, partial=True, if_match=None, now=NOON + 2.001 * HOUR
        )
    assert changed.next_fire_at == NOON + 21 * HOUR
