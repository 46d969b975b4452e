"""Jobs and executions as the API tells them: found by id or name, and shown as tables."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from headrace.cli import finding, show
from headrace.cli.asking import Ask
from headrace.errors import NotFound

Json = Mapping[str, Any]
_JOBS = "/api/v1/jobs"
_SHOWN = 5


def jobs(ask: Ask, *, name: str | None = None, status: str | None = None) -> list[dict[str, Any]]:
    """All jobs that match."""
    return finding.every(ask, _JOBS, {"name": name, "status": status})


def id_of(ask: Ask, name: str, *, deleted: bool = False) -> str:
    """The id of a job that is named by its id or its name. Raises NotFound."""
    if deleted and finding.by_id(ask, f"{_JOBS}/{name}/executions?page=0&limit=0", name) is not None:
        return name
    found = finding.one(ask, _JOBS, name)
    if found is None and deleted:
        found = next((each for each in jobs(ask, name=name, status="DELETED") if each["name"] == name), None)
    if found is None:
        raise NotFound("job", name)
    return str(found["jobId"])


def job(ask: Ask, name: str) -> dict[str, Any]:
    """A job in full. Raises NotFound."""
    found: dict[str, Any] = ask("GET", f"{_JOBS}/{id_of(ask, name)}")
    return found


def executions(ask: Ask, job_id: str, *, limit: int) -> list[dict[str, Any]]:
    """The last executions of a job, the newest first."""
    found: list[dict[str, Any]] = ask("GET", f"{_JOBS}/{quote(job_id)}/executions?page=0&limit={limit}")["list"]
    return found


def execution_target(ask: Ask, name: str, execution: str | None) -> str:
    """The path of an execution; without an id it is the last one of the job. Raises NotFound."""
    job_id = id_of(ask, name, deleted=True)
    if execution is None:
        last = executions(ask, job_id, limit=1)
        if not last:
            raise NotFound("execution", f"of job {name}")
        execution = str(last[0]["jobExecutionId"])
    return f"{_JOBS}/{quote(job_id)}/executions/{quote(execution)}"


def shown_jobs(found: Sequence[Json]) -> str:
    """A line for each job."""
    rows = [
        (each["jobId"], each["name"], each.get("status", "-"), each.get("lastExecutionStatus", "-"), _last(each))
        for each in found
    ]
    return show.table(("id", "name", "status", "last execution", "at"), rows)


def shown_job(ask: Ask, job: Json) -> str:
    """What a job is, and its last executions."""
    condition = job.get("runCondition") or job.get("jobCondition") or {}
    facts = [
        ("id", job["jobId"]),
        ("name", job["name"]),
        ("type", job["type"]),
        ("status", job["status"]),
        ("created", job["createdDate"]),
        ("updated", job["updatedDate"]),
        *((key, value) for key, value in condition.items() if value != ""),
    ]
    nodes = [(node.get("id", "-"), node.get("type", "-"), node.get("name", "-")) for node in job["nodes"]]
    parts = [show.table(("job", ""), facts), show.table(("node", "type", "name"), nodes)]
    last = executions(ask, job["jobId"], limit=_SHOWN)
    return "\n\n".join([*parts, *([shown_executions(last)] if last else [])])


def shown_executions(found: Sequence[Json]) -> str:
    """A line for each execution."""
    rows = [
        (
            each["jobExecutionId"],
            each["status"],
            each["startDate"],
            f"{each['waitingTime']} s",
            f"{each['runningTime']} s",
            (each.get("failure") or {}).get("code", "-"),
        )
        for each in found
    ]
    return show.table(("execution", "status", "accepted", "waited", "ran", "failure"), rows, right=("waited", "ran"))


def _last(job: Json) -> str:
    return str(job.get("lastExecutionDate", "-"))
