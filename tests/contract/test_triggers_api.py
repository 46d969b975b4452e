"""The operations on triggers, as they are documented, and what we add to them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.proving import proves
from tests.support.server import Server

TRIGGERS = "/api/v1/triggers"
DATE = "2025-03-21T10:02:02+09:00"
KEYS = ["triggerId", "name", "type", "triggerRule", "createdDate", "updatedDate"]
OURS = ["timeZone", "misfirePolicy", "overlapPolicy", "paused", "summary"]
WEEKLY = {"type": "RECURRING", "interval": "WEEK", "time": "02:30", "dayOfWeek": ["MONDAY", "FRIDAY"]}

MONTHLY = {"type": "RECURRING", "interval": "MONTH", "time": "10:00"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which no test leaves anything."""
    started = Server.start(tmp_path_factory.mktemp("empty"))
    yield started
    assert started.ask("GET", TRIGGERS).json()["count"] == 0
    started.database.dispose()


def scheduled(rule: object, **more: object) -> dict[str, object]:
    return {"name": "every-night", "type": "SCHEDULED", "triggerRule": rule, **more}


def made(server: Server, body: object) -> Any:
    answer = server.ask("POST", TRIGGERS, body)
    assert answer.status_code == 201, answer.text
    return answer.json()


@proves(
    "createTrigger",
    "createTrigger.body.*",
    "getTrigger",
    "getTrigger.path.triggerId",
    "deleteTrigger",
    "deleteTrigger.path.triggerId",
    "Trigger.triggerId",
    "Trigger.name",
    "Trigger.triggerRule",
    "Trigger.createdDate",
    "Trigger.updatedDate",
    "Trigger.type",
    "Trigger.type=SCHEDULED",
    "TriggerRule.interval=WEEK",
    "TriggerRule.dayOfWeek",
    "TriggerRule.dayOfWeek=MONDAY",
    "TriggerRule.dayOfWeek=FRIDAY",
    "workflows.zone-of-triggers",
    "workflows.trigger-id-optional",
)
def test_a_trigger_is_answered_as_documented_and_with_what_comes_next(server: Server) -> None:
    told = made(server, scheduled(WEEKLY))
    assert list(told) == [*KEYS, *OURS, "nextExecutionDates"]
    assert {key: told[key] for key in KEYS[1:]} == {
        "name": "every-night",
        "type": "SCHEDULED",
        "triggerRule": WEEKLY,
        "createdDate": DATE,
        "updatedDate": DATE,
    }
    # 21 March 2025 is a Friday, and 02:30 has passed.
    assert told["nextExecutionDates"] == [
        "2025-03-24T02:30:00+09:00",
        "2025-03-28T02:30:00+09:00",
        "2025-03-31T02:30:00+09:00",
        "2025-04-04T02:30:00+09:00",
        "2025-04-07T02:30:00+09:00",
    ]
    assert told["summary"] == "every Monday and Friday at 02:30, Asia/Seoul"
    assert server.ask("GET", f"{TRIGGERS}/{told['triggerId']}").json() == told
    assert server.ask("DELETE", f"{TRIGGERS}/{told['triggerId']}").json() is True
    gone = server.ask("GET", f"{TRIGGERS}/{told['triggerId']}")
    assert (gone.status_code, gone.json()["errorType"]) == (404, "resource-not-found/TRIGGER")


@proves(
    "TriggerRule.time",
    "TriggerRule.dateOfMonth",
    "TriggerRule.executionDate",
    "TriggerRule.type",
    "TriggerRule.type=RECURRING",
    "TriggerRule.type=ONE_TIME",
    "TriggerRule.interval",
    "TriggerRule.interval=HOUR",
    "TriggerRule.interval=DAY",
    "TriggerRule.interval=WEEK",
    "TriggerRule.interval=MONTH",
    "TriggerRule.dayOfWeek=SUNDAY",
    "workflows.zone-of-triggers",
)
@pytest.mark.parametrize(
    ("sent", "kept", "first"),
    [
        (
            {"type": "RECURRING", "interval": "HOUR", "time": "05"},
            {"type": "RECURRING", "interval": "HOUR", "time": "05"},
            "2025-03-21T10:05:00+09:00",
        ),
        # Fields that do not apply are left out of the answer, as in the documented example.
        (
            {"type": "RECURRING", "interval": "DAY", "time": "10:00", "dayOfWeek": [], "dateOfMonth": ""},
            {"type": "RECURRING", "interval": "DAY", "time": "10:00"},
            "2025-03-22T10:00:00+09:00",
        ),
        # The documentation of 2023 has one day as a text.
        (
            {"type": "RECURRING", "interval": "WEEK", "time": "10:00", "dayOfWeek": "SUNDAY"},
            {"type": "RECURRING", "interval": "WEEK", "time": "10:00", "dayOfWeek": ["SUNDAY"]},
            "2025-03-23T10:00:00+09:00",
        ),
        (
            {"type": "RECURRING", "interval": "MONTH", "time": "10:00", "dateOfMonth": "-1"},
            {"type": "RECURRING", "interval": "MONTH", "time": "10:00", "dateOfMonth": "-1"},
            "2025-03-31T10:00:00+09:00",
        ),
        (
            {"type": "ONE_TIME", "executionDate": "2025-12-24T18:00:00"},
            {"type": "ONE_TIME", "executionDate": "2025-12-24T18:00:00"},
            "2025-12-24T18:00:00+09:00",
        ),
        (
            {"type": "ONE_TIME", "executionDate": "2025-12-24T18:00:00+00:00"},
            {"type": "ONE_TIME", "executionDate": "2025-12-24T18:00:00+00:00"},
            "2025-12-25T03:00:00+09:00",
        ),
        (
            {"type": "CRON", "cron": "*/15 9-17 * * MON-FRI"},
            {"type": "CRON", "cron": "*/15 9-17 * * MON-FRI"},
            "2025-03-21T10:15:00+09:00",
        ),
        ({"type": "INTERVAL", "every": "PT90M"}, {"type": "INTERVAL", "every": "PT90M"}, "2025-03-21T11:32:02+09:00"),
    ],
)
def test_every_kind_of_rule(server: Server, sent: object, kept: object, first: str) -> None:
    told = made(server, scheduled(sent))
    assert (told["triggerRule"], told["nextExecutionDates"][0]) == (kept, first)


@proves(
    "TriggerRule.type=NONE",
    "Trigger.type=NONE",
    "Trigger.type=EVENT",
    "workflows.event-triggers",
)
@pytest.mark.parametrize("type_", ["NONE", "EVENT"])
@pytest.mark.parametrize("rule", [{"triggerRule": {"type": "NONE"}}, {}, {"triggerRule": None}])
def test_what_is_not_scheduled_needs_no_rule(server: Server, type_: str, rule: dict[str, object]) -> None:
    told = made(server, {"name": "by-hand", "type": type_, **rule})
    assert (told["type"], told["triggerRule"], told["nextExecutionDates"]) == (type_, {"type": "NONE"}, [])


def test_a_zone_bounds_and_policies_of_ones_own(server: Server) -> None:
    rule = {"type": "RECURRING", "interval": "DAY", "time": "09:00"}
    more = {"timeZone": "Europe/Berlin", "startDate": "2025-04-01T09:00:00", "endDate": "2025-04-02T09:00:00"}
    told = made(server, scheduled(rule, **more, misfirePolicy="ALL", misfireWindow=120, overlapPolicy="SKIP"))
    assert told["nextExecutionDates"] == ["2025-04-01T16:00:00+09:00", "2025-04-02T16:00:00+09:00"]
    assert {key: told[key] for key in ("misfirePolicy", "misfireWindow", "overlapPolicy")} == {
        "misfirePolicy": "ALL",
        "misfireWindow": 120,
        "overlapPolicy": "SKIP",
    }


@proves(
    "TriggerRule.*",
)
@pytest.mark.parametrize(
    ("rule", "field", "says"),
    [
        ({"type": "RECURRING", "interval": "DAY", "time": "24:00"}, "time", "is not a time of day"),
        ({"type": "RECURRING", "interval": "DAY", "time": "7"}, "time", "is not a time of day"),
        ({"type": "RECURRING", "interval": "DAY", "time": "\u0660\u0669:\u0660\u0660"}, "time", "is not a time of day"),
        ({"type": "RECURRING", "interval": "DAY"}, "time", "is missing"),
        ({"type": "RECURRING", "interval": "DAY", "time": 9}, "time", "should be a string"),
        ({"type": "RECURRING", "interval": "HOUR", "time": "7"}, "time", "the minute of an hour"),
        ({"type": "RECURRING", "interval": "HOUR", "time": "60"}, "time", "the minute of an hour"),
        ({"type": "RECURRING", "interval": "HOUR", "time": "10:00"}, "time", "the minute of an hour"),
        ({"type": "RECURRING", "interval": "YEAR", "time": "10:00"}, "interval", "is not allowed"),
        ({"type": "RECURRING", "time": "10:00"}, "interval", "is missing"),
        ({"type": "RECURRING", "interval": "WEEK", "time": "10:00"}, "dayOfWeek", "is missing"),
        ({"type": "RECURRING", "interval": "WEEK", "time": "10:00", "dayOfWeek": []}, "dayOfWeek", "is empty"),
        ({"type": "RECURRING", "interval": "WEEK", "time": "10:00", "dayOfWeek": ["Monday"]}, "dayOfWeek", "is no day"),
        (MONTHLY, "dateOfMonth", "is missing"),
        *(
            (
                {"type": "RECURRING", "interval": "MONTH", "time": "10:00", "dateOfMonth": day},
                "dateOfMonth",
                "no day of",
            )
            for day in ("0", "32", "-2", "", "1.5", "01", 0, 32)
        ),
        ({"type": "ONE_TIME"}, "executionDate", "is missing"),
        ({"type": "ONE_TIME", "executionDate": "2025-02-30T10:00:00"}, "executionDate", "is not a date and time"),
        ({"type": "ONE_TIME", "executionDate": "2025-12-24"}, "executionDate", "is not a date and time"),
        ({"type": "ONE_TIME", "executionDate": "9999-12-31T23:59:59"}, "executionDate", "is not a date and time"),
        ({"type": "ONE_TIME", "executionDate": "2025-03-21T10:02:00"}, "", "would never start anything"),
        ({"type": "CRON"}, "cron", "is missing"),
        ({"type": "CRON", "cron": "* * * *"}, "cron", "is not five fields"),
        ({"type": "INTERVAL", "every": "PT0M"}, "every", "is not a duration"),
        ({"type": "INTERVAL", "every": "PT"}, "every", "is not a duration"),
        ({"type": "INTERVAL", "every": "P"}, "every", "is not a duration"),
        ({"type": "INTERVAL", "every": "P999D"}, "every", "is not a duration"),
        ({"type": "NONE"}, "type", "does not fit"),
        ({"type": "SOMETIMES"}, "type", "is not allowed"),
        ({}, "type", "is missing"),
        ("DAY", "", "not the text 'DAY'"),
    ],
)
def test_a_rule_that_is_wrong_is_told_with_its_field(empty: Server, rule: object, field: str, says: str) -> None:
    answer = empty.ask("POST", TRIGGERS, scheduled(rule))
    told = answer.json()
    assert (answer.status_code, told["errorType"]) == (400, "bad-parameter")
    (problem,) = told["problems"]
    assert problem["field"] == f"triggerRule.{field}".rstrip(".")
    assert says in problem["message"]


@proves(
    "createTrigger.body.name",
    "createTrigger.body.type",
)
@pytest.mark.parametrize(
    ("more", "field", "says"),
    [
        ({"timeZone": "KST"}, "timeZone", "is no time zone"),
        ({"startDate": "soon"}, "startDate", "is not a date and time"),
        ({"startDate": "2025-05-01T00:00:00", "endDate": "2025-04-01T00:00:00"}, "endDate", "is before startDate"),
        ({"endDate": "2025-03-01T00:00:00"}, "triggerRule", "would never start anything"),
        ({"timeZone": "Europe/Berlin", "startDate": "2025-03-30T02:30:00"}, "startDate", "does not exist in"),
        ({"misfirePolicy": "NONE"}, "misfirePolicy", "is not allowed"),
        ({"misfireWindow": 0}, "misfireWindow", "1 or more"),
        ({"overlapPolicy": "MAYBE"}, "overlapPolicy", "is not allowed"),
        ({"name": "no"}, "name", "can't be a name"),
        ({"name": "밤마다"}, "name", "can't be a name"),
        ({"type": "CRON"}, "type", "is not allowed"),
        ({"type": "NONE"}, "triggerRule.type", "does not fit a trigger of type NONE"),
    ],
)
def test_whatever_else_is_wrong_is_told_with_its_field(
    empty: Server, more: dict[str, object], field: str, says: str
) -> None:
    answer = empty.ask("POST", TRIGGERS, {**scheduled(WEEKLY), **more})
    (problem,) = answer.json()["problems"]
    assert (answer.status_code, problem["field"]) == (400, field)
    assert says in problem["message"]


def test_all_problems_come_at_once(empty: Server) -> None:
    rule = {"type": "RECURRING", "interval": "WEEK", "time": "25:00", "dayOfWeek": ["SOMEDAY"]}
    told = empty.ask("POST", TRIGGERS, scheduled(rule, timeZone="Nowhere")).json()
    fields = [problem["field"] for problem in told["problems"]]
    assert fields == ["timeZone", "triggerRule.time", "triggerRule.dayOfWeek"]


def test_what_has_no_effect_is_named(server: Server) -> None:
    rule = {"type": "RECURRING", "interval": "DAY", "time": "10:00", "dateOfMonth": "5", "tiem": "x"}
    warnings = server.ask("POST", TRIGGERS, scheduled(rule, timezone="UTC")).headers["x-headrace-warnings"]
    assert all(name in warnings for name in ("triggerRule.dateOfMonth", "triggerRule.tiem", '"timezone"', "timeZone"))


@proves(
    "getTriggers",
    "getTriggers.query.*",
)
def test_triggers_are_listed_by_a_part_of_their_name_the_newest_first(server: Server) -> None:
    for name in ("alpha-night", "beta-day", "gamma-NIGHT"):
        made(server, {**scheduled(WEEKLY), "name": name})
        server.clock.move(1)
    told = server.ask("GET", f"{TRIGGERS}?name=night&page=0&limit=1").json()
    assert (told["count"], told["page"], told["limit"]) == (2, 0, 1)
    assert [row["name"] for row in told["list"]] == ["gamma-NIGHT"]
    assert list(told["list"][0]) == [*KEYS, *OURS]


def test_a_name_is_taken_until_its_trigger_is_deleted(server: Server) -> None:
    first = made(server, scheduled(WEEKLY))
    assert server.ask("POST", TRIGGERS, scheduled(WEEKLY)).json()["problems"][0]["code"] == "name-taken"
    server.ask("DELETE", f"{TRIGGERS}/{first['triggerId']}")
    made(server, scheduled(WEEKLY))


def test_a_change_keeps_or_replaces_what_is_left_out(server: Server) -> None:
    first = made(server, scheduled(WEEKLY, timeZone="UTC", overlapPolicy="SKIP"))
    path = f"{TRIGGERS}/{first['triggerId']}"
    daily = {"type": "RECURRING", "interval": "DAY", "time": "03:00"}
    patched = server.ask("PATCH", path, {"triggerRule": daily}).json()
    assert (patched["timeZone"], patched["overlapPolicy"], patched["triggerRule"]) == ("UTC", "SKIP", daily)
    assert patched["nextExecutionDates"][0] == "2025-03-21T12:00:00+09:00"
    put = server.ask("PUT", path, scheduled(daily)).json()
    assert (put["timeZone"], put["overlapPolicy"]) == ("Asia/Seoul", "QUEUE")
    stale = server.ask("PUT", path, scheduled(daily), headers={"if-match": '"1"'})
    assert (stale.status_code, stale.json()["errorType"]) == (412, "bad-state")


def test_a_paused_trigger_tells_no_dates_until_it_is_resumed(server: Server) -> None:
    path = f"{TRIGGERS}/{made(server, scheduled(WEEKLY))['triggerId']}"
    paused = server.ask("POST", f"{path}/pause").json()
    assert (paused["paused"], paused["nextExecutionDates"]) == (True, [])
    resumed = server.ask("POST", f"{path}/resume").json()
    assert (resumed["paused"], len(resumed["nextExecutionDates"])) == (False, 5)
