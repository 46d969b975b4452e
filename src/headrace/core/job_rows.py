"""The statements that read jobs. Each is made once: to make one takes many times as long as to run it."""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, literal, select

from headrace.db.tables import executions, job_revisions, jobs

# What a statement is told, beside the account: which job, or which ones of a list.
ACCOUNT, JOB, NAME, STATUS, ROWS, FIRST = "account", "job", "name", "status", "rows", "first"
REVISION = "number"
_ESCAPE = "/"


def containing(text: str) -> str:
    """The pattern of names that contain a text, in any case."""
    escaped = "".join(f"{_ESCAPE}{sign}" if sign in ("%", "_", _ESCAPE) else sign for sign in text.lower())
    return f"%{escaped}%"


@cache
def one() -> Select[Any]:
    """A job that is not deleted, with its definition."""
    r = job_revisions.c
    kept = and_(r.job_id == jobs.c.job_id, r.revision == jobs.c.revision)
    this = and_(jobs.c.job_id == bindparam(JOB), jobs.c.deleted_at.is_(None))
    return _shown(r.definition).join(job_revisions, kept).where(this)


@cache
def locked() -> Select[Any]:
    """The row of a job, which nobody else changes until the transaction ends."""
    return select(jobs).where(_of_account(), jobs.c.job_id == bindparam(JOB)).with_for_update(key_share=True)


@cache
def definition() -> Select[Any]:
    """The JSON text of a revision of a job."""
    r = job_revisions.c
    this = and_(r.job_id == bindparam(JOB), r.revision == bindparam(REVISION))
    return select(r.definition).where(r.account_id == bindparam(ACCOUNT), this)


@cache
def page(*, by_name: bool, by_status: bool) -> Select[Any]:
    """The jobs of a page, the newest first; deleted ones only when their status is asked for."""
    ordered = _shown().where(_listed(by_name, by_status)).order_by(jobs.c.created_at.desc(), jobs.c.job_id)
    return ordered.limit(bindparam(ROWS)).offset(bindparam(FIRST))


@cache
def count(*, by_name: bool, by_status: bool) -> Select[Any]:
    """How many jobs all pages hold."""
    return select(func.count()).select_from(jobs).where(_of_account(), _listed(by_name, by_status))


def _shown(*more: ColumnElement[Any]) -> Select[Any]:
    last = executions.alias("last")
    stored = [column for column in jobs.c if column.name not in ("status", "last_execution_status")]
    last_status = func.coalesce(last.c.status, jobs.c.last_execution_status).label("last_execution_status")
    return (
        select(*stored, _status().label("status"), last_status, *more)
        .select_from(jobs)
        .outerjoin(last, last.c.execution_id == jobs.c.last_execution_id)
        .where(_of_account())
    )


def _status() -> ColumnElement[str]:
    """The status tells of the runs: RUNNING, or STOPPED while all of them are being cancelled."""
    e = executions.c
    # A word and no parameter, or the index over what runs would not be used.
    running = and_(e.job_id == jobs.c.job_id, e.status == literal("RUNNING", literal_execute=True))
    return case(
        (jobs.c.deleted_at.is_not(None), "DELETED"),
        (exists().where(running, e.cancel_requested_at.is_(None)), "RUNNING"),
        (exists().where(running), "STOPPED"),
        else_=jobs.c.status,
    )


def _of_account() -> ColumnElement[bool]:
    return jobs.c.account_id == bindparam(ACCOUNT)


def _listed(by_name: bool, by_status: bool) -> ColumnElement[bool]:
    wanted = [_status() == bindparam(STATUS) if by_status else jobs.c.deleted_at.is_(None)]
    if by_name:
        wanted.append(func.lower(jobs.c.name).like(bindparam(NAME), escape=_ESCAPE))
    return and_(*wanted)
