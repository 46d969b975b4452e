"""Statistics as the API tells them: asked for by a period, and shown as tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from headrace.api.naver.dates import KST
from headrace.cli import listing, show
from headrace.cli.asking import Ask
from headrace.clock import SystemClock

Json = Mapping[str, Any]
Period = Mapping[str, str]
_STATS = "/api/v1/stats"
_COLUMNS = ("executions", "completed", "failed", "cancelled", "ran p50", "p95", "p99", "waited p50", "p95", "p99")
_ROWS = ("rows read", "written")
_NUMBERS = (*_COLUMNS, *_ROWS)


def period(days: int, since: str | None, to: str | None) -> Period:
    """The two dates of a period, in Korean time: so many days until now, unless it is told otherwise."""
    now = SystemClock().now().astimezone(KST)
    first = (now - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0)
    return {"startDate": since or _written(first), "endDate": to or _written(now)}


def days(ask: Ask, of: Period) -> dict[str, Any]:
    """All executions: how they ended, and how many there were on each day."""
    query = urlencode(of)
    counts: Json = ask("GET", f"{_STATS}/executions?{query}")
    return {**counts, "result": ask("GET", f"{_STATS}/executions-interval?{query}")["result"]}


def jobs(ask: Ask, of: Period, *, limit: int) -> list[dict[str, Any]]:
    """The busiest jobs of a period."""
    found: list[dict[str, Any]] = ask("GET", f"{_STATS}/jobs?{urlencode({**of, 'page': 0, 'limit': limit})}")["list"]
    return found


def job(ask: Ask, name: str, of: Period, *, hourly: bool) -> dict[str, Any]:
    """A job, also a deleted one, in a period and in each day or hour of it. Raises NotFound."""
    job_id = quote(listing.id_of(ask, name, deleted=True))
    query = urlencode({**of, "interval": "HOUR" if hourly else "DAY"})
    found: dict[str, Any] = ask("GET", f"{_STATS}/jobs/{job_id}?{query}")
    return found


def shown_days(found: Json) -> str:
    """A line for each day, and one for all."""
    rows = [(each["startDate"][:10], f"{each['totalCount']:,}") for each in found["result"]]
    counts = ", ".join(f"{found[f'{end}Count']:,} {end}" for end in ("completed", "failed"))
    total = show.counted(found["totalCount"], "execution")
    return f"{show.table(('day', 'executions'), rows, right=('executions',))}\n\n{total}: {counts}"


def shown_jobs(found: Sequence[Json]) -> str:
    """A line for each job."""
    if not found:
        return "nothing was executed"
    rows = [(each["jobId"], each["jobName"], *_cells(each)) for each in found]
    return show.table(("id", "name", *_NUMBERS), rows, right=_NUMBERS)


def shown_job(found: Json) -> str:
    """A line for each day or hour in which something was executed, and one for the whole period."""
    busy = [each for each in found["result"] if each["totalCount"]]
    rows = [(each["startDate"][:13].replace("T", " "), *_cells(each)) for each in busy]
    return show.table(("from", *_NUMBERS), [*rows, ("all", *_cells(found))], right=_NUMBERS)


def _cells(of: Json) -> tuple[str, ...]:
    counts = (f"{of[f'{end}Count']:,}" for end in ("total", "completed", "failed", "canceled"))
    times = (_seconds(of[name], share) for name in ("runningTime", "waitingTime") for share in ("p50", "p95", "p99"))
    return (*counts, *times, f"{of['rowsRead']:,}", f"{of['rowsWritten']:,}")


def _seconds(quantiles: Json | None, share: str) -> str:
    return "-" if quantiles is None else f"{quantiles[share]:.3g} s"


def _written(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds")
