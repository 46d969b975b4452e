import json
import logging
import sys

from headrace.service.journal import Json, Text


def record(event: str, **fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": event, "levelname": "INFO", "created": 1_795_770_000.25, **fields})
    made.created = 1_795_770_000.25
    return made


def test_a_line_for_people_has_the_moment_the_level_the_event_and_its_fields() -> None:
    line = Text().format(record("request", method="GET", status=200, ms=1.5))
    assert line == "2026-11-27T09:00:00.250Z info    request method=GET status=200 ms=1.5"


def test_what_somebody_sent_makes_no_second_line() -> None:
    line = Text().format(record("request", target="/a\nerror fake", reason='say "no"'))
    assert line.endswith('target="/a\\nerror fake" reason="say \\"no\\""')
    assert "\n" not in line
    assert "\n" not in Json().format(record("request", target="/a\nb"))
    assert Text().format(record("a\nb")).endswith('"a\\nb"')


def test_a_json_line_has_the_same_and_the_trace_of_an_error() -> None:
    try:
        raise ValueError("boom")
    except ValueError:
        made = record("failed", trace="abc", exc_info=sys.exc_info())
    told = json.loads(Json().format(made))
    assert {key: told[key] for key in ("at", "level", "event", "trace")} == {
        "at": "2026-11-27T09:00:00.250Z",
        "level": "info",
        "event": "failed",
        "trace": "abc",
    }
    assert told["error"].endswith("ValueError: boom")
    assert Text().format(made).endswith("ValueError: boom")
