"""The instants of a schedule, in UTC, one after another."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from headrace.recurrence import cron, zones
from headrace.recurrence.rules import DAYS, LAST, Cron, Daily, Every, Hourly, Monthly, Never, Once, Schedule, Weekly

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
# A day of every month comes within two of them, and 29 February within eight years; weekdays within one week.
_MOST_DAYS = 8 * 366 + 31
# So far from the last date that there is that a search can't go over it.
_END_OF_TIME = datetime(9980, 1, 1, tzinfo=UTC)


def after(schedule: Schedule, instant: datetime) -> datetime | None:
    """The first instant later than this one; None when none is left."""
    if schedule.start is not None and instant < schedule.start:
        instant = schedule.start - timedelta(microseconds=1)
    found = _after(schedule, instant) if instant < _END_OF_TIME else None
    return None if found is None or (schedule.end is not None and found > schedule.end) else found


def upcoming(schedule: Schedule, instant: datetime, *, most: int) -> tuple[datetime, ...]:
    """The next instants later than this one, at most so many."""
    return tuple(islice(_onwards(schedule, instant), most))


def between(schedule: Schedule, first: datetime, last: datetime, *, most: int) -> tuple[datetime, ...]:
    """The instants later than `first` and not later than `last`, at most so many, the earliest first."""
    found = islice(_onwards(schedule, first), most)
    return tuple(instant for instant in found if instant <= last)


def _onwards(schedule: Schedule, instant: datetime) -> Iterator[datetime]:
    found = after(schedule, instant)
    while found is not None:
        yield found
        found = after(schedule, found)


def _after(schedule: Schedule, instant: datetime) -> datetime | None:
    zone = schedule.zone
    match schedule.rule:
        case Never():
            return None
        case Once(at):
            found = zones.instant(at, zone)
            return found if found > instant else None
        case Every(interval, anchor):
            passed = max(0, (instant - anchor) // interval + 1)
            return anchor + passed * interval
        case Cron(expression):
            return cron.after(expression, zone, instant)
        case Hourly(minute):
            return _at_minute(minute, zone, instant)
        case Daily(at):
            return _on_days(at, lambda _: True, zone, instant)
        case Weekly(at, days):
            return _on_days(at, lambda day: DAYS[day.weekday()] in days, zone, instant)
        case Monthly(at, number):
            return _on_days(at, lambda day: _is_day(day, number), zone, instant)


def _at_minute(minute: int, zone: ZoneInfo, instant: datetime) -> datetime:
    """The clock may be moved by other than whole hours, so every minute is looked at; there are few."""
    found = instant.replace(second=0, microsecond=0) + _MINUTE
    while found.astimezone(zone).minute != minute:
        found += _MINUTE
    return found


def _on_days(at: time, wanted: Callable[[date], bool], zone: ZoneInfo, instant: datetime) -> datetime | None:
    """From the day before on: a time that was moved comes a day late at most."""
    day = instant.astimezone(zone).date() - _DAY
    for _ in range(_MOST_DAYS):
        if wanted(day):
            found = zones.instant(datetime.combine(day, at), zone)
            if found > instant:
                return found
        day += _DAY
    return None


def _is_day(day: date, number: int) -> bool:
    return (day + _DAY).day == 1 if number == LAST else day.day == number
