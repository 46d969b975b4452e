"""The last part of `make demo`: two jobs as one workflow, with a trigger, and the figures of the dashboard."""

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tools.demo_server import Client

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
JOBS = ("late-flights", "late-months")
TRIGGER = "every-night"
WORKFLOW = "nightly-report"
# Of a workflow first: what others use can't be deleted.
_KINDS = (("workflows", "workflowId", (WORKFLOW,)), ("triggers", "triggerId", (TRIGGER,)), ("jobs", "jobId", JOBS))
_UNENDED = ("READY", "RUNNING")
_LIMIT = 60.0
_KOREA = timezone(timedelta(hours=9))


def shown(client: Client) -> int:
    """Make the workflow, run it now, show its run, its executions and the day's figures."""
    _clear(client)
    rule = {"type": "RECURRING", "interval": "DAY", "time": "02:30"}
    trigger = client.ask("POST", "/api/v1/triggers", {"name": TRIGGER, "type": "SCHEDULED", "triggerRule": rule})
    print(f"  {trigger['summary']}; next {trigger['nextExecutionDates'][0]}")
    first, second = (_job(client, name) for name in ("flights", "late-months"))
    nodes = [
        {"id": trigger["triggerId"], "name": TRIGGER, "type": "TRIGGER", "parentNodeIds": []},
        {"id": first, "name": JOBS[0], "type": "JOB", "parentNodeIds": [trigger["triggerId"]]},
        {"id": second, "name": JOBS[1], "type": "JOB", "parentNodeIds": [first]},
    ]
    made = client.ask("POST", "/api/v1/workflows", {"name": WORKFLOW, "nodes": nodes})
    path = f"/api/v1/workflows/{made['workflowId']}"
    # It is scheduled, and not to be waited for here.
    begun = client.ask("POST", f"{path}/executions?runNow=true")
    run = _ended(client, f"{path}/runs/{begun['runId']}")
    for job in run["jobs"]:
        print(f"  {job['jobName']}: {job['status']}")
    for execution in client.ask("GET", f"{path}/executions")["list"]:
        told = {key: execution[key] for key in ("jobName", "type", "triggerName", "status", "startDate", "endDate")}
        print(f"  {json.dumps(told)}")
    day = f"{datetime.now(UTC).astimezone(_KOREA):%Y-%m-%d}"
    figures = client.ask("GET", f"/api/v1/stats/executions?startDate={day}T00:00:00&endDate={day}T23:59:59")
    print(f"  {json.dumps(figures)}")
    return 0 if run["status"] == "COMPLETED" else 1


def _clear(client: Client) -> None:
    """Take away what an earlier demo left."""
    for kind, key, names in _KINDS:
        for old in client.send("GET", f"/api/v1/{kind}")["list"]:
            if old["name"] in names:
                client.send("DELETE", f"/api/v1/{kind}/{old[key]}")


def _job(client: Client, example: str) -> str:
    sent = json.loads((EXAMPLES / f"{example}.json").read_text(encoding="utf-8"))
    return str(client.ask("POST", "/api/v1/jobs", sent)["jobId"])


def _ended(client: Client, target: str) -> dict[str, Any]:
    until = time.monotonic() + _LIMIT
    run: dict[str, Any] = client.ask("GET", target)
    while run["status"] in _UNENDED:
        if time.monotonic() > until:
            raise SystemExit(f"the run did not end within {_LIMIT:g} s")
        time.sleep(0.1)
        run = client.send("GET", target)
    return run
