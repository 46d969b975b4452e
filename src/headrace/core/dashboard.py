"""How many executions there were, and how they ended: in a period, day by day, by the time of day.

An hour is summed up once all executions that were created in it have ended; what is not summed up yet is counted. So
figures are right at any moment, stay fast when there are a million executions, and stay when old ones are removed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy import CTE, Connection, FromClause, and_, func, select, update

from headrace.auth.principal import Principal
from headrace.db.tables import accounts, execution_hours, executions

HOUR = 3600
# Clocks of servers may differ, and a transaction takes its time: what is so old comes no more.
_SETTLED_SECONDS = 600
_HOURS_AT_ONCE = 200
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Counts:
    """Executions by their creation; what is in neither of the other two waits, runs, or was cancelled."""

    total: int = 0
    completed: int = 0
    failed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.total + other.total, self.completed + other.completed, self.failed + other.failed)

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(self.total - other.total, self.completed - other.completed, self.failed - other.failed)


def counts(con: Connection, principal: Principal, spans: Sequence[Span]) -> tuple[Counts, ...]:
    """The figures of spans of time, each from its first moment on and without its last, in seconds since 1970.

    Of an hour whose executions were removed, only the whole hour is known.
    """
    account = principal.account_id
    until = (con.scalar(select(accounts.c.summed_until).where(accounts.c.account_id == account)) or 0) * HOUR
    edges = sorted({_floor(edge) for span in spans for edge in span if edge <= until} | {float(until)})
    summed = dict(zip(pairwise(edges), _summed(con, account, [*pairwise(edges)]), strict=True))
    before = {edges[0]: Counts()} if edges else {}
    for span, found in summed.items():
        before[span[1]] = before[span[0]] + found
    parts = [_parts(span, float(until)) for span in spans]
    counted = iter(_counted(con, account, [part for each in parts for part in (*each.over, *each.short)]))
    told = []
    for each in parts:
        whole = before[each.whole[1]] - before[each.whole[0]] if each.whole is not None else Counts()
        over = sum((next(counted) for _ in each.over), Counts())
        short = sum((next(counted) for _ in each.short), Counts())
        told.append(whole - over + short)
    return tuple(told)


def sum_up(con: Connection, *, now: float) -> bool:
    """Sum up the next hours of an account for which that is due; whether there was one."""
    rows = con.execute(select(accounts.c.account_id, accounts.c.summed_until).with_for_update(skip_locked=True)).all()
    summed = [_sum_up(con, str(row.account_id), row.summed_until, now) for row in rows]
    return any(summed)


def summed_until(con: Connection, account_id: str) -> float:
    """The moment before which nothing is counted any more: what was created before may be removed."""
    found = con.scalar(select(accounts.c.summed_until).where(accounts.c.account_id == account_id))
    return float((found or 0) * HOUR)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A span as whole hours that are summed up, less what of them is before or over, and with what is counted."""

    whole: Span | None
    over: tuple[Span, ...]
    short: tuple[Span, ...]


def _parts(span: Span, until: float) -> _Parts:
    first, last = span
    if first >= until:
        return _Parts(None, (), (span,))
    over = ((_floor(first), first),) if first > _floor(first) else ()
    if last > until:
        return _Parts((_floor(first), until), over, ((until, last),))
    short = ((_floor(last), last),) if last > _floor(last) else ()
    return _Parts((_floor(first), _floor(last)), over, short)


def _floor(at: float) -> float:
    return float(at // HOUR * HOUR)


def _summed(con: Connection, account: str, spans: Sequence[Span]) -> list[Counts]:
    h = execution_hours.c
    figures = (func.sum(h.total), func.sum(h.completed), func.sum(h.failed))

    def inside(spans: CTE) -> sa.ColumnElement[bool]:
        hour = h.hour * HOUR
        return and_(h.account_id == account, h.hour >= spans.c.first / HOUR, hour < spans.c.last)

    return _over(con, execution_hours, figures, inside, spans)


def _counted(con: Connection, account: str, spans: Sequence[Span]) -> list[Counts]:
    e = executions.c
    figures = (
        func.count(e.created_at),
        func.count(e.created_at).filter(e.status == "COMPLETED"),
        func.count(e.created_at).filter(e.status == "FAILED"),
    )

    def inside(spans: CTE) -> sa.ColumnElement[bool]:
        return and_(e.account_id == account, e.created_at >= spans.c.first, e.created_at < spans.c.last)

    return _over(con, executions, figures, inside, spans)


def _over(
    con: Connection,
    table: FromClause,
    figures: Sequence[sa.ColumnElement[int]],
    inside: Callable[[CTE], sa.ColumnElement[bool]],
    spans: Sequence[Span],
) -> list[Counts]:
    """The figures of all spans in one statement."""
    if not spans:
        return []
    names = (sa.column("place", sa.Integer), sa.column("first", sa.Double), sa.column("last", sa.Double))
    rows = [(place, *span) for place, span in enumerate(spans)]
    wanted = sa.values(*names, name="spans").data(rows).cte("spans")
    found = select(wanted.c.place, *figures).join_from(wanted, table, inside(wanted)).group_by(wanted.c.place)
    by_place = {place: Counts(*map(int, told)) for place, *told in con.execute(found)}
    return [by_place.get(place, Counts()) for place in range(len(spans))]


def _sum_up(con: Connection, account: str, summed: int | None, now: float) -> bool:
    e = executions.c
    mine = e.account_id == account
    first = summed
    if first is None:
        begun = con.scalar(select(func.min(e.created_at)).where(mine))
        if begun is None:
            return False
        first = int(begun // HOUR)
    oldest = min([now - _SETTLED_SECONDS, *_unended(con, account)])
    until = min(int(oldest // HOUR), first + _HOURS_AT_ONCE)
    if until <= first:
        return False
    hours = range(first, until)
    found = _counted(con, account, [(hour * HOUR, (hour + 1) * HOUR) for hour in hours])
    rows = [
        {"account_id": account, "hour": hour, "total": each.total, "completed": each.completed, "failed": each.failed}
        for hour, each in zip(hours, found, strict=True)
        if each.total
    ]
    if rows:
        con.execute(sa.insert(execution_hours), rows)
    con.execute(update(accounts).where(accounts.c.account_id == account).values(summed_until=until))
    return True


def _unended(con: Connection, account: str) -> list[float]:
    """The oldest of those that wait and of those that run."""
    e = executions.c
    oldest = [
        con.scalar(select(func.min(e.created_at)).where(e.account_id == account, e.status == status))
        for status in ("READY", "RUNNING")
    ]
    return [at for at in oldest if at is not None]
