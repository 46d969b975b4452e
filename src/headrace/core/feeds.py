"""Feeds: jobs that fill a table of the warehouse, as a dialect of its own shows them.

What runs is an ordinary job, and what starts it by time an ordinary trigger; a feed is what its owner sent, and what
somebody outside reported of it, kept apart from what its own executions did.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, case, func, select

from headrace.auth.principal import Principal
from headrace.core import data_grants, jobs, triggers, warehouse
from headrace.core import executions as executions_of_jobs
from headrace.core.jobs import moment
from headrace.core.triggers import Trigger
from headrace.core.warehouse import Columns, TableName
from headrace.db.tables import executions, feeds
from headrace.db.tables import jobs as job_rows
from headrace.db.tables import triggers as trigger_rows
from headrace.errors import BadState, HeadraceError, NotFound

FeedStatus = Literal["new", "running", "completed", "failed"]
_OWN: Mapping[str, FeedStatus] = {
    "READY": "running",
    "RUNNING": "running",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELED": "failed",
}
_ACCOUNT, _FEED = "of_account", "of_feed"
_STAMPS = {"running": "started", "completed": "completed", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a feed is to be: its texts as they were sent, the nodes that they mean, and the table that these fill."""

    type: str
    name: str
    source: str | None
    destination: str | None
    properties: str | None
    schedule: str | None
    zone: str
    nodes: tuple[Mapping[str, Any], ...]
    table: TableName
    columns: Columns


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as it is now. `message` tells why it failed, or what somebody outside said."""

    feed_id: str
    job_id: str
    owner_id: str
    type: str
    name: str
    source: str | None
    destination: str | None
    properties: str | None
    schedule: str | None
    paused: bool
    status: FeedStatus
    message: str | None
    created_at: datetime
    last_started_at: datetime | None
    last_completed_at: datetime | None
    last_failed_at: datetime | None
    deleted_at: datetime | None


def create(con: Connection, principal: Principal, draft: Draft, *, owner_id: str, now: datetime) -> Feed:
    """Make a feed. Raises BadParameter with every problem of its nodes or its schedule."""
    feed_id = str(uuid.uuid4())
    job = jobs.create(con, principal, _job(feed_id, draft), now=now)
    values = {"feed_id": feed_id, "account_id": principal.account_id, "job_id": job.job_id, "owner_id": owner_id}
    trigger_id = _trigger(con, principal, feed_id, draft, now)
    con.execute(sa.insert(feeds).values(**values, **_columns(draft), trigger_id=trigger_id, created_at=now.timestamp()))
    warehouse.keep(con, principal.account_id, draft.table, draft.columns, now=now)
    return get(con, principal, feed_id)


def get(con: Connection, principal: Principal, feed_id: str, *, deleted: bool = False) -> Feed:
    """A feed, also one that is deleted when that is asked for. Raises NotFound."""
    found = con.execute(_one(), {_ACCOUNT: principal.account_id, _FEED: feed_id}).first()
    if found is None or (found.deleted_at is not None and not deleted):
        raise NotFound("job", feed_id)
    return _feed(found)


def list(con: Connection, principal: Principal, *, owner_id: str | None, limit: int, offset: int) -> tuple[Feed, ...]:
    """The feeds of an owner, or of all, that are not deleted; the newest first."""
    wanted = _feeds(_of_account()).where(feeds.c.deleted_at.is_(None))
    if owner_id is not None:
        wanted = wanted.where(feeds.c.owner_id == owner_id)
    ordered = wanted.order_by(feeds.c.created_at.desc(), feeds.c.feed_id).limit(limit).offset(offset)
    return tuple(map(_feed, con.execute(ordered, {_ACCOUNT: principal.account_id})))


def update(con: Connection, principal: Principal, feed_id: str, draft: Draft, *, now: datetime) -> Feed:
    """Make a feed another one; what runs already goes on as it was."""
    row = _row(con, principal, feed_id)
    jobs.update(con, principal, row.job_id, _job(feed_id, draft), partial=True, if_match=None, now=now)
    paused = False
    if row.trigger_id is not None:
        paused = triggers.get(con, principal, row.trigger_id).paused_at is not None
        con.execute(sa.update(feeds).where(feeds.c.feed_id == feed_id).values(trigger_id=None))
        triggers.delete(con, principal, row.trigger_id, now=now)
    trigger_id = _trigger(con, principal, feed_id, draft, now)
    if paused and trigger_id is not None:
        triggers.pause(con, principal, trigger_id, if_match=None, now=now)
    con.execute(sa.update(feeds).where(feeds.c.feed_id == feed_id).values(**_columns(draft), trigger_id=trigger_id))
    warehouse.keep(con, principal.account_id, draft.table, draft.columns, now=now)
    return get(con, principal, feed_id)


def delete(con: Connection, principal: Principal, feed_id: str, *, now: datetime) -> None:
    """Delete a feed; what it has filled stays. Raises BadState while it runs."""
    row = _row(con, principal, feed_id)
    jobs.delete(con, principal, row.job_id, now=now)
    con.execute(sa.update(feeds).where(feeds.c.feed_id == feed_id).values(deleted_at=now.timestamp()))
    if row.trigger_id is not None:
        triggers.delete(con, principal, row.trigger_id, now=now)


def start(con: Connection, principal: Principal, feed_id: str, *, now: datetime) -> str:
    """Run a feed now; gives the id of the execution. Raises BadState while it runs already.

    Whoever asks, it may touch what its owner may, and NotGranted says what that is not.
    """
    row = _row(con, principal, feed_id)
    # Two that start it at once are parted by the row of the job.
    jobs.locked(con, principal, row.job_id)
    if _active(con, row.job_id):
        raise BadState("the job runs already", hint="wait for its end, or cancel it")
    return _started(con, _as_owner(con, principal, row.owner_id), row.job_id, executions_of_jobs.Origin(), now)


def start_due(con: Connection, trigger: Trigger, *, now: datetime) -> dict[str, dict[str, str]]:
    """Run the feeds of a trigger whose instant has come; says of each what became of it, by its id."""
    using = and_(
        feeds.c.account_id == trigger.account_id,
        feeds.c.trigger_id == trigger.trigger_id,
        feeds.c.deleted_at.is_(None),
    )
    scheduler = Principal(trigger.account_id, f"trigger {trigger.name}", "", "manager")
    told: dict[str, dict[str, str]] = {}
    for row in con.execute(select(feeds.c.feed_id, feeds.c.job_id, feeds.c.owner_id).where(using)).all():
        try:
            with con.begin_nested():
                jobs.locked(con, scheduler, row.job_id)
                if _active(con, row.job_id):
                    told[row.feed_id] = {"skipped": "an earlier run of it has not ended"}
                    continue
                origin = executions_of_jobs.Origin(trigger.trigger_id, trigger.name)
                owner = _as_owner(con, scheduler, row.owner_id)
                told[row.feed_id] = {"executionId": _started(con, owner, row.job_id, origin, now)}
        except HeadraceError as error:
            told[row.feed_id] = {"failure": error.code, "message": str(error)}
    return told


def cancel(con: Connection, principal: Principal, feed_id: str, *, now: datetime) -> int:
    """Stop what waits and runs of a feed; gives how many that was. Raises BadState when there is nothing."""
    row = _row(con, principal, feed_id)
    active = _active(con, row.job_id)
    for execution_id in active:
        executions_of_jobs.cancel(con, principal, row.job_id, execution_id, now=now)
    if not active:
        raise BadState("the job does not run")
    return len(active)


def pause(con: Connection, principal: Principal, feed_id: str, *, paused: bool, now: datetime) -> Feed:
    """Let a feed's schedule rest, or go on. Raises BadState when it has none."""
    row = _row(con, principal, feed_id)
    if row.trigger_id is None:
        raise BadState("the job has no schedule")
    change = triggers.pause if paused else triggers.resume
    change(con, principal, row.trigger_id, if_match=None, now=now)
    return get(con, principal, feed_id)


def report(
    con: Connection, principal: Principal, feed_id: str, *, status: FeedStatus, message: str | None, now: datetime
) -> Feed:
    """Write down what somebody outside says of a feed."""
    _row(con, principal, feed_id)
    at = now.timestamp()
    stamp = {f"reported_{_STAMPS[status]}_at": at} if status in _STAMPS else {}
    values = {"reported_status": status, "reported_message": message, "reported_at": at, **stamp}
    con.execute(sa.update(feeds).where(feeds.c.feed_id == feed_id).values(values))
    return get(con, principal, feed_id)


def _job(feed_id: str, draft: Draft) -> dict[str, Any]:
    description = f"{draft.type} {draft.name}"
    return {"name": f"feed-{feed_id}", "type": "DATAFLOW", "description": description, "nodes": [*draft.nodes]}


def _columns(draft: Draft) -> dict[str, str | None]:
    return {
        "type": draft.type,
        "name": draft.name,
        "source": draft.source,
        "destination": draft.destination,
        "properties": draft.properties,
        "schedule": draft.schedule,
    }


def _trigger(con: Connection, principal: Principal, feed_id: str, draft: Draft, now: datetime) -> str | None:
    if draft.schedule is None:
        return None
    rule = {"type": "CRON", "cron": draft.schedule}
    sent = {"name": f"feed-{feed_id}", "type": "SCHEDULED", "triggerRule": rule, "timeZone": draft.zone}
    return triggers.create(con, principal, {**sent, "overlapPolicy": "SKIP"}, now=now).trigger_id


def _row(con: Connection, principal: Principal, feed_id: str) -> Row[Any]:
    this = and_(feeds.c.account_id == principal.account_id, feeds.c.feed_id == feed_id, feeds.c.deleted_at.is_(None))
    found = con.execute(select(feeds).where(this)).first()
    if found is None:
        raise NotFound("job", feed_id)
    return found


def _active(con: Connection, job_id: str) -> tuple[str, ...]:
    c = executions.c
    active = and_(c.job_id == job_id, c.status.in_(("READY", "RUNNING")))
    return tuple(con.scalars(select(c.execution_id).where(active)))


def _started(
    con: Connection, principal: Principal, job_id: str, origin: executions_of_jobs.Origin, now: datetime
) -> str:
    return executions_of_jobs.submit(con, principal, job_id, condition=None, parameters=None, origin=origin, now=now)


def _as_owner(con: Connection, principal: Principal, owner_id: str) -> Principal:
    """The caller, with the data of the feed's owner."""
    return replace(principal, grants=data_grants.of(con, principal.account_id, owner_id))


@cache
def _one() -> Select[Any]:
    """A feed: a statement that is made once, and looks at the executions of its job alone."""
    of_feed = feeds.c.feed_id == bindparam(_FEED)
    job_id = select(feeds.c.job_id).where(of_feed).scalar_subquery()
    return _feeds(and_(_of_account(), executions.c.job_id == job_id)).where(of_feed)


def _of_account() -> ColumnElement[bool]:
    return executions.c.account_id == bindparam(_ACCOUNT)


def _feeds(executed: ColumnElement[bool]) -> Select[Any]:
    """Feeds with what became of these executions."""
    e, last = executions.c, executions.alias("last")
    ends = (
        select(
            e.job_id,
            func.max(e.started_at).label("own_started_at"),
            func.max(case((e.status == "COMPLETED", e.ended_at))).label("own_completed_at"),
            func.max(case((e.status.in_(("FAILED", "CANCELED")), e.ended_at))).label("own_failed_at"),
        )
        .where(executed)
        .group_by(e.job_id)
        .subquery()
    )
    return (
        select(
            feeds,
            ends.c.own_started_at,
            ends.c.own_completed_at,
            ends.c.own_failed_at,
            func.coalesce(last.c.status, job_rows.c.last_execution_status).label("own_status"),
            func.coalesce(last.c.ended_at, last.c.created_at, job_rows.c.last_execution_at).label("own_at"),
            last.c.failure.label("own_failure"),
            trigger_rows.c.paused_at,
        )
        .join(job_rows, job_rows.c.job_id == feeds.c.job_id)
        .outerjoin(ends, ends.c.job_id == feeds.c.job_id)
        .outerjoin(last, last.c.execution_id == job_rows.c.last_execution_id)
        .outerjoin(trigger_rows, trigger_rows.c.trigger_id == feeds.c.trigger_id)
        .where(feeds.c.account_id == bindparam(_ACCOUNT))
    )


def _feed(row: Row[Any]) -> Feed:
    status, message = _told(row)
    same = {name: getattr(row, name) for name in Feed.__slots__ if name in row._fields}
    stamps = {
        f"last_{name}_at": moment(_later(row._mapping[f"own_{name}_at"], row._mapping[f"reported_{name}_at"]))
        for name in _STAMPS.values()
    }
    made = {"created_at": moment(row.created_at), "deleted_at": moment(row.deleted_at)}
    return Feed(**{**same, **stamps, **made, "paused": row.paused_at is not None, "status": status, "message": message})


def _told(row: Row[Any]) -> tuple[FeedStatus, str | None]:
    """What is shown: the later word of the two, and while it runs here that it does."""
    own: FeedStatus = _OWN.get(row.own_status or "", "new")
    if row.reported_at is not None and own != "running" and row.reported_at >= (row.own_at or 0.0):
        return row.reported_status, row.reported_message
    failure = row.own_failure if own == "failed" else None
    return own, None if failure is None else str(failure.get("message", ""))


def _later(one: float | None, other: float | None) -> float | None:
    known = [at for at in (one, other) if at is not None]
    return max(known, default=None)
