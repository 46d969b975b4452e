"""The operations on jobs."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from headrace.api.call import call_of
from headrace.api.naver.answers import answered, job_answer, listed, of_job_row
from headrace.api.naver.errors import NotImplementedYet
from headrace.api.naver.reading import body_of, if_match_of, page_of, text_of, unknown_keys, unknown_query
from headrace.core import jobs
from headrace.core.jobs import JobFilter
from headrace.definition import JobBody, of
from headrace.errors import BadParameter, JobInvalid, Problem

STATUSES = ("RUNNABLE", "RUNNING", "DELETED", "UNKNOWN", "DRAFT", "STOPPED", "EDITING")
_BODY = tuple(field.alias or name for name, field in JobBody.model_fields.items())


def get_jobs(request: Request) -> Response:
    """View the list of jobs."""
    call, page = call_of(request), page_of(request)
    wanted = JobFilter(name=text_of(request, "name") or "", status=_status(request))
    with call.server.database.reading() as con:
        rows, count = jobs.list(con, call.principal, filter=wanted, page=page)
    warnings = unknown_query(request, ("name", "status", "page", "limit"))
    return answered(listed([of_job_row(job) for job in rows], count=count, page=page), warnings=warnings)


def get_job(request: Request, jobId: str) -> Response:
    """View a job."""
    call = call_of(request)
    with call.server.database.reading() as con:
        job = jobs.get(con, call.principal, jobId)
    return job_answer(job, warnings=unknown_query(request, ()))


def create_job(request: Request) -> Response:
    """Create a job."""
    call = call_of(request)
    sent = body_of(call)
    _refuse_scripts(sent, "createJob")
    with call.server.database.transaction() as con:
        job = jobs.create(con, call.principal, sent, now=call.server.now())
    return job_answer(job, status=201, warnings=_warnings(request, sent))


def update_job(request: Request, jobId: str) -> Response:
    """Replace a job: what is left out of the body goes back to its default."""
    return _update(request, jobId, partial=False)


def patch_job(request: Request, jobId: str) -> Response:
    """Change a job: what is left out of the body stays as it is."""
    return _update(request, jobId, partial=True)


def delete_job(request: Request, jobId: str) -> Response:
    """Delete a job; its executions stay readable."""
    call = call_of(request)
    with call.server.database.transaction() as con:
        jobs.delete(con, call.principal, jobId, now=call.server.now())
    return answered(True, warnings=unknown_query(request, ()))


def verify_job(request: Request) -> Response:
    """Check a job without keeping it."""
    sent = body_of(call_of(request))
    _refuse_scripts(sent, "verifyJob")
    jobs.verify(sent)
    return answered(True, warnings=_warnings(request, sent))


def update_job_execution_config(request: Request, jobId: str) -> Response:
    """Change how a job is executed; fields that are left out keep their value."""
    call = call_of(request)
    sent = body_of(call)
    if "jobCondition" not in sent:
        raise BadParameter([Problem("missing", "is required", field="jobCondition")])
    if_match, condition = if_match_of(call), sent["jobCondition"]
    with call.server.database.transaction() as con:
        job = jobs.set_condition(con, call.principal, jobId, condition, if_match=if_match, now=call.server.now())
    warnings = (*unknown_query(request, ()), *unknown_keys(sent, ("jobCondition",)))
    return job_answer(job, warnings=warnings)


def _update(request: Request, job_id: str, *, partial: bool) -> Response:
    call = call_of(request)
    sent = body_of(call)
    _refuse_scripts(sent, "updateJob")
    if_match = if_match_of(call)
    with call.server.database.transaction() as con:
        job = jobs.update(con, call.principal, job_id, sent, partial=partial, if_match=if_match, now=call.server.now())
    return job_answer(job, warnings=_warnings(request, {"name": job.name, "nodes": [], **sent}))


def _status(request: Request) -> str:
    """The status that is asked for; READY is the newer word for RUNNABLE."""
    status = text_of(request, "status") or ""
    if not status or status in STATUSES:
        return status
    if status == "READY":
        return "RUNNABLE"
    told = f"{status[:40]!r} is not a status; there is {', '.join(STATUSES)}"
    raise BadParameter([Problem("bad-value", told, field="status")])


def _refuse_scripts(sent: Mapping[str, Any], operation: str) -> None:
    if sent.get("type") == "SCRIPT":
        raise NotImplementedYet(operation, hint="jobs of type SCRIPT do not exist yet; send VISUAL and nodes")


def _warnings(request: Request, sent: Mapping[str, Any]) -> list[Problem]:
    """What is worth telling of a body that was taken, and of the query."""
    told = unknown_query(request, ())
    try:
        return [*told, *of(sent).checked({})[1]]
    except JobInvalid:  # a draft may be anything
        return [*told, *unknown_keys(sent, _BODY)]
