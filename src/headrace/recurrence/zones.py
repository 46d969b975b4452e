"""Time zones: their names, and which instant a clock on the wall means."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

KOREA = "Asia/Seoul"
_SECOND = timedelta(seconds=1)


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name may look like a path, or be a folder of names
        raise ValueError(f"{name[:60]!r} is no time zone; use a name like Asia/Seoul or UTC") from None


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant in UTC at which the zone's clock shows `local`.

    A time that the clock shows twice is its first one. A time that it leaves out, since it is put forward, is the
    instant at which that happens: it is moved, and not lost.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if exists(local, zone):
        return first
    return _change(local.replace(tzinfo=zone, fold=1).astimezone(UTC), first, zone)


def exists(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the zone's clock ever shows this."""
    shown = local.replace(tzinfo=zone, fold=0).astimezone(UTC).astimezone(zone)
    return shown.replace(tzinfo=None) == local


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant with the offset that holds at `after`; another one holds at `before`."""
    later = after.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == later:
            after = middle
        else:
            before = middle
    return after
