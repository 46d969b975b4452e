"""What a job or a workflow was before: each change keeps it as it was sent, and any of these can be made it again."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Column, Connection, Table, and_, func, select

from headrace.auth.principal import Principal
from headrace.core import conditions, jobs, workflows
from headrace.core.jobs import Job
from headrace.core.paging import Page
from headrace.core.workflows import Saved
from headrace.db.tables import job_revisions, workflow_revisions
from headrace.errors import NotFound

Kind = Literal["job", "workflow"]
# What a revision is called that is not there.
WORD: Mapping[Kind, str] = {"job": "revision", "workflow": "workflow-revision"}
_TABLES: Mapping[Kind, tuple[Table, Column[str]]] = {
    "job": (job_revisions, job_revisions.c.job_id),
    "workflow": (workflow_revisions, workflow_revisions.c.workflow_id),
}
_READ: Mapping[Kind, Callable[[Connection, Principal, str], object]] = {"job": jobs.get, "workflow": workflows.get}


@dataclass(frozen=True, slots=True)
class Revision:
    """What a thing was from one moment on. `definition` is what was sent, whole; in lists it is left out."""

    kind: Kind
    id: str
    revision: int
    created_at: datetime
    created_by: str
    definition: Mapping[str, Any] | None = None


def list(con: Connection, principal: Principal, kind: Kind, id: str, *, page: Page) -> tuple[tuple[Revision, ...], int]:
    """The revisions of a page, the newest first, and how many there are in all. Raises NotFound."""
    _READ[kind](con, principal, id)
    table, key = _TABLES[kind]
    r = table.c
    this = and_(r.account_id == principal.account_id, key == id)
    count = con.scalar(select(func.count()).select_from(table).where(this)) or 0
    ordered = select(r.revision, r.created_at, r.created_by).where(this).order_by(r.revision.desc())
    rows = con.execute(ordered.limit(page.rows).offset(page.first)) if page.rows else ()
    return tuple(Revision(kind, id, n, datetime.fromtimestamp(at, UTC), by) for n, at, by in rows), count


def get(con: Connection, principal: Principal, kind: Kind, id: str, revision: int) -> Revision:
    """One revision of a thing that is not deleted. Raises NotFound."""
    _READ[kind](con, principal, id)
    table, key = _TABLES[kind]
    r = table.c
    this = and_(r.account_id == principal.account_id, key == id, r.revision == revision)
    found = con.execute(select(r.created_at, r.created_by, r.definition).where(this)).first()
    if found is None:
        raise NotFound(WORD[kind], str(revision))
    at = datetime.fromtimestamp(found.created_at, UTC)
    return Revision(kind, id, revision, at, found.created_by, json.loads(found.definition))


def restore_job(
    con: Connection, principal: Principal, job_id: str, revision: int, *, if_match: int | None, now: datetime
) -> Job:
    """Let a job be again what it was, as its next revision; what a condition left out is the default again.

    Raises NotFound, Conflict, and BadParameter when this program finds problems in it.
    """
    row = jobs.locked(con, principal, job_id)
    jobs.refuse_stale(row, if_match)
    whole = get(con, principal, "job", job_id, revision).definition or {}
    standing = conditions.default(con, principal.account_id, at=now.timestamp())
    condition = conditions.merged(standing, whole.get("jobCondition", {}))
    return jobs.rewrite(con, principal, row, whole, condition=condition, now=now)


def restore_workflow(
    con: Connection, principal: Principal, workflow_id: str, revision: int, *, if_match: int | None, now: datetime
) -> Saved:
    """Let a workflow be again what it was, as its next revision. Raises as an update with that definition does."""
    whole = get(con, principal, "workflow", workflow_id, revision).definition or {}
    return workflows.update(con, principal, workflow_id, whole, if_match=if_match, now=now)
