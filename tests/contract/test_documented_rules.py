"""The documented values of rules, each for itself."""

from datetime import datetime

import pytest

from tests.support.flows import DAILY, TRIGGERS, WORKFLOWS, job_node, new_trigger, new_workflow, trigger_node
from tests.support.jobs import Json
from tests.support.proving import facts_of, proves
from tests.support.server import Server

DAYS = [fact.id.partition("=")[2] for fact in facts_of("TriggerRule.dayOfWeek=")]
ONCE = {"type": "ONE_TIME", "executionDate": "2025-12-24T18:00:00"}


def dates(server: Server, rule: Json) -> list[datetime]:
    """When a rule fires next."""
    answer = server.ask("POST", TRIGGERS, {"name": "trigger001", "type": "SCHEDULED", "triggerRule": rule})
    assert (answer.status_code, answer.json()["triggerRule"]) == (201, rule)
    return [datetime.fromisoformat(date) for date in answer.json()["nextExecutionDates"]]


@proves("TriggerRule.dayOfWeek=*")
@pytest.mark.parametrize("day", DAYS)
def test_every_documented_day_of_the_week_is_that_day(server: Server, day: str) -> None:
    found = dates(server, {"type": "RECURRING", "interval": "WEEK", "time": "10:00", "dayOfWeek": [day]})
    assert {date.strftime("%A").upper() for date in found} == {day}


@proves("workflows.short-months")
@pytest.mark.parametrize(
    ("day", "days"),
    [
        ("31", ["03-31", "05-31", "07-31", "08-31", "10-31"]),
        ("29", ["03-29", "04-29", "05-29", "06-29", "07-29"]),
        ("-1", ["03-31", "04-30", "05-31", "06-30", "07-31"]),
    ],
)
def test_a_month_without_the_day_is_skipped(server: Server, day: str, days: list[str]) -> None:
    found = dates(server, {"type": "RECURRING", "interval": "MONTH", "time": "10:00", "dateOfMonth": day})
    assert [date.strftime("%m-%d") for date in found] == days


@proves("Workflow.triggerRuleType", "Workflow.triggerRuleType=*", "workflows.other-kinds-of-rules")
@pytest.mark.parametrize(
    ("type_", "rule", "told"),
    [
        ("SCHEDULED", DAILY, "RECURRING"),
        ("SCHEDULED", ONCE, "ONE_TIME"),
        ("NONE", None, "NONE"),
        ("EVENT", None, "EVENT"),
        ("SCHEDULED", {"type": "CRON", "cron": "0 3 * * *"}, "CRON"),
    ],
)
def test_a_list_tells_the_kind_of_rule_of_each_workflow(
    server: Server, type_: str, rule: Json | None, told: str
) -> None:
    trigger, job = new_trigger(server, type_=type_, rule=rule), server.made()["jobId"]
    new_workflow(server, trigger_node(trigger), job_node(job, trigger))
    (row,) = server.ask("GET", WORKFLOWS).json()["list"]
    assert row["triggerRuleType"] == told
