"""What an execution leaves in object storage, as our tables have it: its script, its console log and its report.

<scriptPath><jobId>/<executionId>.sql
<logPath>console/<jobId>/<executionId>_<time>.log            as the execution's `consoleLogPath` says
<logPath>console/<jobId>/<executionId>_<time>.report.json
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, select

from headrace.core.conditions import Condition
from headrace.db.tables import accounts, executions, job_revisions, log_chunks, scripts
from headrace.definition import load
from headrace.errors import JobInvalid
from headrace.execution import queue
from headrace.execution.report import Failure, Report
from headrace.plan.ops import Read, Write, in_order

Kind = Literal["script", "console log", "report"]
KINDS: tuple[Kind, ...] = ("script", "console log", "report")
_ENDED = ("COMPLETED", "FAILED", "CANCELED")
_CHUNKS = 1000


@dataclass(frozen=True, slots=True)
class Paper:
    """An object to be: where, bucket and key, and what it holds."""

    kind: Kind
    place: str
    data: bytes

    @property
    def bucket(self) -> str:
        """The bucket it goes to."""
        return self.place.partition("/")[0]

    @property
    def key(self) -> str:
        """Its name there."""
        return self.place.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Papers:
    """All that one execution leaves; the report only when it has ended. `own_bucket` is the account's, made by us."""

    execution_id: str
    ended: bool
    nrn: str
    own_bucket: str
    papers: tuple[Paper, ...]

    def paper(self, kind: Kind) -> Paper | None:
        """The one of this kind, if there is one."""
        return next((paper for paper in self.papers if paper.kind == kind), None)


def read(con: Connection, execution_id: str) -> Papers | None:
    """What there is now; None when the execution is not there any more."""
    row = con.execute(_one(), {"this": execution_id}).first()
    if row is None:
        return None
    condition, ended = Condition.of(row.condition), row.status in _ENDED
    found = []
    script = con.execute(_its_script(), {"this": execution_id}).first()
    if condition.script_path and script is not None:
        place = f"{condition.script_path}{row.job_id}/{execution_id}.sql"
        found.append(Paper("script", place, _script(row, script).encode("utf-8", "replace")))
    if place := condition.console_log_path:
        found.append(Paper("console log", place, _log(con, execution_id).encode("utf-8", "replace")))
        if ended:
            told = json.dumps(_report(row), ensure_ascii=False, indent=2).encode("utf-8", "replace")
            found.append(Paper("report", f"{place.removesuffix('.log')}.report.json", told + b"\n"))
    return Papers(execution_id, ended, condition.nrn, row.own_bucket or "", tuple(found))


def running(con: Connection, worker: str) -> Mapping[str, int]:
    """The executions that a worker has now, with the last piece of the log of each."""
    e, last = executions.c, func.coalesce(func.max(log_chunks.c.id), 0)
    held = and_(e.status == "RUNNING", e.lease_owner == worker)
    joined = executions.outerjoin(log_chunks, log_chunks.c.execution_id == e.execution_id)
    found = con.execute(select(e.execution_id, last).select_from(joined).where(held).group_by(e.execution_id))
    return {execution_id: int(number) for execution_id, number in found}


def regions(con: Connection, execution_id: str) -> Mapping[str, str]:
    """The region of each bucket that the nodes of the execution's job name."""
    e, r = executions.c, job_revisions.c
    ran = and_(r.job_id == e.job_id, r.revision == e.job_revision)
    found = con.execute(select(r.definition, e.parameters).where(e.execution_id == execution_id, ran)).one()
    try:
        plan = load(found.definition).plan(found.parameters)
    except JobInvalid:
        return {}  # by now it means nothing: a program before this one took it
    ops = [op for op in in_order(plan.pruned) if isinstance(op, Read | Write)]
    return {op.place.bucket: op.place.region for op in ops}


# Each statement is made once: to make one takes longer than to run it.
@cache
def _one() -> Select[Any]:
    own = select(accounts.c.bucket).where(accounts.c.account_id == executions.c.account_id).scalar_subquery()
    return select(executions, own.label("own_bucket")).where(executions.c.execution_id == bindparam("this"))


@cache
def _its_script() -> Select[Any]:
    return select(scripts).where(scripts.c.execution_id == bindparam("this"))


def _script(row: Row[Any], script: Row[Any]) -> str:
    of = f"-- job {row.job_name}, execution {row.execution_id}, attempt {script.attempt}, engine {script.engine}"
    return f"{of}\n\n{script.text.rstrip()}\n"


def _log(con: Connection, execution_id: str) -> str:
    texts: list[str] = []
    after: int | None = 0
    while after is not None:
        chunks = queue.read_log(con, execution_id, after=after, limit=_CHUNKS)
        texts.extend(chunk.text for chunk in chunks)
        after = chunks[-1].id if len(chunks) == _CHUNKS else None
    return "".join(texts)


def _report(row: Row[Any]) -> dict[str, Any]:
    """What the run told; what can be told of it when it could not. With what went wrong beside it."""
    told: dict[str, Any] = row.report if _is_of_end(row) else _of_row(row).as_dict()
    return {**told, "warnings": [*told.get("warnings", ()), *(row.warnings or ())]}


def _is_of_end(row: Row[Any]) -> bool:
    """Whether the report is that of the end: it may be of an attempt before the last one."""
    report, failure = row.report or {}, row.failure or {}
    codes = ((report.get("failure") or {}).get("code"), failure.get("code"))
    return report.get("status") == row.status and codes[0] == codes[1]


def _of_row(row: Row[Any]) -> Report:
    began, ended = row.started_at or row.ended_at, row.ended_at
    return Report(
        execution_id=row.execution_id,
        job=row.job_name,
        status=row.status,
        engine="",
        started=datetime.fromtimestamp(began, UTC),
        seconds=ended - began,
        peak_memory=0,
        failure=_failure(row.failure) if row.failure else None,
    )


def _failure(told: Mapping[str, Any]) -> Failure:
    code, message, hint, node = (str(told.get(name) or "") for name in ("code", "message", "hint", "node"))
    return Failure(code, message, hint, told.get("nodeId"), node)
