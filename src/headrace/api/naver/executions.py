"""The operations on executions of jobs; cancel, log, report and script are ours."""

from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from headrace.api import streaming
from headrace.api.call import Call, call_of
from headrace.api.changes import Changed, changed
from headrace.api.naver.answers import Json, answered, listed, of_accepted, of_attempt, of_chunk, of_execution
from headrace.api.naver.jobs import permit_job
from headrace.api.naver.reading import body_of, page_of, text_of, unknown_keys, unknown_query, whole_of
from headrace.core import executions, rights
from headrace.core.executions import Execution
from headrace.db import Connection
from headrace.errors import BadParameter, Problem
from headrace.wording import kind_of

ENDED = ("COMPLETED", "FAILED", "CANCELED")
MOST_CHUNKS = 1000


def create_job_execution(request: Request, jobId: str) -> Response:
    """Execute a job: the run waits in the queue."""
    call = call_of(request)
    sent = body_of(call, optional=True)
    trigger, workflow = text_of(request, "triggerId"), text_of(request, "workflowId")
    known = ("jobCondition", "parameters")
    warnings = (*unknown_query(request, ("triggerId", "workflowId")), *unknown_keys(sent, known))

    def change(con: Connection) -> Changed:
        permit_job(con, call, jobId)
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
        rights.refuse_unmapped(execution.condition.nrn, call.server.nrns)
        answer = answered(of_accepted(execution), warnings=warnings)
        return Changed(f"jobs/{jobId}/executions/{execution.execution_id}", answer)

    return changed(call, change)


def get_job_executions(request: Request, jobId: str) -> Response:
    """View the executions of a job, the newest first."""
    call, page = call_of(request), page_of(request)
    with call.server.database.reading() as con:
        permit_job(con, call, jobId)
        rows, count = executions.list(con, call.principal, jobId, page=page)
    now = call.server.now()
    found = listed([of_execution(row, now=now) for row in rows], count=count, page=page)
    return answered(found, warnings=unknown_query(request, ("page", "limit")))


def get_job_execution(request: Request, jobId: str, executionId: str) -> Response:
    """View an execution."""
    call = call_of(request)
    with call.server.database.reading() as con:
        permit_job(con, call, jobId)
        execution = executions.get(con, call.principal, jobId, executionId)
    return answered(of_execution(execution, now=call.server.now()), warnings=unknown_query(request, ()))


def cancel_job_execution(request: Request, jobId: str, executionId: str) -> Response:
    """Stop an execution: one that waits at once, one that runs as soon as its worker hears of it."""
    call = call_of(request)

    def change(con: Connection) -> Changed:
        permit_job(con, call, jobId)
        executions.cancel(con, call.principal, jobId, executionId, now=call.server.now())
        answer = answered(True, warnings=unknown_query(request, ()))
        return Changed(f"jobs/{jobId}/executions/{executionId}", answer)

    return changed(call, change)


def get_job_execution_log(request: Request, jobId: str, executionId: str) -> Response:
    """The console log after the piece `after`; `ended` says that no more will come.

    Who accepts `text/event-stream` follows it; `Last-Event-ID` goes on where a connection broke.
    """
    call = call_of(request)
    after, limit = whole_of(request, "after", 0), min(whole_of(request, "limit", MOST_CHUNKS), MOST_CHUNKS)
    if streaming.MEDIA_TYPE in call.headers.get("accept", ""):
        _log(call, jobId, executionId, after, limit=0)  # not found is told before the stream begins
        last = call.headers.get("last-event-id", "")
        begin = int(last) if last.isascii() and last.isdecimal() and len(last) <= 18 else after
        return StreamingResponse(
            streaming.followed(partial(_followed, call, jobId, executionId), begin),
            media_type=streaming.MEDIA_TYPE,
            headers={"cache-control": "no-store"},
        )
    execution, pieces = _log(call, jobId, executionId, after, limit=limit)
    told = {
        "jobExecutionId": execution.execution_id,
        "status": execution.status,
        "ended": execution.status in ENDED and len(pieces) < limit,
        "next": pieces[-1]["id"] if pieces else after,
        "list": pieces,
    }
    return answered(told, warnings=unknown_query(request, ("after", "limit")))


def get_job_execution_report(request: Request, jobId: str, executionId: str) -> Response:
    """What the run told when it had ended, its attempts, and the revision of the job that it ran."""
    call = call_of(request)
    with call.server.database.reading() as con:
        permit_job(con, call, jobId)
        execution = executions.get(con, call.principal, jobId, executionId)
        report = executions.report(con, call.principal, jobId, executionId)
        attempts = executions.attempts(con, call.principal, jobId, executionId)
    told = {
        "jobExecutionId": execution.execution_id,
        "status": execution.status,
        "jobRevision": execution.job_revision,
        "attempts": [of_attempt(attempt) for attempt in attempts],
        "failure": execution.failure,
        "warnings": list(execution.warnings),
        "report": report,
    }
    return answered(told, warnings=unknown_query(request, ()))


def get_job_execution_script(request: Request, jobId: str, executionId: str) -> Response:
    """What the last attempt ran, in the language of its engine; who accepts `text/plain` gets the text alone."""
    call = call_of(request)
    with call.server.database.reading() as con:
        permit_job(con, call, jobId)
        execution = executions.get(con, call.principal, jobId, executionId)
        script = executions.script(con, call.principal, jobId, executionId)
    if "text/plain" in call.headers.get("accept", ""):
        return PlainTextResponse(script.text if script else "")
    told = {
        "jobExecutionId": execution.execution_id,
        "status": execution.status,
        "attempt": script.attempt if script else None,
        "engine": script.engine if script else None,
        "script": script.text if script else None,
    }
    return answered(told, warnings=unknown_query(request, ()))


def _object(sent: dict[str, Any], name: str) -> dict[str, Any] | None:
    """An object inside the body, None when it is absent or null. Raises BadParameter."""
    given = sent.get(name)
    if given is not None and not isinstance(given, dict):
        raise BadParameter([Problem("bad-field", f"should be an object, not {kind_of(given)}", field=name)])
    return given


def _log(call: Call, job_id: str, execution_id: str, after: int, *, limit: int) -> tuple[Execution, list[Json]]:
    with call.server.database.reading() as con:
        permit_job(con, call, job_id)
        execution = executions.get(con, call.principal, job_id, execution_id)
        chunks = executions.log(con, call.principal, job_id, execution_id, after=after, limit=limit)
    return execution, [of_chunk(chunk) for chunk in chunks]


def _followed(call: Call, job_id: str, execution_id: str, after: int) -> tuple[list[Json], bool]:
    execution, pieces = _log(call, job_id, execution_id, after, limit=MOST_CHUNKS)
    return pieces, execution.status in ENDED and len(pieces) < MOST_CHUNKS
