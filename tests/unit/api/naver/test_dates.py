from datetime import UTC, datetime, timedelta

from headrace.api.naver.dates import seconds_between, written

AT = datetime(2025, 3, 20, 15, 0, 0, 999_999, tzinfo=UTC)


def test_an_instant_is_written_in_korean_time_without_parts_of_a_second() -> None:
    assert written(AT) == "2025-03-21T00:00:00+09:00"


def test_the_seconds_between_are_those_that_the_dates_show() -> None:
    assert seconds_between(AT, AT + timedelta(microseconds=1)) == 1
    assert seconds_between(AT, AT - timedelta(hours=1)) == 0
