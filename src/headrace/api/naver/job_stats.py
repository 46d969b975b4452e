"""The statistics of single jobs, beside the vendor's three: how they ended, how long they ran and waited, their rows.

Periods, days and hours are those of the vendor's statistics (`stats`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request, Response

from headrace.api.call import call_of
from headrace.api.naver.answers import answered, listed
from headrace.api.naver.dates import KST
from headrace.api.naver.jobs import permit_job
from headrace.api.naver.reading import page_of, text_of, unknown_query
from headrace.api.naver.stats import period_of, plainly, wrong
from headrace.core import job_figures
from headrace.core.dashboard import Span, begin, hour_of
from headrace.core.job_figures import DAY_HOURS, Figures, OfJob, start_of
from headrace.core.spreads import Spread, quantiles

_SECOND = timedelta(seconds=1)
_INTERVALS = {"DAY": DAY_HOURS, "HOUR": 1}
_MOST_POINTS = 1000
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def get_job_stats(request: Request) -> Response:
    """View how the executions of a period went, job by job, the busiest first."""
    call, page = call_of(request), page_of(request)
    span = _span(*period_of(request))
    with call.server.database.reading(steady=True) as con:
        rows, count = job_figures.of_jobs(con, call.principal, span, page=page)
    told = listed([_of_job(row) for row in rows], count=count, page=page)
    return answered(told, warnings=unknown_query(request, ("startDate", "endDate", "page", "limit")))


def get_job_stats_by_interval(request: Request, jobId: str) -> Response:
    """View how the executions of a job went in a period, and in each day or hour of it."""
    call = call_of(request)
    with call.server.database.reading(steady=True) as con:
        permit_job(con, call, jobId)
        span, first, hours, points = _intervals(request)
        found, each = job_figures.of_job(con, call.principal, jobId, span, first=first, hours=hours, points=points)
    result = [{**_of(figures), **_bounds(first + hours * number, hours)} for number, figures in enumerate(each)]
    known = ("startDate", "endDate", "interval")
    return answered({**_of_job(found), "result": result}, warnings=unknown_query(request, known))


def _intervals(request: Request) -> tuple[Span, int, int, int]:
    """The period, the first hour of its intervals, the hours of each, and how many they are."""
    start, end = period_of(request)
    hours = _hours(request)
    # A period that begins or ends with midnight has no moment of the day before, or after.
    first, last = (start_of(hour_of(at.timestamp()), hours) for at in (start + _SECOND, max(end, start + _SECOND)))
    points = (last - first) // hours + 1
    if points > _MOST_POINTS:
        raise wrong(f"makes {points} intervals; at most {_MOST_POINTS} are told", "endDate")
    return _span(start, end), first, hours, points


def _span(start: datetime, end: datetime) -> Span:
    return start.timestamp(), (end + _SECOND).timestamp()


def _hours(request: Request) -> int:
    text = text_of(request, "interval") or "DAY"
    if text not in _INTERVALS:
        raise wrong(f"{text[:40]!r} is neither {' nor '.join(_INTERVALS)}", "interval")
    return _INTERVALS[text]


def _bounds(hour: int, hours: int) -> Mapping[str, str]:
    first, end = (datetime.fromtimestamp(begin(at), KST) for at in (hour, hour + hours))
    return {"startDate": plainly(first), "endDate": plainly(end - _SECOND)}


def _of_job(found: OfJob) -> dict[str, Any]:
    return {"jobId": found.job_id, "jobName": found.job_name, **_of(found.figures)}


def _of(figures: Figures) -> dict[str, Any]:
    return {
        "totalCount": figures.total,
        "completedCount": figures.completed,
        "failedCount": figures.failed,
        "canceledCount": figures.canceled,
        "rowsRead": figures.rows_read,
        "rowsWritten": figures.rows_written,
        "runningTime": _quantiles(figures.ran),
        "waitingTime": _quantiles(figures.waited),
    }


def _quantiles(spread: Spread) -> dict[str, float] | None:
    found = quantiles(spread, _SHARES.values())
    return None if found is None else {name: round(at, 3) for name, at in zip(_SHARES, found, strict=True)}
