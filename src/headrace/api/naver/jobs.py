"""The operations on jobs."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fastapi import Request, Response

from headrace.api.call import Call, call_of
from headrace.api.changes import Changed, changed, noted
from headrace.api.naver.answers import answered, job_answer, listed, of_job_row
from headrace.api.naver.errors import NotImplementedYet
from headrace.api.naver.reading import body_of, flag_of, if_match_of, page_of, text_of, unknown_keys, unknown_query
from headrace.auth.policy import Action
from headrace.core import jobs, resources, rights
from headrace.core.audit import Deed
from headrace.core.jobs import Job, JobFilter
from headrace.db import Connection
from headrace.definition import JobBody, of
from headrace.errors import BadParameter, Denied, JobInvalid, Problem

CHECK = "checkResources"
STATUSES = ("RUNNABLE", "RUNNING", "DELETED", "UNKNOWN", "DRAFT", "STOPPED", "EDITING")
_BODY = tuple(field.alias or name for name, field in JobBody.model_fields.items())


def get_jobs(request: Request) -> Response:
    """View the list of jobs."""
    call, page = call_of(request), page_of(request)
    wanted = JobFilter(name=text_of(request, "name") or "", status=_status(request))
    with call.server.database.reading() as con:
        rows, count = jobs.list(con, call.principal, filter=wanted, page=page)
    warnings = unknown_query(request, ("name", "status", "page", "limit"))
    shown = [of_job_row(job, hidden=not call.principal.may(*_seen(job))) for job in rows]
    return answered(listed(shown, count=count, page=page), warnings=warnings)


def get_job(request: Request, jobId: str) -> Response:
    """View a job."""
    call = call_of(request)
    with call.server.database.reading() as con:
        permit_job(con, call, jobId)
        job = jobs.get(con, call.principal, jobId)
    return job_answer(job, warnings=unknown_query(request, ()))


def create_job(request: Request) -> Response:
    """Create a job."""
    call = call_of(request)
    sent = body_of(call)
    _refuse_scripts(sent, "createJob")
    rights.permit_name(call.principal, call.operation.action, sent.get("name"))
    if flag_of(request, CHECK):
        resources.look(call.principal, sent, call.server.settings)

    def change(con: Connection) -> Changed:
        job = jobs.create(con, call.principal, sent, now=call.server.now())
        rights.refuse_unmapped(job.condition.nrn, call.server.nrns)
        warnings = _warnings(request, sent)
        return Changed(f"jobs/{job.job_id}", job_answer(job, status=201, warnings=warnings), {"name": job.name})

    return changed(call, change)


def update_job(request: Request, jobId: str) -> Response:
    """Change a job, whose name and type must be there; what is left out else stays as it is."""
    return _update(request, jobId, partial=False)


def patch_job(request: Request, jobId: str) -> Response:
    """Change a job: what is left out of the body stays as it is."""
    return _update(request, jobId, partial=True)


def delete_job(request: Request, jobId: str) -> Response:
    """Delete a job; its executions stay readable."""
    call = call_of(request)

    def change(con: Connection) -> Changed:
        permit_job(con, call, jobId)
        jobs.delete(con, call.principal, jobId, now=call.server.now())
        return Changed(f"jobs/{jobId}", answered(True, warnings=unknown_query(request, ())))

    return changed(call, change)


def verify_job(request: Request) -> Response:
    """Check a job without keeping it. With a `jobId` it is that job, with the changes of the body."""
    call = call_of(request)
    sent = body_of(call)
    _refuse_scripts(sent, "verifyJob")
    job_id = sent.pop("jobId", None)
    whole = sent if job_id is None else _kept(call, job_id, sent)
    with call.server.database.reading() as con:
        condition = jobs.verify(con, call.principal, whole)
    rights.refuse_unmapped(condition.nrn, call.server.nrns)
    if flag_of(request, CHECK):
        resources.look(call.principal, whole, call.server.settings)
    if job_id is not None and call.principal.may("Change/updateJob"):
        _runnable_again(call, job_id, whole)
    return answered(True, warnings=_warnings(request, whole))


def update_job_execution_config(request: Request, jobId: str) -> Response:
    """Change how a job is executed; fields that are left out keep their value."""
    call = call_of(request)
    sent = body_of(call)
    if "jobCondition" not in sent:
        raise BadParameter([Problem("bad-field", "is missing", field="jobCondition")])
    if_match, condition = if_match_of(call), sent["jobCondition"]

    def change(con: Connection) -> Changed:
        permit_job(con, call, jobId)
        job = jobs.set_condition(con, call.principal, jobId, condition, if_match=if_match, now=call.server.now())
        rights.refuse_unmapped(job.condition.nrn, call.server.nrns)
        warnings = (*unknown_query(request, ()), *unknown_keys(sent, ("jobCondition",)))
        return Changed(f"jobs/{jobId}", job_answer(job, warnings=warnings), {"revision": job.revision})

    return changed(call, change)


def _update(request: Request, job_id: str, *, partial: bool) -> Response:
    call = call_of(request)
    sent = body_of(call)
    _refuse_scripts(sent, "updateJob")
    if_match = if_match_of(call)
    if flag_of(request, CHECK):
        resources.look(call.principal, _kept(call, job_id, sent), call.server.settings)

    def change(con: Connection) -> Changed:
        permit_job(con, call, job_id)
        rights.permit_name(call.principal, call.operation.action, sent.get("name"))
        now = call.server.now()
        job = jobs.update(con, call.principal, job_id, sent, partial=partial, if_match=if_match, now=now)
        rights.refuse_unmapped(job.condition.nrn, call.server.nrns)
        warnings = _warnings(request, {"name": job.name, "nodes": [], **sent})
        return Changed(f"jobs/{job_id}", job_answer(job, warnings=warnings), {"revision": job.revision})

    return changed(call, change)


def permit_job(con: Connection, call: Call, job_id: str) -> None:
    """Raise Denied when the caller may not do to this job what the operation does."""
    rights.permit(con, call.principal, call.operation.action, kind="job", id=job_id)


def _seen(job: Job) -> tuple[Action, str, str]:
    return "View/getJobDetail", job.job_id, job.name


def _kept(call: Call, job_id: object, sent: Mapping[str, Any]) -> dict[str, Any]:
    """A job as it would be with these changes. Raises NotFound, Denied."""
    if not isinstance(job_id, str):
        raise BadParameter([Problem("bad-field", "is the id of a job", field="jobId")])
    with call.server.database.reading() as con:
        rights.permit(con, call.principal, "View/getJobDetail", kind="job", id=job_id)
        return jobs.over(jobs.get(con, call.principal, job_id), sent)


def _runnable_again(call: Call, job_id: str, whole: Mapping[str, Any]) -> None:
    with suppress(Denied), call.server.database.transaction() as con:
        rights.permit(con, call.principal, "Change/updateJob", kind="job", id=job_id)
        if jobs.runnable_again(con, call.principal, job_id, whole):
            noted(con, call, Deed("Change/updateJob", f"jobs/{job_id}", detail={"status": "RUNNABLE"}))


def _status(request: Request) -> str:
    """The status that is asked for; READY is the newer word for RUNNABLE."""
    status = text_of(request, "status") or ""
    if not status or status in STATUSES:
        return status
    if status == "READY":
        return "RUNNABLE"
    told = f"{status[:40]!r} is not a status; there is READY, {', '.join(STATUSES)}"
    raise BadParameter([Problem("bad-value", told, field="status")])


def _refuse_scripts(sent: Mapping[str, Any], operation: str) -> None:
    if sent.get("type") == "SCRIPT":
        raise NotImplementedYet(operation, hint="jobs of type SCRIPT do not exist yet; send VISUAL and nodes")


def _warnings(request: Request, sent: Mapping[str, Any]) -> list[Problem]:
    """What is worth telling of a body that was taken, and of the query."""
    told = unknown_query(request, (CHECK,))
    try:
        return [*told, *of(sent).checked({})[1]]
    except JobInvalid:  # a draft may be anything
        return [*told, *unknown_keys(sent, _BODY)]
