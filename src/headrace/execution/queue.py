"""The queue of executions: the only place that writes the status of one.

A worker claims an execution for the length of a lease and renews it while it works. Whatever it writes names the token
of the lease: when the lease has ended, or somebody else holds the execution by now, nothing is written and the answer
is False or None. `now` is always the database's `Database.now`; nothing here reads a clock.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from headrace.db.session import changing
from headrace.db.tables import attempts, executions, jobs, outbox
from headrace.execution import queue_rows, states, traces
from headrace.execution.report import rows_of
from headrace.execution.states import Ended, Status
from headrace.execution.traces import NOTHING, Told

Json = Mapping[str, Any]
# Who hears of an end, each by a row of its own: done, or tried again, by itself (`core.outbox`).
CONSUMERS = ("objects",)
# Who hears, besides, of the end of an execution that belongs to a run of a workflow.
OF_WORKFLOWS = "workflows"
# What `Database.changes` counts when somebody wants an execution to end.
CANCELLED = "executions to be ended"
_SECONDS_PER_PRIORITY = 60.0
_RESCUED_AT_ONCE = 100
_SUBMIT, _BEGIN, _TELL = insert(executions), insert(attempts), insert(outbox)
_FREE: dict[str, None] = {"lease_token": None, "lease_owner": None, "lease_expires_at": None, "deadline": None}


@dataclass(frozen=True, slots=True)
class Submission:
    """An execution to be: its id, the revision of the job that it runs, and how."""

    execution_id: str
    account_id: str
    job_id: str
    job_name: str
    job_revision: int
    condition: Json
    parameters: Json
    priority: int
    max_attempts: int
    created_at: float
    type: str = "JOB"
    trigger_id: str | None = None
    trigger_name: str | None = None
    workflow_id: str | None = None
    workflow_run_id: str | None = None
    requested_by: str | None = None
    grants: Json | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """An execution that is the claimer's until the lease ends. `definition` is the JSON text of the job's revision."""

    execution_id: str
    account_id: str
    job_id: str
    job_name: str
    attempt: int
    available_at: float
    lease_token: str
    lease_expires_at: float
    definition: str
    parameters: Json
    condition: Json
    deadline: float | None
    grants: Json | None = None
    state: Json | None = None

    @property
    def may_have_published(self) -> bool:
        """Whether an earlier attempt was allowed to publish: its data may be there."""
        return _may_have_published(self)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Whether the lease still holds, whether somebody wants the execution stopped, and whether it may publish now."""

    alive: bool
    cancel: bool
    may_publish: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `failure` has at least `code` and `message`, unless the attempt completed."""

    status: Ended
    failure: Json | None = None
    report: Json | None = None
    executor_num: int | None = None


@dataclass(frozen=True, slots=True)
class Rescued:
    """An execution that was taken from a worker whose lease had ended, and what became of it."""

    execution_id: str
    worker: str
    attempt: int
    status: Status


@dataclass(frozen=True, slots=True)
class LogChunk:
    """A piece of an execution's console log; ids rise."""

    id: int
    attempt: int
    at: float
    text: str


def submit(con: Connection, submission: Submission) -> str:
    """Put an execution into the queue. A priority of one more counts as much as a minute of waiting."""
    fields = {name: getattr(submission, name) for name in Submission.__slots__}
    at = submission.created_at
    turn = at - _SECONDS_PER_PRIORITY * submission.priority
    con.execute(_SUBMIT, {**fields, "status": "READY", "available_at": at, "turn": turn})
    last = {"last_execution_id": submission.execution_id, "last_execution_status": "READY", "last_execution_at": at}
    con.execute(queue_rows.counted(), {"this": submission.job_id, **last})
    return submission.execution_id


def news_for(consumer: str) -> str:
    """What `Database.changes` counts when there is something new in the outbox for a consumer."""
    return f"outbox {consumer}"


def claim(
    con: Connection,
    *,
    worker: str,
    lease_seconds: float,
    now: float,
    pools: Collection[str] = ("default",),
    limit: int = 1,
) -> list[Claimed]:
    """Take what waits and may run, at most so many. What another claimer looks at just now is left to it."""
    claimed: list[Claimed] = []
    passed: list[str] = []
    while len(claimed) < limit:
        found = con.execute(queue_rows.first_waiting(), {"pools": [*pools], "now": now, "passed": passed}).first()
        if found is None:
            break
        # Whoever holds a job, also one that was full, waits for no other: so two claimers never wait for each other.
        most = con.scalar(queue_rows.places(skip=bool(claimed or passed)), {"job": found.job_id})
        taken = most and _take(con, found, most=most, worker=worker, now=now, expires=now + lease_seconds)
        if not taken:
            passed.append(found.execution_id)
        else:
            claimed.append(taken)
    return claimed


def renew(con: Connection, token: str, *, now: float, lease_seconds: float, publishing: bool = False) -> Renewal:
    """Keep what is held for so long from now on.

    A run that is about to publish may do so unless somebody wants it stopped, and is marked in the same step: from then
    on it is not CANCELED before somebody has looked whether its data is there.
    """
    told = {"token": token, "now": now, "expires": now + lease_seconds}
    found = con.execute(queue_rows.renewed(publishing=publishing), told).first()
    if found is None:
        return Renewal(alive=False, cancel=False)
    cancel = found.cancel_requested_at is not None
    return Renewal(alive=True, cancel=cancel, may_publish=publishing and not cancel)


def calm(con: Connection, tokens: Collection[str]) -> frozenset[str]:
    """Which of these leases still hold something that nobody wants to end. Writes nothing."""
    return frozenset(con.scalars(queue_rows.calm(), {"tokens": [*tokens]}))


def note_child(con: Connection, token: str, *, pid: int, now: float) -> bool:
    """Write down which process does the attempt."""
    held = _locked(con, token, now)
    if held is not None:
        con.execute(queue_rows.attempt(), {"this": held.execution_id, "try": held.attempt, "pid": pid})
    return held is not None


def finish(con: Connection, token: str, outcome: Outcome, *, now: float, told: Told = NOTHING) -> Status | None:
    """End an attempt: the execution ends with it, or waits for its next attempt. Gives what it is then."""
    held = _locked(con, token, now, told)
    if held is None:
        return None
    failure = outcome.failure if outcome.status != "COMPLETED" else None
    if outcome.status == "CANCELED" and outcome.report is None and failure and _may_have_published(held):
        return _lost(con, held, failure, now)  # it was killed before it could say what it found
    status = states.after_end(
        outcome.status,
        str((failure or {}).get("code", "")),
        errors=held.errors,
        max_attempts=held.max_attempts,
        cancelled=held.cancel_requested_at is not None,
        may_have_published=_may_have_published(held),
    )
    values = {"failure": failure, "report": outcome.report, "errors": held.errors + (outcome.status == "FAILED")}
    if outcome.report is not None:
        values |= rows_of(outcome.report)
    if outcome.executor_num is not None:
        values["executor_num"] = outcome.executor_num
    delay = states.retry_delay(held.errors)
    if status == "READY":
        traces.note(
            con, held, f"attempt {held.attempt} failed; the next one begins in {delay:g} s at the earliest", now
        )
    _leave(
        con, held, status, now=now, outcome=outcome.status, delay=delay, failure=failure, values=values, pid=told.pid
    )
    return status


def put_back(
    con: Connection, token: str, *, cause: str, delay: float, now: float, told: Told = NOTHING
) -> Status | None:
    """Give up an attempt that did nothing wrong: it waits again, or is cancelled when that was asked for."""
    held = _locked(con, token, now, told)
    if held is None:
        return None
    cancelled = held.cancel_requested_at is not None and not _may_have_published(held)
    status: Status = "CANCELED" if cancelled else "READY"
    failure = _cancelled("it was cancelled") if cancelled else {"code": "put-back", "message": cause}
    traces.note(con, held, f"attempt {held.attempt} was given up: {cause}", now)
    values = {"failure": failure if cancelled else None}
    _leave(con, held, status, now=now, outcome="PUT_BACK", delay=delay, failure=failure, values=values, pid=told.pid)
    return status


def lose(con: Connection, token: str, *, code: str, message: str, now: float, told: Told = NOTHING) -> Status | None:
    """Give up an attempt whose process died under its worker: a loss like that of the worker, told at once."""
    held = _locked(con, token, now, told)
    return None if held is None else _lost(con, held, {"code": code, "message": message}, now, pid=told.pid)


def cancel(con: Connection, execution_id: str, *, now: float) -> bool:
    """Cancel what waits; ask the worker to stop what runs. False when it has ended, or there is no such one.

    What waits and may have published is left to the next worker, which looks whether its data is there.
    """
    this = executions.c.execution_id == execution_id
    found = con.execute(queue_rows.lock(select(executions).where(this))).first()
    if found is None or found.status not in states.before("CANCELED"):
        return False
    values: dict[str, object] = {}
    if found.cancel_requested_at is None:
        values["cancel_requested_at"] = now
        changing(con, CANCELLED)
    if found.status == "READY" and _may_have_published(found):
        values["available_at"] = min(found.available_at, now)
    elif found.status == "READY":
        values |= {"status": "CANCELED", "ended_at": now, "failure": _cancelled("it was cancelled while it waited")}
        traces.note(con, found, "it was cancelled while it waited", now)
        _tell(con, found, "CANCELED", now)
    if values:
        con.execute(update(executions).where(this, executions.c.status == found.status).values(values))
    return True


def rescue(con: Connection, now: float) -> list[Rescued]:
    """Take back what is held by leases that have ended. It waits again, unless too many workers were lost over it."""
    found = con.execute(queue_rows.lost(most=_RESCUED_AT_ONCE), {"now": now}).all()
    # Everybody who writes rows of several jobs goes through them in this order, so that two never wait for each other.
    return [_rescued(con, lost, now) for lost in sorted(found, key=lambda lost: str(lost.job_id))]


def remove(con: Connection, execution_ids: Sequence[str]) -> None:
    """Remove executions, and count them no more; what belongs to them is gone by now."""
    c = executions.c
    gone = con.scalars(delete(executions).where(c.execution_id.in_(execution_ids)).returning(c.job_id)).all()
    for job_id, count in sorted(Counter(gone).items()):
        fewer = {"execution_count": jobs.c.execution_count - count}
        con.execute(update(jobs).where(jobs.c.job_id == job_id).values(fewer))


def note(con: Connection, token: str, told: Told, *, now: float) -> bool:
    """Write down what an attempt told, but for its process, as long as the lease holds."""
    return _locked(con, token, now, told) is not None


def warn(con: Connection, execution_id: str, text: str, *, now: float) -> bool:
    """Tell what went wrong beside a run, in its log too. False when that is told already, or there is no such run."""
    held = con.execute(queue_rows.lock(select(executions).where(executions.c.execution_id == execution_id))).first()
    if held is None or text in (held.warnings or ()):
        return False
    told = [*(held.warnings or ()), text]
    con.execute(update(executions).where(executions.c.execution_id == execution_id).values(warnings=told))
    traces.note(con, held, f"warning: {text}", now)
    return True


def read_log(con: Connection, execution_id: str, *, after: int = 0, limit: int = 1000) -> list[LogChunk]:
    """What the log has after the chunk of that id, at most so many chunks."""
    wanted = {"this": execution_id, "after": after, "most": limit}
    return [LogChunk(*row) for row in con.execute(queue_rows.log(), wanted)]


def _locked(con: Connection, token: str, now: float, told: Told = NOTHING) -> Row[Any] | None:
    """What the lease holds, with what was told of it written down; None when it holds nothing any more."""
    held = con.execute(queue_rows.held(), {"token": token, "now": now}).first()
    if held is not None:
        traces.keep(con, held, told, now)
    return held


def _take(con: Connection, found: Row[Any], *, most: int, worker: str, now: float, expires: float) -> Claimed | None:
    minutes = int(found.condition.get("timeout") or 0)
    told = {
        "this": found.execution_id,
        "job": found.job_id,
        "most": most,
        "now": now,
        "until": now + 60.0 * minutes if minutes else None,
        "token": secrets.token_urlsafe(16),
        "worker": worker,
        "expires": expires,
    }
    taken = con.execute(queue_rows.take(), told).first()
    if taken is None:
        return None
    begun = {"execution_id": taken.execution_id, "account_id": taken.account_id, "number": taken.attempt}
    con.execute(_BEGIN, {**begun, "worker": worker, "started_at": now})
    kept = {"job": taken.job_id, "number": taken.job_revision}
    definition = con.execute(queue_rows.definition(), kept).scalar_one()
    same = {name: getattr(taken, name) for name in Claimed.__slots__ if name != "definition"}
    return Claimed(**same, definition=definition)


def _leave(
    con: Connection,
    held: Row[Any],
    status: Status,
    *,
    now: float,
    outcome: str,
    delay: float,
    failure: Json | None,
    values: Mapping[str, object],
    pid: int = 0,
) -> None:
    """End the lease: the execution goes on to `status`, and its attempt has this outcome."""
    moved = {"available_at": now + delay} if status == "READY" else {"ended_at": now}
    this = {"this": held.execution_id, "token": held.lease_token}
    con.execute(queue_rows.left(status), {**this, **_FREE, **values, **moved, "status": status})
    tried = {"this": held.execution_id, "try": held.attempt, **({"pid": pid} if pid else {})}
    con.execute(queue_rows.attempt(), {**tried, "ended_at": now, "outcome": outcome, "failure": failure})
    if status != "READY":
        _tell(con, held, status, now)


def _tell(con: Connection, ended: Row[Any], status: Status, now: float) -> None:
    """What follows from an end leaves from the outbox, which is written in the same transaction."""
    last = {"this": ended.job_id, "last": ended.execution_id}
    con.execute(queue_rows.last_of_job(), {**last, "last_execution_status": status})
    payload = {"executionId": ended.execution_id, "jobId": ended.job_id, "status": status}
    consumers: tuple[str, ...] = CONSUMERS
    if ended.workflow_run_id is not None:
        payload["workflowRunId"] = ended.workflow_run_id
        consumers = (*consumers, OF_WORKFLOWS)
    told = {"account_id": ended.account_id, "at": now, "kind": "execution-ended", "payload": payload}
    con.execute(_TELL, [{**told, "consumer": consumer} for consumer in consumers])
    for consumer in consumers:
        changing(con, news_for(consumer))


def _may_have_published(execution: Claimed | Row[Any]) -> bool:
    state = execution.state or {}
    return bool(queue_rows.MAY_HAVE_PUBLISHED.keys() & state.keys())


def _cancelled(why: str) -> dict[str, str]:
    return {"code": "cancelled", "message": why}


def _rescued(con: Connection, lost: Row[Any], now: float) -> Rescued:
    told = f"the lease of worker {lost.lease_owner} ended: the worker died, stood still or lost the database"
    status = _lost(con, lost, {"code": "worker-lost", "message": told}, now)
    return Rescued(lost.execution_id, lost.lease_owner, lost.attempt, status)


def _lost(con: Connection, lost: Row[Any], failure: Json, now: float, *, pid: int = 0) -> Status:
    cancelled = lost.cancel_requested_at is not None
    status = states.after_loss(lost.losses, cancelled=cancelled, may_have_published=_may_have_published(lost))
    ended = _cancelled("it was cancelled, and its process was lost") if status == "CANCELED" else failure
    if status == "FAILED" and _may_have_published(lost):
        ended = {**failure, "message": f"{failure['message']}; an attempt was about to publish: its data may be there"}
    traces.note(con, lost, failure["message"], now)
    values = {"losses": lost.losses + 1, "failure": None if status == "READY" else ended}
    _leave(con, lost, status, now=now, outcome="LOST", delay=0.0, failure=failure, values=values, pid=pid)
    return status
