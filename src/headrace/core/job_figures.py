"""How the executions of each job went in a period: how they ended, how long they ran and waited, how many rows.

What has ended is added to the hour and to the day in which it was created, once it is old enough that nothing earlier
comes any more; what is not added yet is looked at. One that is removed before that is added then. So figures are right
at any moment, stay fast when there are a million executions, and stay when old ones are removed.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, update

from headrace.auth.principal import Principal
from headrace.core import spreads
from headrace.core.dashboard import Span, begin, hour_of
from headrace.core.paging import Page
from headrace.core.spreads import Spread
from headrace.db.tables import accounts, executions, job_figures, jobs
from headrace.errors import NotFound

# Clocks of servers may differ, and a transaction takes its time: what ended so long ago is all there.
_SETTLED_SECONDS = 600
_AT_ONCE = 5000
DAY_HOURS = 24
# Days begin at midnight where the vendor is.
_HOURS_AHEAD = 9
_ALL = 2**62
_Key = tuple[str, int, int, str]
_KEY = tuple(job_figures.c[name] for name in ("account_id", "hours", "first_hour", "job_id"))
_ENDED_COLUMNS = tuple(
    executions.c[name]
    for name in (
        "account_id",
        "job_id",
        "status",
        "created_at",
        "started_at",
        "ended_at",
        "rows_read",
        "rows_written",
    )
)
_COUNTS = ("total", "completed", "failed", "canceled", "rows_read", "rows_written")


@dataclass(slots=True)
class Figures:
    """What is known of some executions; what is in none of the three ends waits or runs.

    `ran` is of those that completed, `waited` of those that ended and had begun.
    """

    total: int = 0
    completed: int = 0
    failed: int = 0
    canceled: int = 0
    rows_read: int = 0
    rows_written: int = 0
    ran: Spread = 0
    waited: Spread = 0

    def count(self, row: Any, sign: int = 1) -> None:
        """Add an execution that has ended, or take it away."""
        self.total += sign
        self.rows_read += sign * (row.rows_read or 0)
        self.rows_written += sign * (row.rows_written or 0)
        if row.status == "COMPLETED":
            self.completed += sign
            self.ran += sign * spreads.of(row.ended_at - row.started_at)
        elif row.status == "FAILED":
            self.failed += sign
        else:
            self.canceled += sign
        if row.started_at is not None:
            self.waited += sign * spreads.of(row.started_at - row.created_at)

    def add(self, row: Any) -> None:
        """Add what is kept of an hour or a day."""
        self.add_counts(row)
        self.add_spreads(row)

    def add_counts(self, row: Any) -> None:
        """Add what is kept of hours and days, but for the times."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + int(getattr(row, name)))

    def add_spreads(self, row: Any) -> None:
        """Add the times that are kept of an hour or a day."""
        self.ran += spreads.unpacked(row.ran)
        self.waited += spreads.unpacked(row.waited)


@dataclass(frozen=True, slots=True)
class OfJob:
    """The figures of a job."""

    job_id: str
    job_name: str
    figures: Figures


def of_jobs(con: Connection, principal: Principal, span: Span, *, page: Page) -> tuple[tuple[OfJob, ...], int]:
    """The jobs of a page that had executions in a span of time, the busiest first; and how many there are in all.

    The span is from its first moment on and without its last, in seconds since 1970.
    """
    account = principal.account_id
    found = _looked_at(con, account, span, None)
    parts = _parts(*_whole(span))
    for sums in con.execute(_kept_counts(account, parts)):
        found[sums.job_id].add_counts(sums)
    busy = sorted((job for job, each in found.items() if each.total > 0), key=lambda job: (-found[job].total, job))
    shown = busy[page.first : page.first + page.rows]
    f = job_figures.c
    kept = select(f.job_id, f.ran, f.waited).where(_inside(account, parts), f.job_id.in_(shown))
    for row in con.execute(kept) if shown else ():
        found[row.job_id].add_spreads(row)
    named = select(jobs.c.job_id, jobs.c.name).where(jobs.c.job_id.in_(shown))
    names = {row.job_id: str(row.name) for row in con.execute(named)}
    return tuple(OfJob(job, names.get(job, ""), found[job]) for job in shown), len(busy)


def of_job(
    con: Connection, principal: Principal, job_id: str, span: Span, *, first: int, hours: int, points: int
) -> tuple[OfJob, tuple[Figures, ...]]:
    """The figures of a job in a span, and in each of so many times of one hour or 24 from this first hour on.

    Raises NotFound.
    """
    j, f = jobs.c, job_figures.c
    this = and_(j.account_id == principal.account_id, j.job_id == job_id)
    name = con.scalar(select(j.name).where(this))
    if name is None:
        raise NotFound("job", job_id)
    account = principal.account_id
    whole = _looked_at(con, account, span, job_id)[job_id]
    kept = select(*_kept_columns()).where(_inside(account, _parts(*_whole(span))), f.job_id == job_id)
    for row in con.execute(kept):
        whole.add(row)
    each = defaultdict[int, Figures](Figures)
    mine = and_(f.account_id == account, f.hours == hours, f.first_hour >= first, f.job_id == job_id)
    for row in con.execute(select(*_kept_columns()).where(mine, f.first_hour < first + hours * points)):
        each[row.first_hour].add(row)
    _add_fresh(con, account, job_id, each, (begin(first), begin(first + hours * points)), hours)
    return OfJob(job_id, str(name), whole), tuple(each[first + hours * number] for number in range(points))


def start_of(hour: int, hours: int) -> int:
    """The first hour of the one hour, or the 24 of a day, that an hour lies in."""
    return hour if hours == 1 else hour - (hour + _HOURS_AHEAD) % DAY_HOURS


def sum_up(con: Connection, *, now: float) -> bool:
    """Add the next ones that have ended; whether there were some. What another server is just at is left to it."""
    held = con.execute(select(accounts.c.account_id).with_for_update(skip_locked=True)).all()
    if len(held) < (con.scalar(select(func.count()).select_from(accounts)) or 0):
        return False
    e, first, end = executions.c, _until(con), now - _SETTLED_SECONDS
    due = select(e.ended_at).where(e.ended_at >= first, e.ended_at < end).order_by(e.ended_at)
    beyond = con.scalar(due.offset(_AT_ONCE).limit(1))
    if beyond is not None:
        # Those of one moment are added together, however many they are.
        end = beyond if beyond > first else math.nextafter(first, math.inf)
    found = con.execute(select(*_ENDED_COLUMNS).where(e.ended_at >= first, e.ended_at < end)).all()
    if found:
        _keep(con, found)
        con.execute(update(accounts).values(figures_until=end))
    return bool(found)


def remember(con: Connection, execution_ids: Sequence[str]) -> None:
    """Keep the figures of executions that have ended and are about to be removed, unless they are kept already."""
    con.execute(select(accounts.c.account_id).order_by(accounts.c.account_id).with_for_update())
    mine = and_(executions.c.execution_id.in_(execution_ids), executions.c.ended_at >= _until(con))
    _keep(con, con.execute(select(*_ENDED_COLUMNS).where(mine)).all())


def _looked_at(con: Connection, account: str, span: Span, job_id: str | None) -> defaultdict[str, Figures]:
    """By job: what is not kept yet, and what the whole hours of a span have too much or not."""
    found = defaultdict[str, Figures](Figures)
    first, last = _whole(span)
    until = _until(con)
    kept = executions.c.ended_at < until
    for part, sign in (((begin(first), span[0]), -1), ((begin(last), span[1]), 1)):
        for row in con.execute(_ended(account, part, kept, job_id)) if part[0] < part[1] else ():
            found[row.job_id].count(row, sign)
    for row in con.execute(_fresh(until, account, span, job_id)):
        found[row.job_id].count(row)
    for job, count in con.execute(_unended(account, span, job_id, "job_id")):
        found[job].total += count
    return found


def _add_fresh(
    con: Connection, account: str, job_id: str, each: defaultdict[int, Figures], span: Span, hours: int
) -> None:
    """Add what is not kept yet."""
    for row in con.execute(_fresh(_until(con), account, span, job_id)):
        each[start_of(hour_of(row.created_at), hours)].count(row)
    for at, count in con.execute(_unended(account, span, job_id, "created_at")):
        each[start_of(hour_of(at), hours)].total += count


def _until(con: Connection) -> float:
    """What ended before that is kept, of all accounts."""
    return con.scalar(select(func.max(accounts.c.figures_until))) or 0.0


def _whole(span: Span) -> tuple[int, int]:
    return hour_of(span[0]), hour_of(span[1])


def _parts(first: int, last: int) -> tuple[tuple[int, int, int], ...]:
    """Hours as days and what is left of them at both ends: how many hours each has, its first hour, its end."""
    day, end = start_of(first + DAY_HOURS - 1, DAY_HOURS), start_of(last, DAY_HOURS)
    parts = ((1, first, day), (DAY_HOURS, day, end), (1, end, last)) if day < end else ((1, first, last),)
    return tuple(part for part in parts if part[1] < part[2])


def _inside(account: str, parts: Iterable[tuple[int, int, int]]) -> ColumnElement[bool]:
    f = job_figures.c
    spans = [and_(f.hours == hours, f.first_hour >= first, f.first_hour < end) for hours, first, end in parts]
    return and_(f.account_id == account, sa.or_(sa.false(), *spans))


def _kept_columns() -> list[ColumnElement[Any]]:
    f = job_figures.c
    return [f.first_hour, *(f[name] for name in _COUNTS), f.ran, f.waited]


def _kept_counts(account: str, parts: Iterable[tuple[int, int, int]]) -> sa.Select[Any]:
    f = job_figures.c
    sums = [func.sum(f[name]).label(name) for name in _COUNTS]
    return select(f.job_id, *sums).where(_inside(account, parts)).group_by(f.job_id)


def _ended(account: str, span: Span, which: ColumnElement[bool], job_id: str | None) -> sa.Select[Any]:
    return select(*_ENDED_COLUMNS).where(_created(executions.c, account, span, job_id), which)


def _fresh(until: float, account: str, span: Span, job_id: str | None) -> sa.Select[Any]:
    """Those that are not kept yet. They are few: a limit has the database look for them by nothing but their end."""
    lately = select(*_ENDED_COLUMNS).where(executions.c.ended_at >= until).limit(_ALL).subquery()
    return select(lately).where(_created(lately.c, account, span, job_id))


def _unended(account: str, span: Span, job_id: str | None, by: str) -> sa.Select[Any]:
    e = executions.c
    here = (e.account_id, e.job_id, e.created_at)
    waiting = select(*here).where(e.ended_at.is_(None)).limit(_ALL).subquery()
    found = select(waiting.c[by], func.count()).where(_created(waiting.c, account, span, job_id))
    return found.group_by(waiting.c[by])


def _created(e: Any, account: str, span: Span, job_id: str | None) -> ColumnElement[bool]:
    inside = and_(e.account_id == account, e.created_at >= span[0], e.created_at < span[1])
    return inside if job_id is None else and_(inside, e.job_id == job_id)


def _keep(con: Connection, rows: Collection[Row[Any]]) -> None:
    """Add to hours and days, of which some may have something already. Whoever does so holds the rows of accounts."""
    added = defaultdict[_Key, Figures](Figures)
    for row in rows:
        hour = hour_of(row.created_at)
        for hours in (1, DAY_HOURS):
            added[str(row.account_id), hours, start_of(hour, hours), str(row.job_id)].count(row)
    f = job_figures.c
    near = and_(f.first_hour.in_({key[2] for key in added}), f.job_id.in_({key[3] for key in added}))
    known = set[_Key]()
    for row in con.execute(select(*_KEY, *_kept_columns()).where(near)) if added else ():
        key = (row.account_id, row.hours, row.first_hour, row.job_id)
        if key in added:
            added[key].add(row)
            known.add(key)
    told = [({f"of_{c.name}": value for c, value in zip(_KEY, key, strict=True)}, key) for key in added]
    changed = [{**this, **_values(added[key])} for this, key in told if key in known]
    if changed:
        con.execute(_changed(), changed)
    new = [
        {**dict(zip((c.name for c in _KEY), key, strict=True)), **_values(added[key])} for key in added.keys() - known
    ]
    if new:
        con.execute(sa.insert(job_figures), new)


def _changed() -> sa.Update:
    this = and_(*(column == sa.bindparam(f"of_{column.name}") for column in _KEY))
    return update(job_figures).where(this)


def _values(figures: Figures) -> dict[str, Any]:
    times = {"ran": spreads.packed(figures.ran), "waited": spreads.packed(figures.waited)}
    return {**{name: getattr(figures, name) for name in _COUNTS}, **times}
