"""A trigger starts what it should, on time, in a server that runs; and the command that makes one."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Place
from tests.support.serving import Served, served
from tests.support.waiting import A_WHILE, until
from tests.support.work import copying

WEEKLY = {"type": "RECURRING", "interval": "WEEK", "time": "02:30", "dayOfWeek": ["MONDAY"]}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def soon(seconds: float) -> tuple[datetime, dict[str, object]]:
    """A whole second from now on, and a trigger that comes then."""
    at = (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
    rule = {"type": "ONE_TIME", "executionDate": at.isoformat()}
    return at, {"name": "soon", "type": "SCHEDULED", "triggerRule": rule}


def flow(server: Served) -> tuple[datetime, str]:
    """A moment soon, and the path of a workflow of one job that copies, started by a trigger then."""
    job_id = server.made(copying())
    # As late as can be: what follows has to be done before that moment.
    at, trigger = soon(6)
    made = server.ask("POST", "/api/v1/triggers", trigger)
    assert made.status_code == 201, made.text
    trigger_id = made.json()["triggerId"]
    nodes = [
        {"id": trigger_id, "name": "soon", "type": "TRIGGER", "parentNodeIds": []},
        {"id": job_id, "name": "job", "type": "JOB", "parentNodeIds": [trigger_id]},
    ]
    answer = server.ask("POST", "/api/v1/workflows", {"name": "flow", "nodes": nodes})
    assert answer.status_code == 201, answer.text
    return at, f"/api/v1/workflows/{answer.json()['workflowId']}"


def runs(server: Served, path: str) -> list[Any]:
    answer = server.ask("GET", f"{path}/runs")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["list"]
    return found


def test_a_trigger_starts_its_workflow_when_its_time_has_come(place: Place) -> None:
    with served(place) as server:
        at, path = flow(server)
        until(lambda: [run["status"] for run in runs(server, path)] == ["COMPLETED"])
        (run,) = runs(server, path)
        begun = datetime.fromisoformat(run["createdDate"])
        assert timedelta(0) <= begun - at <= timedelta(seconds=A_WHILE)
        assert len(server.ask("GET", f"{path}/executions").json()["list"]) == 1
        assert server.ask("GET", f"{path}/executions").json()["list"][0]["triggerName"] == "soon"


def test_what_came_while_no_server_was_there_is_started_by_the_next_one(place: Place) -> None:
    with served(place) as server:
        at, path = flow(server)
    until(lambda: datetime.now(UTC) > at)
    with served(place) as server:
        until(lambda: [run["status"] for run in runs(server, path)] == ["COMPLETED"])


def test_the_command_makes_shows_pauses_and_deletes_triggers(place: Place) -> None:
    sent = json.dumps({"name": "weekly", "type": "SCHEDULED", "triggerRule": WEEKLY})
    made = place.call("triggers", "create", "-", given=sent)
    assert "every Monday at 02:30, Asia/Seoul" in made.out
    assert made.out.count("T02:30:00+09:00") == 5
    assert [each["name"] for each in place.call("triggers", "list", "--json").json] == ["weekly"]
    assert place.call("triggers", "pause", "weekly", "--json").json["nextExecutionDates"] == []
    assert place.call("triggers", "resume", "weekly", "--json").json["paused"] is False
    daily = json.dumps({"name": "weekly", "type": "SCHEDULED", "triggerRule": {**WEEKLY, "time": "24:00"}})
    wrong = place.call("triggers", "update", "weekly", "-", given=daily)
    assert (wrong.code, "the trigger has 1 problem" in wrong.err) == (2, True)
    assert place.call("triggers", "delete", "weekly").code == 0
    assert place.call("triggers", "show", "weekly").error == "there is no trigger 'weekly'"
