"""The operations on revisions of jobs and workflows; they are ours."""

from fastapi import Request, Response

from headrace.api.call import call_of
from headrace.api.changes import Changed, changed
from headrace.api.naver.answers import answered, job_answer, listed, of_revision
from headrace.api.naver.jobs import permit_job
from headrace.api.naver.reading import if_match_of, page_of, unknown_query
from headrace.api.naver.workflows import permit_workflow, workflow_answer
from headrace.core import revisions, rights
from headrace.db import Connection
from headrace.errors import NotFound

_MOST_DIGITS = 9


def get_job_revisions(request: Request, jobId: str) -> Response:
    """View what a job was before, the newest first."""
    call, page = call_of(request), page_of(request)
    with call.server.database.reading() as con:
        permit_job(con, call, jobId)
        rows, count = revisions.list(con, call.principal, "job", jobId, page=page)
    found = listed([of_revision(row) for row in rows], count=count, page=page)
    return answered(found, warnings=unknown_query(request, ("page", "limit")))


def get_job_revision(request: Request, jobId: str, revision: str) -> Response:
    """View a job as it was sent for one of its revisions."""
    call, number = call_of(request), _number(revision, "revision")
    with call.server.database.reading() as con:
        permit_job(con, call, jobId)
        found = revisions.get(con, call.principal, "job", jobId, number)
    return answered(of_revision(found), warnings=unknown_query(request, ()))


def restore_job_revision(request: Request, jobId: str, revision: str) -> Response:
    """Let a job be again what it was; that is a new revision."""
    call, number = call_of(request), _number(revision, "revision")
    if_match = if_match_of(call)

    def change(con: Connection) -> Changed:
        permit_job(con, call, jobId)
        now = call.server.now()
        job = revisions.restore_job(con, call.principal, jobId, number, if_match=if_match, now=now)
        rights.permit_name(call.principal, call.operation.action, job.name)
        rights.refuse_unmapped(job.condition.nrn, call.server.nrns)
        answer = job_answer(job, warnings=unknown_query(request, ()))
        return Changed(f"jobs/{jobId}", answer, {"revision": job.revision, "restored": number})

    return changed(call, change)


def get_workflow_revisions(request: Request, workflowId: str) -> Response:
    """View what a workflow was before, the newest first."""
    call, page = call_of(request), page_of(request)
    with call.server.database.reading() as con:
        permit_workflow(con, call, workflowId)
        rows, count = revisions.list(con, call.principal, "workflow", workflowId, page=page)
    found = listed([of_revision(row) for row in rows], count=count, page=page)
    return answered(found, warnings=unknown_query(request, ("page", "limit")))


def get_workflow_revision(request: Request, workflowId: str, revision: str) -> Response:
    """View a workflow as it was sent for one of its revisions."""
    call, number = call_of(request), _number(revision, "workflow-revision")
    with call.server.database.reading() as con:
        permit_workflow(con, call, workflowId)
        found = revisions.get(con, call.principal, "workflow", workflowId, number)
    return answered(of_revision(found), warnings=unknown_query(request, ()))


def restore_workflow_revision(request: Request, workflowId: str, revision: str) -> Response:
    """Let a workflow be again what it was; that is a new revision."""
    call, number = call_of(request), _number(revision, "workflow-revision")
    if_match = if_match_of(call)

    def change(con: Connection) -> Changed:
        permit_workflow(con, call, workflowId)
        now = call.server.now()
        saved = revisions.restore_workflow(con, call.principal, workflowId, number, if_match=if_match, now=now)
        rights.permit_name(call.principal, call.operation.action, saved.workflow.name)
        detail = {"revision": saved.workflow.revision, "restored": number}
        return Changed(f"workflows/{workflowId}", workflow_answer(saved, request), detail)

    return changed(call, change)


def _number(text: str, kind: str) -> int:
    """A revision's number; what is none names no revision. Raises NotFound."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise NotFound(kind, text)
    return int(text)
