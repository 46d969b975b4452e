"""The statistics of the dashboard (API reference, section 3), as the documentation of 2025 has them.

Dates come without an offset and are Korean time. A day is from its first second to midnight, which is the next day's;
what is told of times of day is cut in the same way.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from fastapi import Request, Response

from headrace.api.call import call_of
from headrace.api.naver.answers import answered
from headrace.api.naver.dates import KST
from headrace.api.naver.reading import text_of, unknown_query
from headrace.core import dashboard
from headrace.core.dashboard import Counts, Span
from headrace.errors import BadParameter, Problem

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_SLOT_HOURS = 2
_MOST_POINTS = 1000
_QUERY = ("startDate", "endDate")


def get_execution_count(request: Request) -> Response:
    """View how many executions there were in a period, and how they ended."""
    start, end = period_of(request)
    (found,) = _counts(request, [(start.timestamp(), (end + _SECOND).timestamp())])
    told = {"totalCount": found.total, "completedCount": found.completed, "failedCount": found.failed}
    return answered(told, warnings=unknown_query(request, _QUERY))


def get_execution_count_by_interval(request: Request) -> Response:
    """View how many executions there were on each day of a period."""
    start, end = period_of(request)
    # A period that ends with midnight ends with the day before, whose last moment that is.
    first, last = _midnight(start), _midnight(max(start, end - _SECOND))
    count = (last - first) // _DAY + 1
    if count > _MOST_POINTS:
        raise wrong(f"is {count} days after startDate; at most {_MOST_POINTS} are told", "endDate")
    days = [first + number * _DAY for number in range(count)]
    spans = [((day + _SECOND).timestamp(), (day + _DAY + _SECOND).timestamp()) for day in days]
    result = [
        {"totalCount": found.total, "startDate": plainly(day + _SECOND), "endDate": plainly(day + _DAY)}
        for day, found in zip(days, _counts(request, spans), strict=True)
    ]
    return answered({"result": result}, warnings=unknown_query(request, _QUERY))


def get_execution_times(request: Request) -> Response:
    """View when executions were started: a point for each two hours of a period, or for more when it is long."""
    start, end = period_of(request)
    hours = _SLOT_HOURS
    while (end - start) / timedelta(hours=hours) > _MOST_POINTS:
        hours *= 2
    slot = timedelta(hours=hours)
    first = _midnight(start) + (start - _midnight(start)) // slot * slot
    points = [first + number * slot for number in range((end - first) // slot + 1)]
    spans = [((point + _SECOND).timestamp(), (point + slot + _SECOND).timestamp()) for point in points]
    result = [
        {"time": int(point.timestamp()) * 1000, "value": found.total}
        for point, found in zip(points, _counts(request, spans), strict=True)
    ]
    return answered({"result": result}, warnings=unknown_query(request, _QUERY))


def _counts(request: Request, spans: Sequence[Span]) -> Sequence[Counts]:
    call = call_of(request)
    with call.server.database.reading(steady=True) as con:
        return dashboard.counts(con, call.principal, spans)


def period_of(request: Request) -> tuple[datetime, datetime]:
    """The period that is asked for, both ends in it. Raises BadParameter with all problems."""
    problems: list[Problem] = []
    start, end = (_date(text_of(request, name), name, problems) for name in _QUERY)
    if start is None or end is None:
        raise BadParameter(problems)
    if end < start:
        raise wrong("is before startDate", "endDate")
    return start, end


def _date(text: str | None, name: str, problems: list[Problem]) -> datetime | None:
    hint = "write it like 2025-06-01T00:00:00, in Korean time"
    try:
        if text is None:
            problems.append(Problem("missing", "is required", hint, field=name))
        elif _DATE.fullmatch(text) and 1970 <= int(text[:4]) <= 9000:
            return datetime.fromisoformat(text).replace(tzinfo=KST)
        else:
            raise ValueError
    except ValueError:
        problems.append(Problem("bad-value", f"{(text or '')[:40]!r} is not a date and time", hint, field=name))
    return None


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def plainly(at: datetime) -> str:
    """A moment in Korean time, without an offset."""
    return at.replace(tzinfo=None).isoformat(timespec="seconds")


def wrong(message: str, field: str) -> BadParameter:
    """A parameter of the query that can't be."""
    return BadParameter([Problem("bad-value", message, field=field)])
