"""The statements of the queue that every run needs. Each is made once: to make one takes longer than to run it.

A status that an index is for is a word and no parameter, or the index would not be used.
"""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Update, and_, bindparam, case, func, literal, select, update

from headrace.db.tables import attempts, executions, job_revisions, jobs, log_chunks
from headrace.execution import states
from headrace.execution.states import Status

C = executions.c
# In the column `state`: an attempt was allowed to publish, so there may be data of the run whatever became of it.
MAY_HAVE_PUBLISHED = {"mayHavePublished": True}


def is_status(status: Status) -> ColumnElement[bool]:
    """Whether an execution has this status."""
    return C.status == literal(status, literal_execute=True)


def lock(statement: Select[Any], *, skip: bool = False) -> Select[Any]:
    """On SQLite a transaction that writes is alone, and this says nothing."""
    return statement.with_for_update(key_share=True, skip_locked=skip)


@cache
def first_waiting() -> Select[Any]:
    """Who is first among those that may run: told `pools`, `passed` and `now`."""
    waiting = and_(
        is_status("READY"),
        C.pool.in_(bindparam("pools", expanding=True)),
        C.available_at <= bindparam("now"),
        C.execution_id.not_in(bindparam("passed", expanding=True)),
    )
    return (
        select(C.execution_id, C.job_id, C.condition)
        .join(jobs, jobs.c.job_id == C.job_id)
        .where(waiting, _below_limit(C.job_id, jobs.c.max_concurrent_runs))
        .order_by(C.turn, C.execution_id)
        .limit(1)
        .with_for_update(of=executions, key_share=True, skip_locked=True)
    )


@cache
def places(*, skip: bool) -> Select[Any]:
    """How often a job may run at once: told `job`.

    Its row is locked: on PostgreSQL two claimers could both take the last place.
    """
    return lock(select(jobs.c.max_concurrent_runs).where(jobs.c.job_id == bindparam("job")), skip=skip)


@cache
def take() -> Update:
    """Take it, unless the job's places were taken before its row was locked: only this statement sees that.

    Told `this`, `job`, `most`, `now`, `until`, `token`, `worker` and `expires`.
    """
    free = _below_limit(bindparam("job"), bindparam("most"))
    return (
        update(executions)
        .where(C.execution_id == bindparam("this"), C.status.in_(states.before("RUNNING")), free)
        .values(
            status="RUNNING",
            attempt=C.attempt + 1,
            started_at=func.coalesce(C.started_at, bindparam("now")),
            deadline=bindparam("until"),
            lease_token=bindparam("token"),
            lease_owner=bindparam("worker"),
            lease_expires_at=bindparam("expires"),
        )
        .returning(executions)
    )


@cache
def definition() -> Select[Any]:
    """The JSON text of a revision of a job: told `job` and `number`."""
    r = job_revisions.c
    return select(r.definition).where(r.job_id == bindparam("job"), r.revision == bindparam("number"))


@cache
def held() -> Select[Any]:
    """The execution that a lease holds, so that nobody else changes it until the transaction ends."""
    return lock(select(executions).where(leased()))


@cache
def renewed(*, publishing: bool) -> Update:
    """Keep what a lease holds until `expires`; gives when somebody asked for its end.

    One that is about to publish is marked in the same step, unless somebody asked for its end.
    """
    kept = update(executions).where(leased()).values(lease_expires_at=bindparam("expires"))
    if publishing:
        mark = literal(MAY_HAVE_PUBLISHED, C.state.type)
        kept = kept.values(state=case((C.cancel_requested_at.is_(None), mark), else_=C.state))
    return kept.returning(C.cancel_requested_at)


@cache
def calm() -> Select[Any]:
    """Those of `tokens` that hold a run which nobody wants to end."""
    held_now = and_(C.lease_token.in_(bindparam("tokens", expanding=True)), is_status("RUNNING"))
    return select(C.lease_token).where(held_now, C.cancel_requested_at.is_(None))


@cache
def lost(*, most: int) -> Select[Any]:
    """What is held by leases that have ended by `now`, at most so many."""
    ended = and_(is_status("RUNNING"), C.lease_expires_at <= bindparam("now"))
    return lock(select(executions).where(ended).limit(most), skip=True)


@cache
def left(status: Status) -> Update:
    """The end of the lease of `token` over `this`, which goes on to a status; told the columns that change with it."""
    held_still = and_(C.execution_id == bindparam("this"), C.lease_token == bindparam("token"))
    return update(executions).where(held_still, C.status.in_(states.before(status)))


@cache
def attempt() -> Update:
    """The attempt `try` of the execution `this`; told the columns that change."""
    a = attempts.c
    return update(attempts).where(a.execution_id == bindparam("this"), a.number == bindparam("try"))


@cache
def log() -> Select[Any]:
    """The pieces of the log of `this` after the piece `after`, at most `most`."""
    c = log_chunks.c
    after = and_(c.execution_id == bindparam("this"), c.id > bindparam("after"))
    return select(c.id, c.attempt, c.at, c.text).where(after).order_by(c.id).limit(bindparam("most"))


@cache
def counted() -> Update:
    """One more execution of the job `this`; told the columns that change with it."""
    one_more = {"execution_count": jobs.c.execution_count + 1}
    return update(jobs).where(jobs.c.job_id == bindparam("this")).values(one_more)


@cache
def last_of_job() -> Update:
    """The job `this`, if `last` is its last execution; told the columns that change."""
    last = jobs.c.last_execution_id == bindparam("last")
    return update(jobs).where(jobs.c.job_id == bindparam("this"), last)


def leased() -> ColumnElement[bool]:
    """What the lease of `token` holds at `now`."""
    return and_(C.lease_token == bindparam("token"), is_status("RUNNING"), C.lease_expires_at > bindparam("now"))


def _below_limit(job_id: ColumnElement[str], most: ColumnElement[int]) -> ColumnElement[bool]:
    other = executions.alias()
    running = and_(other.c.job_id == job_id, other.c.status == literal("RUNNING", literal_execute=True))
    return select(func.count()).select_from(other).where(running).scalar_subquery() < most
