"""What a job was before: each change keeps the job as it was sent, and any of these can be made the job again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from headrace.auth.principal import Principal
from headrace.core import conditions, jobs
from headrace.core.jobs import Job
from headrace.core.paging import Page
from headrace.db.tables import job_revisions
from headrace.errors import NotFound


@dataclass(frozen=True, slots=True)
class Revision:
    """A job as it was from one moment on. `definition` is what was sent, whole; in lists it is left out."""

    job_id: str
    revision: int
    created_at: datetime
    created_by: str
    definition: Mapping[str, Any] | None = None


def list(con: Connection, principal: Principal, job_id: str, *, page: Page) -> tuple[tuple[Revision, ...], int]:
    """The revisions of a page, the newest first, and how many there are in all. Raises NotFound."""
    jobs.get(con, principal, job_id)
    r = job_revisions.c
    this = and_(r.account_id == principal.account_id, r.job_id == job_id)
    count = con.scalar(select(func.count()).select_from(job_revisions).where(this)) or 0
    wanted = select(r.job_id, r.revision, r.created_at, r.created_by).where(this)
    ordered = wanted.order_by(r.revision.desc()).limit(page.rows).offset(page.first)
    rows = con.execute(ordered) if page.rows else ()
    return tuple(Revision(i, n, datetime.fromtimestamp(at, UTC), by) for i, n, at, by in rows), count


def get(con: Connection, principal: Principal, job_id: str, revision: int) -> Revision:
    """One revision of a job that is not deleted. Raises NotFound."""
    jobs.get(con, principal, job_id)
    r = job_revisions.c
    this = and_(r.account_id == principal.account_id, r.job_id == job_id, r.revision == revision)
    found = con.execute(select(r.created_at, r.created_by, r.definition).where(this)).first()
    if found is None:
        raise NotFound("revision", str(revision))
    at = datetime.fromtimestamp(found.created_at, UTC)
    return Revision(job_id, revision, at, found.created_by, json.loads(found.definition))


def restore(
    con: Connection, principal: Principal, job_id: str, revision: int, *, if_match: int | None, now: datetime
) -> Job:
    """Let a job be again what it was, as its next revision; what a condition left out is the default again.

    Raises NotFound, Conflict, and BadParameter when this program finds problems in it.
    """
    row = jobs.locked(con, principal, job_id)
    jobs.refuse_stale(row, if_match)
    whole = get(con, principal, job_id, revision).definition or {}
    standing = conditions.default(con, principal.account_id, at=now.timestamp())
    condition = conditions.merged(standing, whole.get("jobCondition", {}))
    return jobs.rewrite(con, principal, row, whole, condition=condition, now=now)
