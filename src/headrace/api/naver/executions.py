"""The operations on executions of jobs; cancel, log and report are ours."""

from typing import Any

from fastapi import Request, Response

from headrace.api.call import call_of
from headrace.api.naver.answers import answered, listed, of_accepted, of_attempt, of_chunk, of_execution
from headrace.api.naver.reading import body_of, page_of, text_of, unknown_keys, unknown_query, whole_of
from headrace.core import executions
from headrace.errors import BadParameter, Problem

ENDED = ("COMPLETED", "FAILED", "CANCELED")
MOST_CHUNKS = 1000


def create_job_execution(request: Request, jobId: str) -> Response:
    """Execute a job: the run waits in the queue."""
    call = call_of(request)
    sent = body_of(call, optional=True)
    trigger, workflow = text_of(request, "triggerId"), text_of(request, "workflowId")
    with call.server.database.transaction() as con:
        execution = executions.create(
            con,
            call.principal,
            jobId,
            condition=_object(sent, "jobCondition"),
            parameters=_object(sent, "parameters"),
            trigger_id=trigger,
            workflow_id=workflow,
            now=call.server.now(),
        )
    known = ("jobCondition", "parameters")
    warnings = (*unknown_query(request, ("triggerId", "workflowId")), *unknown_keys(sent, known))
    return answered(of_accepted(execution), warnings=warnings)


def get_job_executions(request: Request, jobId: str) -> Response:
    """View the executions of a job, the newest first."""
    call, page = call_of(request), page_of(request)
    with call.server.database.reading() as con:
        rows, count = executions.list(con, call.principal, jobId, page=page)
    now = call.server.now()
    found = listed([of_execution(row, now=now) for row in rows], count=count, page=page)
    return answered(found, warnings=unknown_query(request, ("page", "limit")))


def get_job_execution(request: Request, jobId: str, executionId: str) -> Response:
    """View an execution."""
    call = call_of(request)
    with call.server.database.reading() as con:
        execution = executions.get(con, call.principal, jobId, executionId)
    return answered(of_execution(execution, now=call.server.now()), warnings=unknown_query(request, ()))


def cancel_job_execution(request: Request, jobId: str, executionId: str) -> Response:
    """Stop an execution: one that waits at once, one that runs as soon as its worker hears of it."""
    call = call_of(request)
    with call.server.database.transaction() as con:
        executions.cancel(con, call.principal, jobId, executionId, now=call.server.now())
    return answered(True, warnings=unknown_query(request, ()))


def get_job_execution_log(request: Request, jobId: str, executionId: str) -> Response:
    """The console log after the piece `after`; `ended` says that no more will come."""
    call = call_of(request)
    after, limit = whole_of(request, "after", 0), whole_of(request, "limit", MOST_CHUNKS)
    with call.server.database.reading() as con:
        execution = executions.get(con, call.principal, jobId, executionId)
        chunks = executions.log(con, call.principal, jobId, executionId, after=after, limit=min(limit, MOST_CHUNKS))
    told = {
        "jobExecutionId": execution.execution_id,
        "status": execution.status,
        "ended": execution.status in ENDED and len(chunks) < min(limit, MOST_CHUNKS),
        "next": chunks[-1].id if chunks else after,
        "list": [of_chunk(chunk) for chunk in chunks],
    }
    return answered(told, warnings=unknown_query(request, ("after", "limit")))


def get_job_execution_report(request: Request, jobId: str, executionId: str) -> Response:
    """What the run told when it had ended, its attempts, and the revision of the job that it ran."""
    call = call_of(request)
    with call.server.database.reading() as con:
        execution = executions.get(con, call.principal, jobId, executionId)
        report = executions.report(con, call.principal, jobId, executionId)
        attempts = executions.attempts(con, call.principal, jobId, executionId)
    told = {
        "jobExecutionId": execution.execution_id,
        "status": execution.status,
        "jobRevision": execution.job_revision,
        "attempts": [of_attempt(attempt) for attempt in attempts],
        "failure": execution.failure,
        "report": report,
    }
    return answered(told, warnings=unknown_query(request, ()))


def _object(sent: dict[str, Any], name: str) -> dict[str, Any] | None:
    """An object inside the body, None when it is absent or null. Raises BadParameter."""
    given = sent.get(name)
    if given is not None and not isinstance(given, dict):
        raise BadParameter([Problem("bad-field", "is an object", field=name)])
    return given
