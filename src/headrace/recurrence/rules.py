"""What can be said of when: the vendor's rules of triggers, cron expressions, intervals.

Times of day are of the schedule's zone, which is Korea's for the vendor's own rules.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

Day = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
DAYS: tuple[Day, ...] = get_args(Day)
LAST = -1
SHORTEST_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Hourly:
    """Each time that the clock shows this minute, 0 to 59."""

    minute: int


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day."""

    time: time


@dataclass(frozen=True, slots=True)
class Weekly:
    """Once on each of these days of the week."""

    time: time
    days: frozenset[Day]


@dataclass(frozen=True, slots=True)
class Monthly:
    """Once a month: on day 1 to 31, or `LAST`. A month that has no such day is left out."""

    time: time
    day: int


@dataclass(frozen=True, slots=True)
class Once:
    """At one moment of the zone's clock, which has no offset here."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Never:
    """Not by time: somebody starts it, or an event does."""


@dataclass(frozen=True, slots=True)
class Cron:
    """By a cron expression of five fields that `cron.checked` has let through."""

    expression: str


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again after the same time has passed, counted from `anchor` in UTC, whatever clocks show."""

    interval: timedelta
    anchor: datetime


Rule = Hourly | Daily | Weekly | Monthly | Once | Never | Cron | Every


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rule in a zone, between two instants in UTC that count themselves."""

    rule: Rule
    zone: ZoneInfo
    start: datetime | None = None
    end: datetime | None = None
