"""Our things as the vendor writes them: the keys, their order, what is left out, and which generation it is for.

A job made with the documentation of 2025 is answered in its words (`DATAFLOW`, `RUNNABLE`, `runCondition`), one made
with that of 2026-09 in those (`VISUAL`, `READY`, `jobCondition`, `maxConcurrentRuns`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import Response

from headrace.api.naver.dates import KST, seconds_between, written
from headrace.api.naver.reading import warning_header
from headrace.core.audit import Entry
from headrace.core.executions import Attempt, Execution
from headrace.core.jobs import Job
from headrace.core.paging import Page
from headrace.core.revisions import Revision
from headrace.errors import Problem
from headrace.execution.queue import LogChunk

Json = dict[str, Any]


def answered(
    content: object, *, status: int = 200, warnings: Iterable[Problem] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """An answer of JSON, in the order of its keys."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    told = {**(headers or {}), **warning_header(warnings)}
    return Response(body, status, told, media_type="application/json")


def job_answer(job: Job, *, status: int = 200, warnings: Iterable[Problem] = ()) -> Response:
    """A job; its revision is the ETag, which If-Match takes."""
    return answered(of_job(job), status=status, warnings=warnings, headers={"etag": f'"{job.revision}"'})


def of_job(job: Job) -> Json:
    """A job in full."""
    return {
        "jobId": job.job_id,
        "name": job.name,
        **({"description": job.description} if job.generation == "2025" else {}),
        "type": job.type,
        "status": job_status(job),
        **_runs_at_once(job),
        **_last(job, "lastExecutionStatus"),
        "nodes": [with_properties(node) for node in (job.definition or {}).get("nodes", ())],
        "runCondition" if job.generation == "2025" else "jobCondition": job.condition.as_json(),
        "createdDate": written(job.created_at),
        "updatedDate": written(job.updated_at),
        **_last(job, "lastExecutionDate"),
    }


def of_job_row(job: Job, *, hidden: bool) -> Json:
    """A job as a row of a list; of one that the caller may not view only what it is called."""
    if hidden:
        return {"jobId": job.job_id, "name": job.name, "resourceId": job.job_id, "disabled": True}
    return {
        "jobId": job.job_id,
        "name": job.name,
        "type": job.type,
        "status": job_status(job),
        **_runs_at_once(job),
        **_last(job, "lastExecutionStatus"),
        "createdDate": written(job.created_at),
        "updatedDate": written(job.updated_at),
        **_last(job, "lastExecutionDate"),
        "resourceId": job.job_id,
        "disabled": False,
    }


def job_status(job: Job) -> str:
    """The status in the words of the job's generation."""
    return "READY" if job.generation == "2026" and job.status == "RUNNABLE" else job.status


def of_accepted(execution: Execution) -> Json:
    """An execution as the answer to its creation has it: fewer keys than later."""
    wanted = ("jobExecutionId", "jobId", "jobCondition", "status", "startDate", "createdDate")
    full = of_execution(execution, now=execution.created_at)
    return {key: full[key] for key in (*wanted, "runningTime", "parsedParameters", "type")}


def of_execution(execution: Execution, *, now: datetime) -> Json:
    """An execution; `startDate` is the moment of acceptance, the two times are whole seconds."""
    e = execution
    begun, over = e.started_at or e.ended_at or now, e.ended_at or now
    optional = {"triggerId": e.trigger_id, "triggerName": e.trigger_name}
    return {
        "jobExecutionId": e.execution_id,
        "jobId": e.job_id,
        "jobCondition": e.condition.as_json(),
        "status": e.status,
        "startDate": written(e.created_at),
        **({"endDate": written(e.ended_at)} if e.ended_at else {}),
        "createdDate": written(e.created_at),
        **{key: value for key, value in optional.items() if value is not None},
        "jobName": e.job_name,
        "waitingTime": seconds_between(e.created_at, begun),
        **({"executorNum": e.executor_num} if e.executor_num is not None else {}),
        "runningTime": seconds_between(begun, over) if e.started_at else 0,
        # The vendor answers an array when there are none, although it calls this an object.
        "parsedParameters": dict(e.parameters) or [],
        "type": e.type,
        "jobRevision": e.job_revision,
        **({"failure": dict(e.failure)} if e.failure else {}),
        **({"warnings": list(e.warnings)} if e.warnings else {}),
    }


def of_chunk(chunk: LogChunk) -> Json:
    """A piece of a log."""
    return {
        "id": chunk.id,
        "attempt": chunk.attempt,
        "date": written(datetime.fromtimestamp(chunk.at, KST)),
        "text": chunk.text,
    }


def of_attempt(attempt: Attempt) -> Json:
    """One try of an execution."""
    return {
        "number": attempt.number,
        "worker": attempt.worker,
        "startDate": written(attempt.started_at),
        **({"endDate": written(attempt.ended_at)} if attempt.ended_at else {}),
        "outcome": attempt.outcome,
        **({"failure": dict(attempt.failure)} if attempt.failure else {}),
    }


def of_revision(revision: Revision) -> Json:
    """A revision of a job or a workflow; `definition` is what can be sent again."""
    return {
        f"{revision.kind}Id": revision.id,
        "revision": revision.revision,
        "createdDate": written(revision.created_at),
        "createdBy": revision.created_by,
        **({"definition": dict(revision.definition)} if revision.definition is not None else {}),
    }


def of_entry(entry: Entry) -> Json:
    """A row of the audit log."""
    return {
        "id": entry.id,
        "date": written(entry.at),
        "principal": entry.principal,
        "accessKey": entry.access_key,
        "action": entry.action,
        "resource": entry.resource,
        "result": entry.result,
        "source": entry.source,
        "traceId": entry.trace_id,
        "detail": dict(entry.detail or {}),
    }


def listed(rows: Sequence[Json], *, count: int, page: Page) -> Json:
    """The envelope of a list; `count` is all that match, page and limit are as they were asked for."""
    return {"list": list(rows), "count": count, "page": page.number, "limit": page.limit}


def with_properties(node: object) -> object:
    """A node as it was sent, with the empty `properties` that the vendor adds to plain fields."""
    if not isinstance(node, dict) or not isinstance(node.get("fieldList"), list):
        return node
    return {**node, "fieldList": [_field(field) for field in node["fieldList"]]}


def _field(field: object) -> object:
    if not isinstance(field, dict):
        return field
    inner = field.get("properties")
    return {**field, "properties": [_field(each) for each in inner] if isinstance(inner, list) else []}


def _runs_at_once(job: Job) -> Json:
    return {"maxConcurrentRuns": job.max_concurrent_runs} if job.generation == "2026" else {}


def _last(job: Job, key: str) -> Json:
    """What the last execution gives; nothing for a job that never ran."""
    if key == "lastExecutionStatus":
        return {key: job.last_execution_status} if job.last_execution_status else {}
    return {key: written(job.last_execution_at)} if job.last_execution_at else {}
