"""Workflows and their runs as the API tells them: found by id or name, waited for, and shown as tables."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from headrace.cli import finding, show
from headrace.cli.asking import Ask
from headrace.cli.executing import helped
from headrace.cli.following import Signals, code, heard
from headrace.definition import parse
from headrace.errors import NotFound

if TYPE_CHECKING:
    from headrace.settings import Settings

Json = Mapping[str, Any]
_WORKFLOWS = "/api/v1/workflows"
_SHOWN = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
_UNENDED = ("READY", "RUNNING")


def workflows(ask: Ask, *, name: str | None = None) -> list[dict[str, Any]]:
    """All workflows that match."""
    return finding.every(ask, _WORKFLOWS, {"name": name})


def workflow(ask: Ask, name: str) -> dict[str, Any]:
    """A workflow that is named by its id or its name. Raises NotFound."""
    found = finding.one(ask, _WORKFLOWS, name)
    if found is None:
        raise NotFound("workflow", name)
    return found


def id_of(ask: Ask, name: str) -> str:
    """The id of a workflow that is named by its id or its name. Raises NotFound."""
    return str(workflow(ask, name)["workflowId"])


def payload(text: bytes) -> object:
    """What is handed to a run. Raises JobInvalid when it is not JSON."""
    return parse(text)


def begin(ask: Ask, name: str, *, payload: object, now_too: bool) -> str:
    """Start a run; gives the path under which it is to be read."""
    workflow_id = id_of(ask, name)
    query = "?runNow=true" if now_too else ""
    body = None if payload is None else {"payload": payload}
    begun = ask("POST", f"{_WORKFLOWS}/{workflow_id}/executions{query}", body)
    return f"{_WORKFLOWS}/{workflow_id}/runs/{begun['runId']}"


def runs(ask: Ask, workflow_id: str, *, limit: int) -> list[dict[str, Any]]:
    """The last runs of a workflow, the newest first."""
    found: list[dict[str, Any]] = ask("GET", f"{_WORKFLOWS}/{workflow_id}/runs?page=0&limit={limit}")["list"]
    return found


def run_target(ask: Ask, name: str, run: str | None) -> str:
    """The path of a run; without an id it is the last one of the workflow. Raises NotFound."""
    workflow_id = id_of(ask, name)
    if run is None:
        last = runs(ask, workflow_id, limit=1)
        if not last:
            raise NotFound("workflow-run", f"of workflow {name}")
        run = str(last[0]["runId"])
    return f"{_WORKFLOWS}/{workflow_id}/runs/{quote(run)}"


def waited(ask: Ask, target: str, settings: "Settings") -> tuple[dict[str, Any], int]:
    """Wait for the end of a run, telling of each job what becomes of it. Gives the run and the exit code."""
    with heard() as signals, helped(ask, settings) as helps:
        over = _follow(ask, target, signals)
        if not over and helps:
            print("it is cancelled", file=sys.stderr, flush=True)
            ask("POST", f"{target}/cancel")
            _follow(ask, target, Signals())
    run: dict[str, Any] = ask("GET", target)
    if not over and not helps:
        print("the run goes on; see it by: headrace workflows show-run, or cancel", file=sys.stderr)
    return run, code(run) if over else signals.code


def shown_workflows(found: Sequence[Json]) -> str:
    """A line for each workflow."""
    rows = [
        (
            each["workflowId"],
            each["name"],
            "draft" if each.get("isTemp") else each.get("triggerRuleType", "-"),
            sum(node.get("type") == "JOB" for node in each.get("nodes", ())),
            each.get("lastExecutionDate", "-"),
        )
        for each in found
    ]
    return show.table(("id", "name", "started by", "jobs", "last run"), rows, right=("jobs",))


def shown_workflow(ask: Ask, found: Json) -> str:
    """What a workflow is, and its last runs."""
    facts = [
        ("id", found["workflowId"]),
        ("name", found["name"]),
        ("draft", "yes" if found["isTemp"] else "no"),
        ("created", found["createdDate"]),
        ("updated", found["updatedDate"]),
    ]
    names = {node.get("id"): str(node.get("name")) for node in found["nodes"]}
    nodes = [
        (
            node.get("type", "-"),
            node.get("name", "-"),
            node.get("id", "-"),
            ", ".join(names.get(parent, parent) for parent in node.get("parentNodeIds", ())) or "-",
            node.get("runOn", "SUCCEEDED") if node.get("type") == "JOB" else node.get("triggerRule", "-"),
            "" if node.get("isValid", True) else "it was deleted",
        )
        for node in found["nodes"]
    ]
    parts = [show.table(("workflow", ""), facts), show.table(("node", "name", "id", "after", "on", ""), nodes)]
    last = runs(ask, str(found["workflowId"]), limit=_SHOWN)
    return "\n\n".join([*parts, *([shown_runs(last)] if last else [])])


def shown_runs(found: Sequence[Json]) -> str:
    """A line for each run."""
    rows = [
        (each["runId"], each["status"], each["createdDate"], each.get("endDate", "-"), each["createdBy"])
        for each in found
    ]
    return show.table(("run", "status", "started", "ended", "by"), rows)


def shown_run(run: Json) -> str:
    """A run, and how each of its jobs stands."""
    names = {job["jobId"]: job["jobName"] for job in run["jobs"]}
    rows = [
        (
            job["jobName"],
            job["status"],
            ", ".join(names[parent] for parent in job["parentJobIds"]) or "-",
            job.get("jobExecutionId", "-"),
            (job.get("failure") or {}).get("message", ""),
        )
        for job in run["jobs"]
    ]
    table = show.table(("job", "status", "after", "execution", "failure"), rows)
    return f"{table}\n\n{run['status']}  {run['workflowName']}  run {run['runId']}"


def _follow(ask: Ask, target: str, signals: Signals) -> bool:
    """Tell of each change of a run until it ends. False when a signal came first."""
    pause, seen = _FIRST_PAUSE, dict[str, str]()
    while True:
        run = ask("GET", target)
        now = {job["jobName"]: job["status"] for job in run["jobs"]}
        for name, status in now.items():
            if seen.get(name, "WAITING") != status:
                print(f"{name}: {status}", file=sys.stderr, flush=True)
        if run["status"] not in _UNENDED:
            return True
        pause = _FIRST_PAUSE if now != seen else min(pause * 2, _LONGEST_PAUSE)
        seen = now
        if signals.came.wait(pause):
            return False
