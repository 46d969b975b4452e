"""Workflows in a real server: jobs run after each other and beside each other, whatever is killed meanwhile."""

import json
import random
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Place
from tests.support.jobs import Json, source, target
from tests.support.serving import ENDED, Served, served
from tests.support.waiting import until
from tests.support.work import put_rows

WORKFLOWS = "/api/v1/workflows"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def sent(server: Served, method: str, url: str, body: object = None) -> Any:
    answer = server.ask(method, url, body)
    assert answer.status_code < 300, answer.text
    return answer.json()


def made(server: Served, parents: dict[str, tuple[str, ...]], **nodes: Json) -> tuple[str, dict[str, str]]:
    """A workflow of jobs that copy `in`, or what their first parent wrote, to a folder of their name; and their ids."""
    rule = {"name": "by-hand", "type": "NONE", "triggerRule": {"type": "NONE"}}
    trigger = sent(server, "POST", "/api/v1/triggers", rule)["triggerId"]
    jobs = {
        name: server.made([source(prefix=before[0] if before else "in"), target(prefix=name)], f"job-{name}")
        for name, before in parents.items()
    }
    listed: list[Json] = [{"id": trigger, "name": "by-hand", "type": "TRIGGER", "parentNodeIds": []}]
    for name, before in parents.items():
        ids = [jobs[each] for each in before] or [trigger]
        more = nodes.get(name, {})
        listed.append({"id": jobs[name], "name": f"job-{name}", "type": "JOB", "parentNodeIds": ids, **more})
    return sent(server, "POST", WORKFLOWS, {"name": "flow", "nodes": listed})["workflowId"], jobs


def ended(server: Served, workflow: str, run: str) -> Any:
    """A run, as soon as it has ended."""
    found: Any = {}

    def there() -> bool:
        nonlocal found
        found = sent(server, "GET", f"{WORKFLOWS}/{workflow}/runs/{run}")
        return found["status"] in ENDED

    until(there, limit=90)
    return found


def test_a_workflow_runs_its_jobs_in_their_order_and_what_they_wrote_is_there(place: Place) -> None:
    put_rows(place, 50)
    parents = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "gone": (), "alarm": ("gone",)}
    with served(place) as server:
        workflow, jobs = made(server, parents, alarm={"runOn": "FAILED"}, b={"jobCondition": {"timeout": 5}})
        # Its source is not there: it fails, and what names its failure runs.
        broken = {"nodes": [source(prefix="nowhere"), target(prefix="gone")]}
        sent(server, "PATCH", f"/api/v1/jobs/{jobs['gone']}", broken)
        sent(server, "PATCH", f"/api/v1/jobs/{jobs['alarm']}", {"nodes": [source(), target(prefix="alarm")]})
        run = sent(server, "POST", f"{WORKFLOWS}/{workflow}/executions")["runId"]
        told = ended(server, workflow, run)
        assert told["status"] == "FAILED"
        stands = {job["jobName"]: (job["status"], (job.get("failure") or {}).get("code")) for job in told["jobs"]}
        well = {f"job-{name}": ("COMPLETED", None) for name in ("a", "b", "c", "d", "alarm")}
        assert stands == {**well, "job-gone": ("FAILED", "store-missing")}
        listed = sent(server, "GET", f"{WORKFLOWS}/{workflow}/executions")
        assert (listed["count"], {row["type"] for row in listed["list"]}) == (6, {"WORKFLOW"})
        assert {row["jobCondition"]["timeout"] for row in listed["list"]} == {60, 5}
    for name in ("a", "b", "c", "d", "alarm"):
        (file,) = (place.lake / name).glob("*.csv")
        assert len(file.read_text().splitlines()) == 50


def test_the_command_line_makes_and_runs_a_workflow_without_a_server(place: Place) -> None:
    put_rows(place, 5)
    with served(place) as server:
        workflow, _ = made(server, {"a": (), "b": ("a",)})
        assert server.stop() == 0
    done = place.call("workflows", "run", "flow", "--json")
    assert (done.code, [job["status"] for job in json.loads(done.out)["jobs"]]) == (0, ["COMPLETED"] * 2)
    shown = place.call("workflows", "show", workflow).out
    assert all(word in shown for word in ("job-a", "job-b", "by-hand", "COMPLETED"))
    refused = place.call("workflows", "rerun", "flow")
    assert (refused.code, "the run is COMPLETED" in refused.err.lower().replace("completed", "COMPLETED")) == (1, True)


@pytest.mark.fault
@pytest.mark.slow
def test_a_server_killed_again_and_again_skips_no_job_and_runs_none_twice_that_completed(place: Place) -> None:
    put_rows(place, 50)
    names = [f"j{n}" for n in range(9)]
    parents = {name: (names[at - 1],) if at % 3 else () for at, name in enumerate(names)}
    dice = random.Random(7)
    with served(place) as server:
        workflow, jobs = made(server, {**parents, "last": ("j2", "j5", "j8")})
        run = sent(server, "POST", f"{WORKFLOWS}/{workflow}/executions")["runId"]
        server.process.kill()
    for kills in range(5):
        # It dies with something under way: a few more jobs are done each time.
        wanted = 1 + 2 * kills + dice.randrange(2)
        with served(place) as server:
            until(partial(_got_on, server, workflow, run, wanted), limit=60)
            server.process.kill()
    with served(place) as server:
        told = ended(server, workflow, run)
    assert told["status"] == "COMPLETED"
    with served(place) as server:
        rows = sent(server, "GET", f"{WORKFLOWS}/{workflow}/executions")["list"]
        assert Counter(row["jobId"] for row in rows) == Counter(jobs.values())
        assert {row["status"] for row in rows} == {"COMPLETED"}
    for name in jobs:
        (file,) = (place.lake / name).glob("*.csv")
        assert len(file.read_text().splitlines()) == 50


def _got_on(server: Served, workflow: str, run: str, wanted: int) -> bool:
    """Whether so many jobs have completed."""
    jobs = sent(server, "GET", f"{WORKFLOWS}/{workflow}/runs/{run}")["jobs"]
    return [job["status"] for job in jobs].count("COMPLETED") >= wanted
