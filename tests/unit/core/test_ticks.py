from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from headrace.core.schedules import Misfire
from headrace.core.ticks import MOST_AT_ONCE, Due, due
from headrace.core.triggers import Trigger
from headrace.recurrence.rules import Every, Hourly, Once, Rule, Schedule

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EACH_MINUTE = Every(MINUTE, NOON)


def trigger(rule: Rule, misfire: Misfire, *, first: datetime = NOON, window: timedelta = HOUR) -> Trigger:
    return Trigger(
        trigger_id="t",
        account_id="main",
        name="trigger",
        type="SCHEDULED",
        rule={},
        schedule=Schedule(rule, ZoneInfo("UTC")),
        misfire=misfire,
        misfire_window=window,
        overlap="QUEUE",
        paused_at=None,
        next_fire_at=first,
        revision=1,
        created_at=NOON,
        updated_at=NOON,
    )


def hours(*counts: int) -> tuple[datetime, ...]:
    return tuple(NOON + count * HOUR for count in counts)


@pytest.mark.parametrize("misfire", ["SKIP", "LATEST", "ALL"])
@pytest.mark.parametrize("late", [0, 0.25, 59])
def test_what_is_heard_of_within_a_minute_starts_whatever_the_policy(misfire: Misfire, late: float) -> None:
    found = due(trigger(Hourly(0), misfire), NOON + timedelta(seconds=late))
    assert found == Due(run=hours(0), missed=(), following=NOON + HOUR)


@pytest.mark.parametrize(
    ("misfire", "run", "missed"),
    [
        ("SKIP", (), (0, 1, 2, 3)),
        ("LATEST", (3,), (0, 1, 2)),
        ("ALL", (2, 3), (0, 1)),
    ],
)
def test_what_was_missed_is_a_matter_of_the_policy(
    misfire: Misfire, run: tuple[int, ...], missed: tuple[int, ...]
) -> None:
    now = NOON + 3.5 * HOUR
    found = due(trigger(Hourly(0), misfire, window=2 * HOUR), now)
    assert found == Due(run=hours(*run), missed=hours(*missed), following=NOON + 4 * HOUR)


def test_the_latest_of_what_was_missed_is_not_run_when_one_comes_on_time() -> None:
    found = due(trigger(Hourly(0), "LATEST"), NOON + 2 * HOUR)
    assert found == Due(run=hours(2), missed=hours(0, 1), following=NOON + 3 * HOUR)


def test_once_is_run_once_and_nothing_follows() -> None:
    rule = Once(datetime(2026, 11, 27, 12))
    assert due(trigger(rule, "LATEST"), NOON + 5 * HOUR) == Due(run=(NOON,), missed=(), following=None)
    assert due(trigger(rule, "SKIP"), NOON + 5 * HOUR) == Due(run=(), missed=(NOON,), following=None)


def test_what_is_too_much_for_one_time_stays_due() -> None:
    now = NOON + 2 * MOST_AT_ONCE * MINUTE
    found = due(trigger(EACH_MINUTE, "ALL", window=now - NOON), now)
    assert (len(found.run), found.missed) == (MOST_AT_ONCE, ())
    assert found.run[0] == NOON
    assert found.following == found.run[-1] + MINUTE


def test_a_year_of_minutes_that_were_missed_takes_no_year() -> None:
    now = NOON + timedelta(days=365)
    found = due(trigger(EACH_MINUTE, "LATEST"), now)
    assert found.run[-1] == now
    assert (len(found.missed), found.missed[0]) == (MOST_AT_ONCE, NOON)
    assert found.following == now + MINUTE


def test_the_latest_is_found_however_long_ago_it_was() -> None:
    for days in (0.2, 5, 100, 1000):
        now = NOON + timedelta(days=days)
        assert due(trigger(Once(datetime(2026, 11, 27, 12)), "LATEST"), now).run == (NOON,)
