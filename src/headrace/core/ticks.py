"""Ticks: an instant of a trigger, written down once, in the same transaction that moves the trigger to its next one.

Any number of servers may look for what is due; nobody leads. What starts is asked of the workflows in that transaction
too, so an instant is either recorded with all that it started, or still due.

An instant of which nobody heard within a minute was missed: nobody was there, the trigger was paused, or a clock was
put forward. The trigger's misfire policy says what becomes of it, whichever it was.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, and_, func, select
from sqlalchemy.exc import SQLAlchemyError

from headrace.auth.principal import Principal
from headrace.core import feeds, workflow_runs
from headrace.core.triggers import Trigger, of_row
from headrace.core.workflow_runs import Origin
from headrace.db.tables import ticks, triggers, workflows
from headrace.errors import HeadraceError
from headrace.recurrence import instants
from headrace.recurrence.rules import Schedule

log = logging.getLogger(__name__)

ON_TIME = timedelta(seconds=60)
MOST_AT_ONCE = 1000
_BEFORE = timedelta(microseconds=1)
_LOOKS_BACK = tuple(timedelta(hours=hours) for hours in (1, 24, 24 * 32, 24 * 367, 24 * 366 * 9))
_MOST_IN_A_LOOK = 2000


@dataclass(frozen=True, slots=True)
class Due:
    """The instants of a trigger that have come: those that start something, and those that were missed.

    The earliest stand first; of those that were missed there are at most `MOST_AT_ONCE`. `following` comes next.
    """

    run: tuple[datetime, ...]
    missed: tuple[datetime, ...]
    following: datetime | None


def next_due(con: Connection) -> float | None:
    """When the next instant of any trigger comes, in seconds since 1970; it may have come."""
    found: float | None = con.scalar(select(func.min(triggers.c.next_fire_at)).where(_waiting()))
    return found


def fire(con: Connection, *, now: float, limit: int) -> tuple[str, ...]:
    """Record what is due and start what it starts, for at most so many triggers; gives the ids of the triggers.

    What another server is just at is left to it. A trigger at which we fail by a fault of ours stays due, and is told
    in the log; it holds up no other.
    """
    c = triggers.c
    due = select(triggers).where(_waiting(), c.next_fire_at <= now).order_by(c.next_fire_at, c.trigger_id).limit(limit)
    found = con.execute(due.with_for_update(key_share=True, skip_locked=True)).all()
    at = datetime.fromtimestamp(now, UTC)
    return tuple(str(row.trigger_id) for row in found if _fired(con, row, at))


def due(trigger: Trigger, now: datetime) -> Due:
    """Which instants have come, from the one that the trigger waits for, and what becomes of them. Decides only."""
    schedule, first = trigger.schedule, trigger.next_fire_at
    assert first is not None
    run = _to_run(trigger, first, now)
    missed = instants.between(schedule, first - _BEFORE, run[0] - _BEFORE if run else now, most=MOST_AT_ONCE)
    # What is too much for one time is still due.
    return Due(run, missed, instants.after(schedule, run[-1] if len(run) == MOST_AT_ONCE else now))


def _to_run(trigger: Trigger, first: datetime, now: datetime) -> tuple[datetime, ...]:
    """What comes on time always runs."""
    patience = max(ON_TIME, trigger.misfire_window) if trigger.misfire == "ALL" else ON_TIME
    since = max(first, now - patience) - _BEFORE
    run = instants.between(trigger.schedule, since, now, most=MOST_AT_ONCE)
    if run or trigger.misfire != "LATEST":
        return run
    return (_latest(trigger.schedule, first, now),)


def _latest(schedule: Schedule, first: datetime, now: datetime) -> datetime:
    """The last instant that has come since the first one; looked for in ever longer times, for there may be many."""
    for back in _LOOKS_BACK:
        found = instants.between(schedule, max(first, now - back) - _BEFORE, now, most=_MOST_IN_A_LOOK)
        if found:
            return found[-1]
    return first


def _waiting() -> sa.ColumnElement[bool]:
    c = triggers.c
    return and_(c.next_fire_at.is_not(None), c.paused_at.is_(None), c.deleted_at.is_(None))


def _fire(con: Connection, trigger: Trigger, now: datetime) -> None:
    found = due(trigger, now)
    if found.missed:
        detail = {"count": len(found.missed), "more": len(found.missed) == MOST_AT_ONCE}
        _record(con, trigger, found.missed[0], "MISSED", detail, now)
    using = _users(con, trigger) if found.run else ()
    for instant in found.run:
        started = {workflow: _started(con, trigger, workflow, instant, now) for workflow in using}
        fed = feeds.start_due(con, trigger, now=now)
        begun = any("runId" in each for each in started.values()) or any("executionId" in each for each in fed.values())
        told: dict[str, Any] = {"workflows": started, **({"jobs": fed} if fed else {})}
        _record(con, trigger, instant, "STARTED" if begun else "SKIPPED", told, now)
    following = None if found.following is None else found.following.timestamp()
    con.execute(sa.update(triggers).where(triggers.c.trigger_id == trigger.trigger_id).values(next_fire_at=following))


def _fired(con: Connection, row: Row[Any], now: datetime) -> bool:
    try:
        with con.begin_nested():
            _fire(con, of_row(row), now)
    except SQLAlchemyError:
        raise  # the database's failure is that of the whole look
    except Exception:
        log.exception("a trigger is not fired", extra={"trigger": row.trigger_id})
        return False
    return True


def _users(con: Connection, trigger: Trigger) -> Sequence[str]:
    w = workflows.c
    using = and_(w.account_id == trigger.account_id, w.trigger_id == trigger.trigger_id, w.deleted_at.is_(None))
    return con.scalars(select(w.workflow_id).where(using, w.is_temp.is_(False)).order_by(w.workflow_id)).all()


def _started(con: Connection, trigger: Trigger, workflow: str, instant: datetime, now: datetime) -> dict[str, str]:
    """Start a workflow; what stands in its way is written down and holds up no other."""
    scheduler = Principal(trigger.account_id, f"trigger {trigger.name}", "", "manager")
    try:
        with con.begin_nested():
            run_id = workflow_runs.start(
                con,
                scheduler,
                workflow,
                trigger=Origin(trigger.trigger_id, trigger.name),
                payload=None,
                scheduled_for=instant,
                overlap=trigger.overlap,
                now=now,
            )
    except HeadraceError as error:
        return {"failure": error.code, "message": str(error)}
    return {"skipped": "an earlier run of it has not ended"} if run_id is None else {"runId": run_id}


def _record(
    con: Connection, trigger: Trigger, instant: datetime, outcome: str, detail: Mapping[str, Any], now: datetime
) -> None:
    row = {"trigger_id": trigger.trigger_id, "account_id": trigger.account_id, "instant": instant.timestamp()}
    con.execute(sa.insert(ticks).values(**row, at=now.timestamp(), outcome=outcome, detail=detail))
