"""Triggers: made, read, changed, paused and deleted. When one is due is the matter of `ticks`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, and_, func, select
from sqlalchemy.exc import IntegrityError

from headrace.auth.principal import Principal
from headrace.core import schedules, workflows
from headrace.core.jobs import moment
from headrace.core.paging import Page
from headrace.core.schedules import Definition, Misfire, Overlap, TriggerType
from headrace.db.tables import feeds, triggers
from headrace.errors import BadParameter, BadState, Conflict, NotFound, Problem
from headrace.ids import new_id
from headrace.recurrence import instants
from headrace.recurrence.rules import Schedule

_MOST_NAMES = 20
_NAME_TAKEN = "another trigger of the account has this name"
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger as it is now. `rule` is what was sent, made plain.

    `next_fire_at` is the instant that comes next, also while the trigger is paused; None when none will come.
    """

    trigger_id: str
    account_id: str
    name: str
    type: TriggerType
    rule: Mapping[str, Any]
    schedule: Schedule
    misfire: Misfire
    misfire_window: timedelta
    overlap: Overlap
    paused_at: datetime | None
    next_fire_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime

    def upcoming(self, now: datetime, *, most: int) -> tuple[datetime, ...]:
        """The next instants, at most so many; none while it is paused."""
        return () if self.paused_at is not None else instants.upcoming(self.schedule, now, most=most)


def create(con: Connection, principal: Principal, sent: Mapping[str, Any], *, now: datetime) -> Trigger:
    """Make a trigger. Raises BadParameter with every problem."""
    read = schedules.read(sent, made=now)
    following = _following(read, now)
    _refuse_taken_name(con, principal, read.body.name, "")
    trigger_id, at = new_id(), now.timestamp()
    values = {"account_id": principal.account_id, "revision": 1, "created_at": at, "updated_at": at, **following}
    try:
        con.execute(sa.insert(triggers).values(trigger_id=trigger_id, **values, **_columns(read)))
    except IntegrityError:
        raise _name_taken() from None
    return get(con, principal, trigger_id)


def get(con: Connection, principal: Principal, trigger_id: str) -> Trigger:
    """A trigger that is not deleted. Raises NotFound."""
    found = con.execute(select(triggers).where(_live(principal), triggers.c.trigger_id == trigger_id)).first()
    if found is None:
        raise NotFound("trigger", trigger_id)
    return of_row(found)


def list(con: Connection, principal: Principal, *, name: str, page: Page) -> tuple[tuple[Trigger, ...], int]:
    """The triggers of a page whose name contains a text in any case, the newest first, and how many match in all."""
    c = triggers.c
    if not name.isprintable() or not name.isascii():
        return (), 0  # names of triggers have no such signs, and not every database may be asked for them
    wanted = and_(_live(principal), *([c.name.icontains(name, autoescape=True)] if name else []))
    count = con.scalar(select(func.count()).select_from(triggers).where(wanted)) or 0
    ordered = select(triggers).where(wanted).order_by(c.created_at.desc(), c.trigger_id)
    rows = con.execute(ordered.limit(page.rows).offset(page.first)) if page.rows else ()
    return tuple(map(of_row, rows)), count


def update(
    con: Connection,
    principal: Principal,
    trigger_id: str,
    sent: Mapping[str, Any],
    *,
    partial: bool,
    if_match: int | None,
    now: datetime,
) -> Trigger:
    """Change a trigger. What is left out of a partial change keeps its value, otherwise it goes back to its default.

    Raises BadParameter with every problem. With another rule, instants from now on are those of the new one; what was
    missed by the old one, when it was paused, is forgotten.
    """
    row = _locked(con, principal, trigger_id, if_match)
    before = of_row(row)
    read = schedules.read({**_as_sent(before), **sent} if partial else sent, made=before.created_at)
    following = {} if read.schedule == before.schedule else _following(read, now)
    _refuse_taken_name(con, principal, read.body.name, trigger_id)
    _change(con, row, {**_columns(read), **following}, now=now)
    return get(con, principal, trigger_id)


def pause(con: Connection, principal: Principal, trigger_id: str, *, if_match: int | None, now: datetime) -> Trigger:
    """Let a trigger start nothing until it is resumed; one that is paused stays so."""
    row = _locked(con, principal, trigger_id, if_match)
    if row.paused_at is None:
        _change(con, row, {"paused_at": now.timestamp()}, now=now)
    return get(con, principal, trigger_id)


def resume(con: Connection, principal: Principal, trigger_id: str, *, if_match: int | None, now: datetime) -> Trigger:
    """Let a trigger go on; what becomes of the instants that it missed is a matter of its misfire policy."""
    row = _locked(con, principal, trigger_id, if_match)
    if row.paused_at is not None:
        _change(con, row, {"paused_at": None}, now=now)
    return get(con, principal, trigger_id)


def delete(con: Connection, principal: Principal, trigger_id: str, *, now: datetime) -> None:
    """Delete a trigger. Raises BadState, which names them, while workflows use it."""
    row = _locked(con, principal, trigger_id, None)
    names = sorted(name for _, name in workflows.of_trigger(con, principal.account_id, trigger_id))
    if names:
        rest = len(names) - _MOST_NAMES
        told = ", ".join(names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
        raise BadState(f"workflows use the trigger: {told}", hint="take it out of them, or delete them")
    f = feeds.c
    fed = and_(f.account_id == principal.account_id, f.trigger_id == trigger_id, f.deleted_at.is_(None))
    if con.scalar(select(f.feed_id).where(fed).limit(1)) is not None:
        raise BadState("a job of the warehouse is started by the trigger", hint="change the schedule of that job")
    _change(con, row, {"deleted_at": now.timestamp(), "next_fire_at": None}, now=now)


def of_row(row: Row[Any]) -> Trigger:
    """A row of the table as a trigger."""
    moments = {name: moment(getattr(row, name)) for name in ("paused_at", "next_fire_at", "created_at", "updated_at")}
    start, end = moment(row.start_at), moment(row.end_at)
    made = datetime.fromtimestamp(row.created_at, UTC)
    schedule = schedules.stored(row.rule, zone=row.time_zone, start=start, end=end, made=made)
    same = {name: getattr(row, name) for name in Trigger.__slots__ if name in row._fields}
    return Trigger(
        **{**same, **moments, "schedule": schedule, "misfire_window": timedelta(seconds=row.misfire_window or 0)}
    )


def _following(read: Definition, now: datetime) -> dict[str, float | None]:
    """The instant that comes next. Raises BadParameter when a rule of time has none."""
    found = instants.after(read.schedule, now)
    if read.body.type == "SCHEDULED" and found is None:
        told = "it would never start anything: no instant of it lies ahead"
        raise BadParameter([Problem("bad-field", told, "choose a later date", field="triggerRule")])
    return {"next_fire_at": None if found is None else found.timestamp()}


def _columns(read: Definition) -> dict[str, object]:
    body, schedule = read.body, read.schedule
    return {
        "name": body.name,
        "type": body.type,
        "rule": dict(read.rule),
        "time_zone": body.time_zone,
        "start_at": None if schedule.start is None else schedule.start.timestamp(),
        "end_at": None if schedule.end is None else schedule.end.timestamp(),
        "misfire": body.misfire_policy,
        "misfire_window": body.misfire_window * _MINUTE.total_seconds(),
        "overlap": body.overlap_policy,
    }


def _as_sent(trigger: Trigger) -> dict[str, Any]:
    """The trigger as a request would have it that changes nothing."""
    zone, schedule = trigger.schedule.zone, trigger.schedule
    bounds = {"startDate": schedule.start, "endDate": schedule.end}
    return {
        "name": trigger.name,
        "type": trigger.type,
        "triggerRule": dict(trigger.rule),
        "timeZone": zone.key,
        **{key: bound.isoformat() for key, bound in bounds.items() if bound is not None},
        "misfirePolicy": trigger.misfire,
        "misfireWindow": trigger.misfire_window // _MINUTE,
        "overlapPolicy": trigger.overlap,
    }


def _live(principal: Principal) -> sa.ColumnElement[bool]:
    return and_(triggers.c.account_id == principal.account_id, triggers.c.deleted_at.is_(None))


def _locked(con: Connection, principal: Principal, trigger_id: str, if_match: int | None) -> Row[Any]:
    """The row of a trigger, so that nobody else changes or fires it until the transaction ends."""
    this = select(triggers).where(_live(principal), triggers.c.trigger_id == trigger_id)
    found = con.execute(this.with_for_update(key_share=True)).first()
    if found is None:
        raise NotFound("trigger", trigger_id)
    if if_match is not None and if_match != found.revision:
        told = f"the trigger is at revision {found.revision}, not {if_match}: somebody changed it meanwhile"
        raise Conflict(told, hint="read it again, and send the change with its revision")
    return found


def _change(con: Connection, row: Row[Any], values: Mapping[str, object], *, now: datetime) -> None:
    told = {**values, "revision": row.revision + 1, "updated_at": now.timestamp()}
    try:
        con.execute(sa.update(triggers).where(triggers.c.trigger_id == row.trigger_id).values(told))
    except IntegrityError:
        raise _name_taken() from None


def _refuse_taken_name(con: Connection, principal: Principal, name: str, trigger_id: str) -> None:
    same = and_(_live(principal), triggers.c.name == name, triggers.c.trigger_id != trigger_id)
    if con.scalar(select(triggers.c.trigger_id).where(same)) is not None:
        raise _name_taken()


def _name_taken() -> BadParameter:
    return BadParameter([Problem("name-taken", _NAME_TAKEN, field="name")])
