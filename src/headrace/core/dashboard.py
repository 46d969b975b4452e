"""How many executions there were, and how they ended: in a period, day by day, by the time of day.

An hour is summed up once all executions that were created in it have ended; what is not summed up yet is counted. One
that is removed before that is added to its hour. So figures are right at any moment, stay fast when there are a million
executions, and stay when old ones are removed.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate

import sqlalchemy as sa
from sqlalchemy import Connection, and_, func, select, update

from headrace.auth.principal import Principal
from headrace.db.tables import accounts, execution_hours, executions

HOUR = 3600
# The vendor's days end with the first moment of the next one, and so do our hours: a day is 24 of them.
_FIRST_SECOND = 1
# Clocks of servers may differ, and a transaction takes its time: what is so old comes no more.
_SETTLED_SECONDS = 600
_HOURS_AT_ONCE = 200
Span = tuple[float, float]
Hours = tuple[int, int]


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
    until = con.scalar(select(accounts.c.summed_until).where(accounts.c.account_id == account)) or 0
    parts = [_parts(span, until) for span in spans]
    whole = _summed(con, account, [each.whole for each in parts])
    return tuple(
        summed
        - sum((_counted(con, account, span) for span in each.over), Counts())
        + sum((_counted(con, account, span) for span in each.short), Counts())
        for each, summed in zip(parts, whole, strict=True)
    )


def sum_up(con: Connection, *, now: float) -> bool:
    """Sum up the next hours of an account for which that is due; whether there was one."""
    rows = con.execute(select(accounts.c.account_id, accounts.c.summed_until).with_for_update(skip_locked=True)).all()
    summed = [_sum_up(con, str(row.account_id), row.summed_until, now) for row in rows]
    return any(summed)


def remember(con: Connection, execution_ids: Sequence[str]) -> None:
    """Keep the figures of executions that are about to be removed, unless their hours have them already."""
    e = executions.c
    found = con.execute(select(e.account_id, e.created_at, e.status).where(e.execution_id.in_(execution_ids))).all()
    for account in sorted({str(row.account_id) for row in found}):
        a = accounts.c
        until = con.scalar(select(a.summed_until).where(a.account_id == account).with_for_update()) or 0
        added: dict[int, Counts] = {}
        for row in found:
            hour = hour_of(row.created_at)
            if row.account_id == account and hour >= until:
                one = Counts(1, int(row.status == "COMPLETED"), int(row.status == "FAILED"))
                added[hour] = added.get(hour, Counts()) + one
        _add(con, account, added)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A span as whole hours, less what of them is before it, and with what has to be counted."""

    whole: Hours
    over: tuple[Span, ...]
    short: tuple[Span, ...]


def _parts(span: Span, until: int) -> _Parts:
    first, last = hour_of(span[0]), hour_of(span[1])
    if first >= until:
        return _Parts((first, last), (), (span,))
    over = ((begin(first), span[0]),) if span[0] > begin(first) else ()
    if last >= until:
        return _Parts((first, last), over, ((begin(until), span[1]),) if span[1] > begin(until) else ())
    return _Parts((first, last), over, ((begin(last), span[1]),) if span[1] > begin(last) else ())


def hour_of(at: float) -> int:
    """The hour of a moment, counted from 1970."""
    return int((at - _FIRST_SECOND) // HOUR)


def begin(hour: int) -> float:
    """The first moment of an hour."""
    return float(hour * HOUR + _FIRST_SECOND)


def _summed(con: Connection, account: str, wanted: Sequence[Hours]) -> Sequence[Counts]:
    """The figures of many spans out of one look at the hours; of a single one the database makes the sum."""
    h = execution_hours.c
    figures = (h.total, h.completed, h.failed)
    first, last = min((hours[0] for hours in wanted if hours[1]), default=0), max((h[1] for h in wanted), default=0)
    mine = and_(h.account_id == account, h.hour >= first, h.hour < last)
    if len(wanted) == 1:
        row = con.execute(select(*(func.coalesce(func.sum(each), 0) for each in figures)).where(mine)).one()
        return [Counts(*map(int, row))]
    rows = con.execute(select(h.hour, *figures).where(mine).order_by(h.hour)).all()
    hours, *columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    sums = [tuple(accumulate(column, initial=0)) for column in columns]
    places = [(bisect_left(hours, first), bisect_left(hours, last)) for first, last in wanted]
    return [Counts(*(each[after] - each[before] for each in sums)) for before, after in places]


def _counted(con: Connection, account: str, span: Span) -> Counts:
    e = executions.c
    figures = (func.count(), *(func.count().filter(e.status == status) for status in ("COMPLETED", "FAILED")))
    inside = and_(e.account_id == account, e.created_at >= span[0], e.created_at < span[1])
    return Counts(*map(int, con.execute(select(*figures).select_from(executions).where(inside)).one()))


def _sum_up(con: Connection, account: str, summed: int | None, now: float) -> bool:
    e = executions.c
    mine = e.account_id == account
    first = summed
    if first is None:
        begun = con.scalar(select(func.min(e.created_at)).where(mine))
        if begun is None:
            return False
        first = hour_of(begun)
    oldest = min([now - _SETTLED_SECONDS, *_unended(con, account)])
    until = min(hour_of(oldest), first + _HOURS_AT_ONCE)
    if until <= first:
        return False
    found = {hour: _counted(con, account, (begin(hour), begin(hour + 1))) for hour in range(first, until)}
    _add(con, account, {hour: each for hour, each in found.items() if each.total})
    con.execute(update(accounts).where(accounts.c.account_id == account).values(summed_until=until))
    return True


def _add(con: Connection, account: str, added: Mapping[int, Counts]) -> None:
    """Add to hours, of which some may have something already. Whoever does so holds the row of the account."""
    h = execution_hours.c
    mine = and_(h.account_id == account, h.hour.in_(added))
    before = {
        row.hour: Counts(row.total, row.completed, row.failed)
        for row in con.execute(select(execution_hours).where(mine))
    }
    for hour, found in before.items():
        told = asdict(found + added[hour])
        con.execute(update(execution_hours).where(h.account_id == account, h.hour == hour).values(told))
    new = [{"account_id": account, "hour": hour, **asdict(each)} for hour, each in added.items() if hour not in before]
    if new:
        con.execute(sa.insert(execution_hours), new)


def _unended(con: Connection, account: str) -> list[float]:
    """The oldest of those that wait and of those that run."""
    e = executions.c
    oldest = [
        con.scalar(select(func.min(e.created_at)).where(e.account_id == account, e.status == status))
        for status in ("READY", "RUNNING")
    ]
    return [at for at in oldest if at is not None]
