"""Jobs: made, read, changed, checked and deleted. What a job was before a change is kept as an earlier revision."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Row, and_, func, select
from sqlalchemy.exc import IntegrityError

from headrace.auth.principal import Principal
from headrace.core import conditions, job_rows, rights
from headrace.core.conditions import Condition
from headrace.core.paging import Page
from headrace.db.tables import executions, job_revisions, jobs
from headrace.definition import Definition, JobBody, of
from headrace.errors import BadParameter, BadState, Conflict, JobInvalid, NotFound, Problem
from headrace.execution.states import Status
from headrace.ids import new_id

Generation = Literal["2025", "2026"]
JobStatus = Literal["RUNNABLE", "DRAFT", "EDITING", "DELETED", "RUNNING", "STOPPED"]
_NAME_TAKEN = "another job of the account has this name"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now. `status` tells of its runs too: RUNNING, or STOPPED while all of them are being cancelled.

    `definition` is what was sent, whole; in lists it is left out.
    """

    job_id: str
    account_id: str
    name: str
    description: str
    generation: Generation
    type: str
    status: JobStatus
    revision: int
    max_concurrent_runs: int
    priority: int
    retries: int
    condition: Condition
    created_at: datetime
    updated_at: datetime
    last_execution_id: str | None
    last_execution_status: Status | None
    last_execution_at: datetime | None
    definition: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list holds: those whose name contains a text, in any case, and those of a status.

    Deleted jobs are listed only when their status is asked for.
    """

    name: str = ""
    status: str = ""


def create(con: Connection, principal: Principal, sent: Mapping[str, Any], *, now: datetime) -> Job:
    """Make a job. Raises BadParameter with every problem; a draft may have those of its graph."""
    definition, problems = _read(sent)
    body = definition.body
    if problems and not body.is_temp:
        raise BadParameter(problems)
    job_id, at = new_id(), now.timestamp()
    rights.refuse_data(principal, definition)
    standing = conditions.default(con, principal.account_id, at=at)
    condition = conditions.merged(standing, sent.get("jobCondition", {}))
    rights.refuse_condition(con, principal, condition)
    values = {
        "job_id": job_id,
        "account_id": principal.account_id,
        "generation": "2025" if sent.get("type", "DATAFLOW") == "DATAFLOW" else "2026",
        "type": body.type,
        "status": "DRAFT" if body.is_temp else "RUNNABLE",
        "revision": 1,
        "condition": condition.as_json(),
        "created_at": at,
        "updated_at": at,
        **_own_fields(body),
    }
    _refuse_taken_name(con, principal, body.name, job_id)
    try:
        con.execute(sa.insert(jobs).values(values))
    except IntegrityError:
        raise BadParameter([Problem("name-taken", _NAME_TAKEN, field="name")]) from None
    _keep(con, principal, job_id, revision=1, sent=sent, at=at)
    return get(con, principal, job_id)


def get(con: Connection, principal: Principal, job_id: str) -> Job:
    """A job that is not deleted. Raises NotFound."""
    found = con.execute(job_rows.one(), {job_rows.ACCOUNT: principal.account_id, job_rows.JOB: job_id}).first()
    if found is None:
        raise NotFound("job", job_id)
    return _job(found)


def definition(con: Connection, principal: Principal, job_id: str, *, revision: int) -> Mapping[str, Any]:
    """What a job was at that revision, also when it is deleted since. Raises NotFound."""
    this = {job_rows.ACCOUNT: principal.account_id, job_rows.JOB: job_id, job_rows.REVISION: revision}
    text = con.scalar(job_rows.definition(), this)
    if text is None:
        raise NotFound("job", job_id)
    sent: Mapping[str, Any] = json.loads(text)
    return sent


def list(con: Connection, principal: Principal, *, filter: JobFilter, page: Page) -> tuple[tuple[Job, ...], int]:
    """The jobs of a page, the newest first, and how many there are in all."""
    if not filter.name.isprintable() or not filter.name.isascii():
        return (), 0  # names of jobs have no such signs, and not every database may be asked for them
    wanted = {job_rows.ACCOUNT: principal.account_id}
    wanted |= {job_rows.NAME: job_rows.containing(filter.name)} if filter.name else {}
    wanted |= {job_rows.STATUS: filter.status} if filter.status else {}
    kind = {"by_name": bool(filter.name), "by_status": bool(filter.status)}
    count = con.scalar(job_rows.count(**kind), wanted) or 0
    at = {job_rows.ROWS: page.rows, job_rows.FIRST: page.first}
    found = con.execute(job_rows.page(**kind), {**wanted, **at}) if page.rows else ()
    return tuple(_job(row) for row in found), count


def update(
    con: Connection,
    principal: Principal,
    job_id: str,
    sent: Mapping[str, Any],
    *,
    partial: bool,
    if_match: int | None,
    now: datetime,
) -> Job:
    """Change a job. What is left out keeps its value; unless the change is `partial`, name and type must be there.

    Raises BadParameter with every problem. As a draft, a job that could run may be left with problems: it is EDITING.
    """
    row = locked(con, principal, job_id)
    refuse_stale(row, if_match)
    if not partial:
        _refuse_missing(sent, "name", "type")
    whole = _over(definition(con, principal, job_id, revision=row.revision), sent)
    condition = conditions.merged(Condition.of(row.condition), sent.get("jobCondition", {}))
    return rewrite(con, principal, row, whole, condition=condition, now=now)


def rewrite(
    con: Connection,
    principal: Principal,
    row: Row[Any],
    whole: Mapping[str, Any],
    *,
    condition: Condition,
    now: datetime,
) -> Job:
    """Let a job be this from its next revision on. `row` is locked. Raises BadParameter with every problem."""
    read, problems = _read(whole)
    if problems and not read.body.is_temp:
        raise BadParameter(problems)
    rights.refuse_data(principal, read)
    _refuse_taken_name(con, principal, read.body.name, row.job_id)
    status = _status_after(row.status, draft=read.body.is_temp, wrong=bool(problems))
    changed = {"status": status, **_own_fields(read.body)}
    _change(con, principal, row, whole, changed=changed, condition=condition, now=now)
    return get(con, principal, row.job_id)


def set_condition(
    con: Connection, principal: Principal, job_id: str, sent: object, *, if_match: int | None, now: datetime
) -> Job:
    """Change how a job is run; a field that is left out keeps its value. Raises BadParameter."""
    row = locked(con, principal, job_id)
    refuse_stale(row, if_match)
    whole = definition(con, principal, job_id, revision=row.revision)
    over = {key: value for key, value in sent.items() if key != "parameters"} if isinstance(sent, Mapping) else sent
    condition = conditions.merged(Condition.of(row.condition), sent)
    _change(con, principal, row, _over(whole, {"jobCondition": over}), changed={}, condition=condition, now=now)
    return get(con, principal, job_id)


def delete(con: Connection, principal: Principal, job_id: str, *, now: datetime) -> None:
    """Delete a job; its executions stay. Raises BadState while one of them waits or runs."""
    row = locked(con, principal, job_id)
    active = and_(executions.c.job_id == job_id, executions.c.status.in_(("READY", "RUNNING")))
    count = con.scalar(select(func.count()).where(active))
    if count:
        raise BadState(f"{count} executions of the job wait or run", hint="wait for them, or cancel them")
    at = now.timestamp()
    values = {"status": "DELETED", "deleted_at": at, "updated_at": at}
    con.execute(sa.update(jobs).where(jobs.c.job_id == row.job_id).values(values))


def verify(con: Connection, principal: Principal, sent: Mapping[str, Any]) -> Condition:
    """Raises BadParameter with everything that is wrong with a job, which is not kept, else NotGranted.

    Gives what it says about how it is run.
    """
    _refuse_missing(sent, "name", "nodes")
    read, problems = _read(sent)
    if problems:
        raise BadParameter(problems)
    condition = conditions.merged(Condition(), sent.get("jobCondition", {}))
    # A key without grants of its own that may only look wants to know whether the job is sound, no more.
    if principal.grants is not None:
        rights.refuse_data(principal, read)
        rights.refuse_condition(con, principal, condition)
    return condition


def over(job: Job, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What a job would be with this change."""
    return _over(job.definition or {}, sent)


def runnable_again(con: Connection, principal: Principal, job_id: str, sent: Mapping[str, Any]) -> bool:
    """After a verification: a job that is EDITING, and is what was verified, is RUNNABLE from now on."""
    row = locked(con, principal, job_id)
    kept = definition(con, principal, job_id, revision=row.revision)
    same = {**kept, "isTemp": None} == {**sent, "isTemp": None}
    if row.status != "EDITING" or not same:
        return False
    con.execute(sa.update(jobs).where(jobs.c.job_id == job_id).values(status="RUNNABLE"))
    return True


def locked(con: Connection, principal: Principal, job_id: str, *, deleted: bool = False) -> Row[Any]:
    """The row of a job, so that nobody else changes it until the transaction ends. Raises NotFound."""
    found = con.execute(job_rows.locked(), {job_rows.ACCOUNT: principal.account_id, job_rows.JOB: job_id}).first()
    if found is None or (found.deleted_at is not None and not deleted):
        raise NotFound("job", job_id)
    return found


def _job(row: Row[Any]) -> Job:
    told = row._mapping
    same = {name: told[name] for name in Job.__slots__ if name in told}
    moments = {name: moment(same[name]) for name in ("created_at", "updated_at", "last_execution_at")}
    sent = json.loads(told["definition"]) if "definition" in told else None
    return Job(**{**same, **moments, "condition": Condition.of(row.condition), "definition": sent})


def moment(at: float | None) -> datetime | None:
    """A stored moment, in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _read(sent: Mapping[str, Any]) -> tuple[Definition, tuple[Problem, ...]]:
    """A job and the problems that a draft may have. Raises BadParameter for those that none may have."""
    try:
        read = of(sent if "nodes" in sent else {**sent, "nodes": []})
    except JobInvalid as error:
        raise BadParameter(error.problems) from None
    problems = [*_unkept(read.body)]
    if read.body.type == "SCRIPT":
        problems.append(Problem("not-supported", "jobs of type SCRIPT can't be run yet", field="type"))
    if problems:
        raise BadParameter(problems)
    return read, (*conditions.misplaced(read.body.job_condition), *read.checked({})[0])


def _unkept(body: JobBody) -> tuple[Problem, ...]:
    """A text that not every database can keep."""
    clean = body.description.encode("utf-8", "replace").decode("utf-8")
    if clean == body.description and "\0" not in clean:
        return ()
    return (Problem("bad-field", "holds a sign that is no character", field="description"),)


def _own_fields(body: JobBody) -> dict[str, object]:
    """The fields that stand in columns of their own. Runs of a job write to the same targets: one at a time."""
    return {
        "name": body.name,
        "description": body.description,
        "max_concurrent_runs": body.max_concurrent_runs or 1,
        "priority": body.priority,
        "retries": body.retries,
    }


def _over(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """A change laid over what was sent before. Whether it is a draft is a matter of the change alone."""
    whole = {**stored, **sent}
    before, after = stored.get("jobCondition"), sent.get("jobCondition")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        whole["jobCondition"] = {**before, **after}
    if "isTemp" not in sent:
        whole.pop("isTemp", None)
    return whole


def _status_after(before: str, *, draft: bool, wrong: bool) -> str:
    if before == "DRAFT" and draft:
        return "DRAFT"
    return "EDITING" if wrong else "RUNNABLE"


def _change(
    con: Connection,
    principal: Principal,
    row: Row[Any],
    whole: Mapping[str, Any],
    *,
    changed: Mapping[str, object],
    condition: Condition,
    now: datetime,
) -> None:
    """Write a job as its next revision. Raises NotGranted when the caller may not use what it names."""
    at, revision = now.timestamp(), row.revision + 1
    rights.refuse_condition(con, principal, condition)
    values = {**changed, "condition": condition.as_json(), "revision": revision, "updated_at": at}
    try:
        con.execute(sa.update(jobs).where(jobs.c.job_id == row.job_id).values(values))
    except IntegrityError:
        raise BadParameter([Problem("name-taken", _NAME_TAKEN, field="name")]) from None
    _keep(con, principal, row.job_id, revision=revision, sent=whole, at=at)


def _keep(
    con: Connection, principal: Principal, job_id: str, *, revision: int, sent: Mapping[str, Any], at: float
) -> None:
    values = {"account_id": principal.account_id, "created_at": at, "created_by": principal.name}
    text = json.dumps(sent)
    con.execute(sa.insert(job_revisions).values(job_id=job_id, revision=revision, definition=text, **values))


def _refuse_taken_name(con: Connection, principal: Principal, name: str, job_id: str) -> None:
    same = and_(jobs.c.account_id == principal.account_id, jobs.c.name == name, jobs.c.deleted_at.is_(None))
    if con.scalar(select(jobs.c.job_id).where(same, jobs.c.job_id != job_id)) is not None:
        raise BadParameter([Problem("name-taken", _NAME_TAKEN, field="name")])


def refuse_stale(row: Row[Any], if_match: int | None) -> None:
    """Raise Conflict unless a job is at the revision that a change counts on."""
    if if_match is not None and if_match != row.revision:
        told = f"the job is at revision {row.revision}, not {if_match}: somebody changed it meanwhile"
        raise Conflict(told, hint="read it again, and send the change with its revision")


def _refuse_missing(sent: Mapping[str, Any], *names: str) -> None:
    missing = [Problem("bad-field", "is missing", field=name) for name in names if name not in sent]
    if missing:
        raise BadParameter(missing)
