"""Cron expressions as Debian's cron reads them, by cronsim.

A fixed time of day that the clock leaves out runs when the clock has been put forward, and one that it shows twice runs
once. When the minute or the hour begins with a star, the expression follows the clock. When both the day of the month
and the day of the week are given, either is enough.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = 5
_MOST_SIGNS = 200
_ANY = datetime(2000, 1, 1, tzinfo=UTC)


def checked(text: str) -> str:
    """The expression of five fields that the text is, or stands for. Raises ValueError that says what is wrong."""
    expression = " ".join(_PRESETS.get(text.strip().lower(), text).split())
    if len(expression) > _MOST_SIGNS:
        raise ValueError(f"a cron expression has at most {_MOST_SIGNS} signs")
    if len(expression.split(" ")) != _FIELDS:
        raise ValueError(f"{expression!r} is not five fields (minute hour day month weekday), or one of {_presets()}")
    try:
        found = next(CronSim(expression, _ANY), None)
    except CronSimError as error:
        raise ValueError(f"{expression!r}: {str(error).lower().replace('bad ', 'there is no such ')}") from None
    if found is None:
        raise ValueError(f"{expression!r} never comes: no month has that day")
    return expression


def after(expression: str, zone: ZoneInfo, instant: datetime) -> datetime | None:
    """The first instant after this one, in UTC."""
    for local in CronSim(expression, instant.astimezone(zone)):
        found = local.astimezone(UTC)
        # A time that the clock shows twice comes first, also to somebody who asks between the two.
        if found > instant:
            return found
    return None


def in_words(expression: str) -> str:
    """The expression in English, as a part of a sentence."""
    told = CronSim(expression, _ANY).explain()
    return f"{told[:1].lower()}{told[1:]}"


def _presets() -> str:
    return ", ".join(_PRESETS)
