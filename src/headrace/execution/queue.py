"""The queue of executions: the only place that writes the status of one.

A worker claims an execution for the length of a lease and renews it while it works. Whatever it writes names the token
of the lease: when the lease has ended, or somebody else holds the execution by now, nothing is written and the answer
is False or None. `now` is always the database's `Database.now`; nothing here reads a clock.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, literal, select, update

from headrace.db.tables import attempts, executions, job_revisions, jobs, log_chunks, outbox
from headrace.execution import states, traces
from headrace.execution.states import Ended, Status

Json = Mapping[str, Any]
# Who hears of an end, each by a row of its own: done, or tried again, by itself (`core.outbox`).
CONSUMERS = ("objects",)
# Who hears, besides, of the end of an execution that belongs to a run of a workflow.
OF_WORKFLOWS = "workflows"
_SECONDS_PER_PRIORITY = 60.0
_RESCUED_AT_ONCE = 100
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


@dataclass(frozen=True, slots=True)
class Renewal:
    """Whether the lease still holds, and whether somebody wants the execution stopped."""

    alive: bool
    cancel: bool


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
    fields = asdict(submission)
    at = submission.created_at
    turn = at - _SECONDS_PER_PRIORITY * submission.priority
    con.execute(insert(executions).values(**fields, status="READY", available_at=at, turn=turn))
    last = {"last_execution_id": submission.execution_id, "last_execution_status": "READY", "last_execution_at": at}
    con.execute(update(jobs).where(jobs.c.job_id == submission.job_id).values(last))
    return submission.execution_id


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
        found = con.execute(_next(pools, now, passed)).first()
        if found is None:
            break
        # Whoever holds a job, also one that was full, waits for no other: so two claimers never wait for each other.
        most = con.scalar(_places(found.job_id, skip=bool(claimed or passed)))
        taken = most and _take(con, found, most=most, worker=worker, now=now, expires=now + lease_seconds)
        if not taken:
            passed.append(found.execution_id)
        else:
            claimed.append(taken)
    return claimed


def renew(con: Connection, token: str, *, now: float, lease_seconds: float) -> Renewal:
    """Keep what is held for so long from now on."""
    statement = update(executions).where(_held(token, now)).values(lease_expires_at=now + lease_seconds)
    found = con.execute(statement.returning(executions.c.cancel_requested_at)).first()
    return Renewal(alive=found is not None, cancel=found is not None and found.cancel_requested_at is not None)


def note_child(con: Connection, token: str, *, pid: int, now: float) -> bool:
    """Write down which process does the attempt."""
    held = select(executions.c.execution_id, executions.c.attempt).where(_held(token, now)).subquery()
    this = and_(attempts.c.execution_id == held.c.execution_id, attempts.c.number == held.c.attempt)
    return con.execute(update(attempts).where(this).values(pid=pid)).rowcount == 1


def finish(con: Connection, token: str, outcome: Outcome, *, now: float) -> Status | None:
    """End an attempt: the execution ends with it, or waits for its next attempt. Gives what it is then."""
    held = _locked(con, token, now)
    if held is None:
        return None
    failure = outcome.failure if outcome.status != "COMPLETED" else None
    status = states.after_end(
        outcome.status,
        str((failure or {}).get("code", "")),
        errors=held.errors,
        max_attempts=held.max_attempts,
        cancelled=held.cancel_requested_at is not None,
    )
    values = {"failure": failure, "report": outcome.report, "errors": held.errors + (outcome.status == "FAILED")}
    if outcome.executor_num is not None:
        values["executor_num"] = outcome.executor_num
    delay = states.retry_delay(held.errors)
    if status == "READY":
        traces.note(
            con, held, f"attempt {held.attempt} failed; the next one begins in {delay:g} s at the earliest", now
        )
    _leave(con, held, status, now=now, outcome=outcome.status, delay=delay, failure=failure, values=values)
    return status


def put_back(con: Connection, token: str, *, cause: str, delay: float, now: float) -> Status | None:
    """Give up an attempt that did nothing wrong: it waits again, or is cancelled when that was asked for."""
    held = _locked(con, token, now)
    if held is None:
        return None
    cancelled = held.cancel_requested_at is not None
    status: Status = "CANCELED" if cancelled else "READY"
    failure = _cancelled("it was cancelled") if cancelled else {"code": "put-back", "message": cause}
    traces.note(con, held, f"attempt {held.attempt} was given up: {cause}", now)
    values = {"failure": failure if cancelled else None}
    _leave(con, held, status, now=now, outcome="PUT_BACK", delay=delay, failure=failure, values=values)
    return status


def lose(con: Connection, token: str, *, code: str, message: str, now: float) -> Status | None:
    """Give up an attempt whose process died under its worker: a loss like that of the worker, told at once."""
    held = _locked(con, token, now)
    return None if held is None else _lost(con, held, {"code": code, "message": message}, now)


def cancel(con: Connection, execution_id: str, *, now: float) -> bool:
    """Cancel what waits; ask the worker to stop what runs. False when it has ended, or there is no such one."""
    this = executions.c.execution_id == execution_id
    found = con.execute(_lock(select(executions).where(this))).first()
    if found is None or found.status not in states.before("CANCELED"):
        return False
    values: dict[str, object] = {}
    if found.cancel_requested_at is None:
        values["cancel_requested_at"] = now
    if found.status == "READY":
        values |= {"status": "CANCELED", "ended_at": now, "failure": _cancelled("it was cancelled while it waited")}
        traces.note(con, found, "it was cancelled while it waited", now)
        _tell(con, found, "CANCELED", now)
    if values:
        con.execute(update(executions).where(this, executions.c.status == found.status).values(values))
    return True


def rescue(con: Connection, now: float) -> list[Rescued]:
    """Take back what is held by leases that have ended. It waits again, unless too many workers were lost over it."""
    ended = and_(executions.c.status == "RUNNING", executions.c.lease_expires_at <= now)
    found = con.execute(_lock(select(executions).where(ended).limit(_RESCUED_AT_ONCE), skip=True)).all()
    # Everybody who writes rows of several jobs goes through them in this order, so that two never wait for each other.
    return [_rescued(con, lost, now) for lost in sorted(found, key=lambda lost: str(lost.job_id))]


def append_log(con: Connection, token: str, text: str, *, now: float) -> bool:
    """Add to the console log, as long as the lease holds."""
    held = _locked(con, token, now)
    if held is None:
        return False
    traces.append(con, held, text, now)
    return True


def keep_script(con: Connection, token: str, *, engine: str, text: str, now: float) -> bool:
    """Keep what the attempt runs in place of what an earlier one ran, as long as the lease holds."""
    held = _locked(con, token, now)
    if held is None:
        return False
    traces.keep_script(con, held, engine=engine, text=text)
    return True


def warn(con: Connection, execution_id: str, text: str, *, now: float) -> bool:
    """Tell what went wrong beside a run, in its log too. False when that is told already, or there is no such run."""
    held = con.execute(_lock(select(executions).where(executions.c.execution_id == execution_id))).first()
    if held is None or text in (held.warnings or ()):
        return False
    told = [*(held.warnings or ()), text]
    con.execute(update(executions).where(executions.c.execution_id == execution_id).values(warnings=told))
    traces.note(con, held, f"warning: {text}", now)
    return True


def read_log(con: Connection, execution_id: str, *, after: int = 0, limit: int = 1000) -> list[LogChunk]:
    """What the log has after the chunk of that id, at most so many chunks."""
    c = log_chunks.c
    wanted = select(c.id, c.attempt, c.at, c.text).where(c.execution_id == execution_id, c.id > after)
    return [LogChunk(*row) for row in con.execute(wanted.order_by(c.id).limit(limit))]


def _held(token: str, now: float) -> ColumnElement[bool]:
    c = executions.c
    return and_(c.lease_token == token, c.status == "RUNNING", c.lease_expires_at > now)


def _locked(con: Connection, token: str, now: float) -> Row[Any] | None:
    """The execution that is held by this token, so that nobody else changes it until the transaction ends."""
    return con.execute(_lock(select(executions).where(_held(token, now)))).first()


def _lock(statement: Select[Any], *, skip: bool = False) -> Select[Any]:
    """On SQLite a transaction that writes is alone, and this says nothing."""
    return statement.with_for_update(key_share=True, skip_locked=skip)


def _below_limit(job_id: ColumnElement[str], most: ColumnElement[int]) -> ColumnElement[bool]:
    other = executions.alias()
    running = select(func.count()).select_from(other).where(other.c.job_id == job_id, other.c.status == "RUNNING")
    return running.scalar_subquery() < most


def _next(pools: Collection[str], now: float, passed: Sequence[str]) -> Select[Any]:
    """Who is first among those that may run."""
    c = executions.c
    waiting = and_(c.status == "READY", c.pool.in_(pools), c.available_at <= now, c.execution_id.not_in(passed))
    return (
        select(c.execution_id, c.job_id, c.condition)
        .join(jobs, jobs.c.job_id == c.job_id)
        .where(waiting, _below_limit(c.job_id, jobs.c.max_concurrent_runs))
        .order_by(c.turn, c.execution_id)
        .limit(1)
        .with_for_update(of=executions, key_share=True, skip_locked=True)
    )


def _places(job_id: str, *, skip: bool) -> Select[Any]:
    """How often a job may run at once. Its row is locked: on PostgreSQL two claimers could both take the last place."""
    return _lock(select(jobs.c.max_concurrent_runs).where(jobs.c.job_id == job_id), skip=skip)


def _take(con: Connection, found: Row[Any], *, most: int, worker: str, now: float, expires: float) -> Claimed | None:
    """Take it, unless the job's places were taken before its row was locked: only this statement sees that."""
    c = executions.c
    minutes = int(found.condition.get("timeout") or 0)
    free = _below_limit(literal(found.job_id), literal(most))
    taken = con.execute(
        update(executions)
        .where(c.execution_id == found.execution_id, c.status.in_(states.before("RUNNING")), free)
        .values(
            status="RUNNING",
            attempt=c.attempt + 1,
            started_at=func.coalesce(c.started_at, now),
            deadline=now + 60.0 * minutes if minutes else None,
            lease_token=secrets.token_urlsafe(16),
            lease_owner=worker,
            lease_expires_at=expires,
        )
        .returning(executions)
    ).first()
    if taken is None:
        return None
    begun = {"execution_id": taken.execution_id, "account_id": taken.account_id, "number": taken.attempt}
    con.execute(insert(attempts).values(**begun, worker=worker, started_at=now))
    r = job_revisions.c
    this = and_(r.job_id == taken.job_id, r.revision == taken.job_revision)
    definition = con.execute(select(r.definition).where(this)).scalar_one()
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
) -> None:
    """End the lease: the execution goes on to `status`, and its attempt has this outcome."""
    moved = {"available_at": now + delay} if status == "READY" else {"ended_at": now}
    this = and_(
        executions.c.execution_id == held.execution_id,
        executions.c.lease_token == held.lease_token,
        executions.c.status.in_(states.before(status)),
    )
    con.execute(update(executions).where(this).values({**_FREE, **values, **moved, "status": status}))
    attempt = and_(attempts.c.execution_id == held.execution_id, attempts.c.number == held.attempt)
    con.execute(update(attempts).where(attempt).values(ended_at=now, outcome=outcome, failure=failure))
    if status != "READY":
        _tell(con, held, status, now)


def _tell(con: Connection, ended: Row[Any], status: Status, now: float) -> None:
    """What follows from an end leaves from the outbox, which is written in the same transaction."""
    last = jobs.c.last_execution_id == ended.execution_id
    con.execute(update(jobs).where(jobs.c.job_id == ended.job_id, last).values(last_execution_status=status))
    payload = {"executionId": ended.execution_id, "jobId": ended.job_id, "status": status}
    consumers: tuple[str, ...] = CONSUMERS
    if ended.workflow_run_id is not None:
        payload["workflowRunId"] = ended.workflow_run_id
        consumers = (*consumers, OF_WORKFLOWS)
    told = {"account_id": ended.account_id, "at": now, "kind": "execution-ended", "payload": payload}
    con.execute(insert(outbox), [{**told, "consumer": consumer} for consumer in consumers])


def _cancelled(why: str) -> dict[str, str]:
    return {"code": "cancelled", "message": why}


def _rescued(con: Connection, lost: Row[Any], now: float) -> Rescued:
    told = f"the lease of worker {lost.lease_owner} ended: the worker died, stood still or lost the database"
    status = _lost(con, lost, {"code": "worker-lost", "message": told}, now)
    return Rescued(lost.execution_id, lost.lease_owner, lost.attempt, status)


def _lost(con: Connection, lost: Row[Any], failure: Json, now: float) -> Status:
    status = states.after_loss(lost.losses, cancelled=lost.cancel_requested_at is not None)
    ended = _cancelled("it was cancelled, and its process was lost") if status == "CANCELED" else failure
    traces.note(con, lost, failure["message"], now)
    values = {"losses": lost.losses + 1, "failure": None if status == "READY" else ended}
    _leave(con, lost, status, now=now, outcome="LOST", delay=0.0, failure=failure, values=values)
    return status
