"""Jobs and executions as the API tells them: found by id or name, and shown as tables."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from headrace.cli import show
from headrace.cli.asking import Ask, Refused
from headrace.errors import NotFound

Json = Mapping[str, Any]
_JOBS = "/api/v1/jobs"
_ID = re.compile(r"[A-Za-z0-9]{12}")
_PAGE = 1000
_SHOWN = 5


def jobs(ask: Ask, *, name: str | None = None, status: str | None = None) -> list[dict[str, Any]]:
    """All jobs that match, page after page."""
    wanted = {key: value for key, value in (("name", name), ("status", status)) if value}
    found: list[dict[str, Any]] = []
    while True:
        query = urlencode({**wanted, "page": len(found) // _PAGE, "limit": _PAGE})
        answer = ask("GET", f"{_JOBS}?{query}")
        found += answer["list"]
        if len(found) >= answer["count"] or not answer["list"]:
            return found


def id_of(ask: Ask, name: str, *, deleted: bool = False) -> str:
    """The id of a job that is named by its id or its name. Raises NotFound."""
    if _ID.fullmatch(name):
        if deleted:
            with suppress(Refused):
                executions(ask, name, limit=0)
                return name
        else:
            with suppress(Refused):
                return str(ask("GET", f"{_JOBS}/{name}")["jobId"])
    listed = jobs(ask, name=name) + (jobs(ask, name=name, status="DELETED") if deleted else [])
    found = [each for each in listed if each["name"] == name]
    if not found:
        raise NotFound("job", name)
    return str(found[0]["jobId"])


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
