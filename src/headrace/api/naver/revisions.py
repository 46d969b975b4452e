"""The operations on revisions of jobs and workflows; they are ours."""

from fastapi import Request, Response

from headrace.api.call import call_of
from headrace.api.changes import Changed, changed
from headrace.api.naver.answers import answered, job_answer, listed, of_revision
from headrace.api.naver.jobs import permit_job
from headrace.api.naver.reading import if_match_of, page_of, unknown_query
from headrace.api.naver.workflows import permit_workflow, workflow_answer
from headrace.core import revisions, rights
from headrace.core.revisions import Kind
from headrace.db import Connection
from headrace.errors import NotFound

_MOST_DIGITS = 9


def get_job_revisions(request: Request, jobId: str) -> Response:
    """View what a job was before, the newest first."""
    return _listed(request, "job", jobId)


def get_job_revision(request: Request, jobId: str, revision: str) -> Response:
    """View a job as it was sent for one of its revisions."""
    return _shown(request, "job", jobId, revision)


def restore_job_revision(request: Request, jobId: str, revision: str) -> Response:
    """Let a job be again what it was; that is a new revision."""
    call, number = call_of(request), _number(revision, "job")
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
    return _listed(request, "workflow", workflowId)


def get_workflow_revision(request: Request, workflowId: str, revision: str) -> Response:
    """View a workflow as it was sent for one of its revisions."""
    return _shown(request, "workflow", workflowId, revision)


def restore_workflow_revision(request: Request, workflowId: str, revision: str) -> Response:
    """Let a workflow be again what it was; that is a new revision."""
    call, number = call_of(request), _number(revision, "workflow")
    if_match = if_match_of(call)

    def change(con: Connection) -> Changed:
        permit_workflow(con, call, workflowId)
        now = call.server.now()
        saved = revisions.restore_workflow(con, call.principal, workflowId, number, if_match=if_match, now=now)
        rights.permit_name(call.principal, call.operation.action, saved.workflow.name)
        detail = {"revision": saved.workflow.revision, "restored": number}
        return Changed(f"workflows/{workflowId}", workflow_answer(saved, request), detail)

    return changed(call, change)


def _listed(request: Request, kind: Kind, id: str) -> Response:
    call, page = call_of(request), page_of(request)
    with call.server.database.reading() as con:
        rights.permit(con, call.principal, call.operation.action, kind=kind, id=id)
        rows, count = revisions.list(con, call.principal, kind, id, page=page)
    found = listed([of_revision(row) for row in rows], count=count, page=page)
    return answered(found, warnings=unknown_query(request, ("page", "limit")))


def _shown(request: Request, kind: Kind, id: str, revision: str) -> Response:
    call, number = call_of(request), _number(revision, kind)
    with call.server.database.reading() as con:
        rights.permit(con, call.principal, call.operation.action, kind=kind, id=id)
        found = revisions.get(con, call.principal, kind, id, number)
    return answered(of_revision(found), warnings=unknown_query(request, ()))


def _number(text: str, kind: Kind) -> int:
    """A revision's number; what is none names no revision. Raises NotFound."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise NotFound(revisions.WORD[kind], text)
    return int(text)
