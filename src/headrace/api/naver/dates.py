"""The vendor's dates: Korean time, whole seconds. Only here does the server know of +09:00."""

from datetime import datetime, timedelta, timezone

KST = timezone(timedelta(hours=9))


def written(at: datetime) -> str:
    """An instant as answers have it: `2025-03-21T10:02:02+09:00`. What is under a second is cut off."""
    return at.astimezone(KST).isoformat(timespec="seconds")


def seconds_between(first: datetime, last: datetime) -> int:
    """Whole seconds from one instant to another, as the dates that are shown have them; never below zero."""
    return max(int(last.timestamp()) - int(first.timestamp()), 0)
