from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

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
from headrace.recurrence.words import in_words

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Hourly(5), "every hour at minute 05, Asia/Seoul"),
        (Daily(time(2, 30)), "every day at 02:30, Asia/Seoul"),
        (Weekly(time(9), frozenset({"FRIDAY", "MONDAY"})), "every Monday and Friday at 09:00, Asia/Seoul"),
        (
            Weekly(time(9), frozenset({"FRIDAY", "MONDAY", "SUNDAY"})),
            "every Monday, Friday and Sunday at 09:00, Asia/Seoul",
        ),
        (Weekly(time(9), frozenset(DAYS)), "every day of the week at 09:00, Asia/Seoul"),
        (Monthly(time(10), LAST), "on the last day of every month at 10:00, Asia/Seoul"),
        (Monthly(time(10), 31), "on day 31 of every month that has it at 10:00, Asia/Seoul"),
        (Once(datetime(2026, 12, 24, 18, 0)), "once, on 2026-12-24 18:00, Asia/Seoul"),
        (Never(), "not by time"),
        (Cron("0 9 * * MON"), "at 09:00 on Monday (0 9 * * MON), Asia/Seoul"),
        (Every(timedelta(minutes=1), ANCHOR), "every minute"),
        (Every(timedelta(hours=1, minutes=30), ANCHOR), "every 1 hour 30 minutes"),
        (Every(timedelta(minutes=15), ANCHOR), "every 15 minutes"),
    ],
)
def test_a_schedule_reads_as_a_sentence(rule: Rule, words: str) -> None:
    assert in_words(Schedule(rule, ZoneInfo("Asia/Seoul"))) == words


def test_bounds_are_told_by_the_clock_of_the_zone() -> None:
    schedule = Schedule(Hourly(0), ZoneInfo("Asia/Seoul"), start=ANCHOR, end=ANCHOR + timedelta(days=1))
    assert in_words(schedule).endswith("Asia/Seoul, from 2026-01-01 09:00, until 2026-01-02 09:00")
