from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace.recurrence.instants import after, between, upcoming
from headrace.recurrence.rules import (
    DAYS,
    LAST,
    Cron,
    Daily,
    Every,
    Hourly,
    Monthly,
    Never,
    Once,
    Rule,
    Schedule,
    Weekly,
)
from headrace.recurrence.zones import exists

MINUTE = timedelta(minutes=1)
# Half an hour, a whole one, a shift at midnight, none at all, and offsets that are no whole hours.
ZONES = (
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Asia/Seoul",
    "Asia/Kathmandu",
    "UTC",
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(hour: int, minute: int = 0) -> time:
    return time(hour, minute)


CASES: tuple[tuple[str, Rule, str, str, list[str]], ...] = (
    (
        "in a spring gap a fixed time runs when the clock has been put forward",
        Daily(at(2, 30)),
        "Europe/Berlin",
        "2026-03-27T12:00",
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    ),
    (
        "so it does by cron",
        Cron("30 2 * * *"),
        "Europe/Berlin",
        "2026-03-27T12:00",
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    ),
    (
        "in an autumn fold a fixed time runs once, the first time",
        Daily(at(2, 30)),
        "Europe/Berlin",
        "2026-10-24T12:00",
        ["2026-10-25T00:30", "2026-10-26T01:30"],
    ),
    (
        "so it does by cron, also for who asks between the two",
        Cron("30 2 * * *"),
        "Europe/Berlin",
        "2026-10-25T00:45",
        ["2026-10-26T01:30", "2026-10-27T01:30"],
    ),
    (
        "every hour goes on through a gap",
        Hourly(30),
        "Europe/Berlin",
        "2026-03-28T23:45",
        ["2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"],
    ),
    (
        "every hour runs twice in a fold: an hour has passed",
        Hourly(30),
        "Europe/Berlin",
        "2026-10-24T23:45",
        ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"],
    ),
    (
        "a star of cron follows the clock",
        Cron("*/30 * * * *"),
        "Europe/Berlin",
        "2026-03-29T00:15",
        ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"],
    ),
    (
        "a clock that is moved by half an hour",
        Daily(at(2, 15)),
        "Australia/Lord_Howe",
        "2026-10-02T16:00",
        ["2026-10-03T15:30", "2026-10-04T15:15"],
    ),
    (
        "every hour on a clock that is put back by half an hour shows the minute again",
        Hourly(45),
        "Australia/Lord_Howe",
        "2026-04-04T13:50",
        ["2026-04-04T14:45", "2026-04-04T15:15", "2026-04-04T16:15"],
    ),
    (
        "a midnight that does not exist is the first moment of that day",
        Daily(at(0)),
        "America/Santiago",
        "2026-09-05T12:00",
        ["2026-09-06T04:00", "2026-09-07T03:00"],
    ),
    (
        "the last day of the month",
        Monthly(at(10), LAST),
        "Asia/Seoul",
        "2028-01-31T01:00",
        ["2028-02-29T01:00", "2028-03-31T01:00", "2028-04-30T01:00"],
    ),
    (
        "a month without a day 31 is left out",
        Monthly(at(10), 31),
        "Asia/Seoul",
        "2026-03-31T01:00",
        ["2026-05-31T01:00", "2026-07-31T01:00", "2026-08-31T01:00"],
    ),
    (
        "29 February comes every four years by cron",
        Cron("0 0 29 2 *"),
        "UTC",
        "2026-01-01T00:00",
        ["2028-02-29T00:00", "2032-02-29T00:00"],
    ),
    (
        "the day of the month or the day of the week",
        Cron("0 0 13 * FRI"),
        "UTC",
        "2026-11-06T00:00",
        ["2026-11-13T00:00", "2026-11-20T00:00", "2026-11-27T00:00", "2026-12-04T00:00", "2026-12-11T00:00"],
    ),
    (
        "days of the week",
        Weekly(at(2, 30), frozenset({"MONDAY", "FRIDAY"})),
        "Asia/Seoul",
        "2026-11-27T00:00",
        ["2026-11-29T17:30", "2026-12-03T17:30"],
    ),
    (
        "a day that a zone left out altogether runs at the first moment after it",
        Daily(at(10)),
        "Pacific/Apia",
        "2011-12-29T12:00",
        ["2011-12-29T20:00", "2011-12-30T10:00", "2011-12-30T20:00"],
    ),
    ("once", Once(datetime(2026, 12, 24, 18)), "Asia/Seoul", "2026-01-01T00:00", ["2026-12-24T09:00"]),
    ("never", Never(), "Asia/Seoul", "2026-01-01T00:00", []),
    (
        "an interval goes on whatever clocks show",
        Every(timedelta(minutes=90), utc("2026-03-29T00:00")),
        "Europe/Berlin",
        "2026-03-29T00:00",
        ["2026-03-29T01:30", "2026-03-29T03:00"],
    ),
    (
        "an interval begins at its anchor",
        Every(timedelta(hours=6), utc("2026-06-01T05:00")),
        "UTC",
        "2026-01-01T00:00",
        ["2026-06-01T05:00", "2026-06-01T11:00"],
    ),
)


@pytest.mark.parametrize(("rule", "zone", "begin", "instants"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_cases_of_calendars_and_clocks(rule: Rule, zone: str, begin: str, instants: list[str]) -> None:
    found = upcoming(Schedule(rule, ZoneInfo(zone)), utc(begin), most=max(len(instants), 1))
    assert [f"{instant:%Y-%m-%dT%H:%M}" for instant in found] == instants


def test_start_and_end_count_themselves() -> None:
    schedule = Schedule(
        Daily(at(9)), ZoneInfo("Asia/Seoul"), start=utc("2026-11-27T00:00"), end=utc("2026-11-29T00:00")
    )
    assert upcoming(schedule, utc("2020-01-01T00:00"), most=9) == (
        utc("2026-11-27T00:00"),
        utc("2026-11-28T00:00"),
        utc("2026-11-29T00:00"),
    )


def test_what_was_missed_is_what_lies_between() -> None:
    schedule = Schedule(Hourly(0), ZoneInfo("UTC"))
    found = between(schedule, utc("2026-11-27T00:00"), utc("2026-11-27T03:00"), most=2)
    assert found == (utc("2026-11-27T01:00"), utc("2026-11-27T02:00"))
    assert between(schedule, utc("2026-11-27T00:00"), utc("2026-11-27T00:59"), most=2) == ()


def test_a_search_at_the_end_of_time_ends() -> None:
    schedule = Schedule(Monthly(at(9), 30), ZoneInfo("Asia/Seoul"))
    assert after(schedule, utc("9999-12-30T00:00")) is None


zones = st.sampled_from(ZONES).map(ZoneInfo)
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
begins = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))
# Near the changes of clocks, where it is interesting.
changes = st.sampled_from(("2026-03-29T01:00", "2026-10-25T01:00", "2026-04-04T15:00", "2026-09-06T04:00")).map(utc)
near = st.builds(lambda change, minutes: change + minutes * MINUTE, changes, st.integers(-1500, 1500))
fixed = st.one_of(
    st.builds(Daily, times),
    st.builds(Weekly, times, st.frozensets(st.sampled_from(DAYS), min_size=1)),
    st.builds(Monthly, times, st.sampled_from((LAST, *range(1, 32)))),
)


def minutes(begin: datetime) -> Iterator[datetime]:
    instant = begin.replace(second=0, microsecond=0)
    while True:
        instant += MINUTE
        yield instant


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def is_last(day: datetime) -> bool:
    return (day + timedelta(days=1)).day == 1


def matches(rule: Rule) -> Callable[[datetime], bool]:
    """Whether a clock on the wall shows a time of the rule."""
    match rule:
        case Daily(at):
            return lambda local: local.time() == at
        case Weekly(at, days):
            return lambda local: local.time() == at and DAYS[local.weekday()] in days
        case Monthly(at, day):
            return lambda local: local.time() == at and day in (local.day, LAST if is_last(local) else 0)
        case _:
            raise AssertionError(rule)


def by_looking(rule: Rule, zone: ZoneInfo, begin: datetime, days: int) -> list[datetime]:
    """The instants of a fixed rule by looking at the clock each minute, and at what it left out when it jumped."""
    wanted, found, seen = matches(rule), [], set()
    before = begin.replace(second=0, microsecond=0) - timedelta(days=2)
    for instant in minutes(before):
        last, local = shown(instant - MINUTE, zone), shown(instant, zone)
        left_out = (last + step * MINUTE for step in range(1, int((local - last) / MINUTE)))
        for each in (*left_out, local):
            if wanted(each) and each not in seen:
                seen.add(each)
                found.append(instant)
        if instant > begin + timedelta(days=days):
            return [instant for instant in dict.fromkeys(found) if instant > begin]
    raise AssertionError


@settings(deadline=None, max_examples=50)
@given(fixed, zones, near)
def test_a_fixed_rule_is_what_the_clock_shows_once_each(rule: Rule, zone: ZoneInfo, begin: datetime) -> None:
    expected = by_looking(rule, zone, begin, days=3)
    found = [
        instant for instant in upcoming(Schedule(rule, zone), begin, most=9) if instant <= begin + timedelta(days=3)
    ]
    assert found == [instant for instant in expected if instant <= begin + timedelta(days=3)]


@settings(deadline=None)
@given(st.integers(0, 59), zones, near)
def test_every_hour_is_each_minute_that_shows_it(minute: int, zone: ZoneInfo, begin: datetime) -> None:
    expected = (instant for instant in minutes(begin) if shown(instant, zone).minute == minute)
    found = upcoming(Schedule(Hourly(minute), zone), begin, most=5)
    assert list(found) == [next(expected) for _ in found]


@settings(deadline=None)
@given(st.one_of(fixed, st.builds(Hourly, st.integers(0, 59))), zones, begins)
@example(Daily(time(0)), ZoneInfo("Pacific/Apia"), utc("2011-12-30T09:00"))
def test_instants_rise(rule: Rule, zone: ZoneInfo, begin: datetime) -> None:
    found = (begin, *upcoming(Schedule(rule, zone), begin, most=4))
    assert all(earlier < later for earlier, later in pairwise(found))


@settings(deadline=None)
@given(times, zones, near)
def test_the_same_day_by_cron_and_by_the_vendors_rule(at: time, zone: ZoneInfo, begin: datetime) -> None:
    if not all(exists(datetime.combine(shown(begin, zone).date() + timedelta(days=n), at), zone) for n in range(-1, 4)):
        return  # where seconds matter the two may differ in nothing: the table above has those cases
    cron = Cron(f"{at.minute} {at.hour} * * *")
    assert upcoming(Schedule(cron, zone), begin, most=2) == upcoming(Schedule(Daily(at), zone), begin, most=2)
