"""A schedule as a sentence, for people."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from headrace.recurrence import cron
from headrace.recurrence.rules import DAYS, LAST, Cron, Daily, Day, Every, Hourly, Monthly, Never, Once, Rule, Schedule
from headrace.recurrence.rules import Weekly as Weeks

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_SHORT_MONTHS = 28


def in_words(schedule: Schedule) -> str:
    """Like `every Monday and Friday at 09:30, Asia/Seoul, until 2026-12-31 00:00`."""
    rule = schedule.rule
    told = [_rule(rule)]
    if not isinstance(rule, Never | Every):
        told.append(schedule.zone.key)
    told += [
        f"{word} {_moment(bound.astimezone(schedule.zone))}"
        for word, bound in (("from", schedule.start), ("until", schedule.end))
        if bound is not None
    ]
    return ", ".join(told)


def _rule(rule: Rule) -> str:
    match rule:
        case Hourly(minute):
            return f"every hour at minute {minute:02}"
        case Daily(at):
            return f"every day at {_time(at)}"
        case Weeks(at, days):
            return f"every {_days(days)} at {_time(at)}"
        case Monthly(at, day):
            return f"{_day_of_month(day)} at {_time(at)}"
        case Once(at):
            return f"once, on {_moment(at)}"
        case Never():
            return "not by time"
        case Cron(expression):
            return f"{cron.in_words(expression)} ({expression})"
        case Every(interval, _):
            return f"every {_interval(interval)}"


def _day_of_month(day: int) -> str:
    if day == LAST:
        return "on the last day of every month"
    return f"on day {day} of every month" + (" that has it" if day > _SHORT_MONTHS else "")


def _days(days: Iterable[Day]) -> str:
    names = [day.capitalize() for day in DAYS if day in set(days)]
    if len(names) == len(DAYS):
        return "day of the week"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _interval(interval: timedelta) -> str:
    left = int(interval.total_seconds())
    told: list[str] = []
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            told.append(unit if count == 1 and not told and not left else f"{count} {unit}{'s' * (count > 1)}")
    return " ".join(told)


def _time(at: time) -> str:
    return at.isoformat("seconds" if at.second else "minutes")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d} {_time(at.time())}"
