"""`/api/jobs`: jobs that fill tables of the warehouse. Update, pause, resume, runs, log, cancel and psk are ours."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError

from headrace import __version__
from headrace.api.call import Server
from headrace.api.nx1.gate import Caller
from headrace.api.nx1.models import STATUSES, Created, JobKey, Log, NewJob, NewStatus, Ran, Result, ResultColumn, Told
from headrace.api.nx1.psks import Whose
from headrace.api.nx1.recipes import Warehouse, draft
from headrace.api.nx1.sources import Shelved, refuse_others
from headrace.auth.principal import Principal
from headrace.auth.roles import Right
from headrace.core import audit, data_grants, executions, feeds, jobs, psks, uploads, warehouse
from headrace.core.audit import Deed, Origin
from headrace.core.executions import Execution
from headrace.core.feeds import Draft, Feed
from headrace.core.paging import Page
from headrace.core.preview import preview
from headrace.db import Connection
from headrace.errors import NotGranted, Problem, StoreMissing
from headrace.execution.places import Stores
from headrace.plan.ops import Place
from headrace.readings import named_keys
from headrace.settings import Settings
from headrace.stores.base import Store
from headrace.stores.grants import Grants, Use

_RIGHTS: Mapping[str, Right] = {
    "airflow.ingest": "ingest",
    "airflow.airbyte": "ingest",
    "mirror": "ingest",
    "airflow.dataeng": "engineer",
    "airflow.nlp": "ask",
}
_WORDS = {
    "READY": "queued",
    "RUNNING": "running",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELED": "cancelled",
}
_ENDED = ("COMPLETED", "FAILED", "CANCELED")
_PIECES = 1000
_ASK = "`headrace grants give` gives it"
_PLACE = ("regionNo", "bucketName", "prefix", "dataType", "fieldList")
Most = Annotated[int, Query(ge=1, le=10_000)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


def origin_of(request: Request) -> Origin:
    """Where a request came from, for the audit log."""
    client = request.client
    return Origin(client.host if client else "", request.scope.get("state", {}).get("trace_id"))


Whence = Annotated[Origin, Depends(origin_of)]
Start = Annotated[int, Query(ge=0, le=100_000)]


@dataclass(frozen=True, slots=True)
class Jobs:
    """The endpoints, over one server."""

    server: Server
    stores: Stores
    settings: Settings

    @property
    def bucket(self) -> str:
        """That of the warehouse."""
        return str(self.settings["warehouse"])

    def create(self, caller: Whose, whence: Whence, sent: NewJob) -> Created:
        """Make a job; it runs by its schedule and when it is triggered."""
        made = self._draft(caller, sent)
        with self.server.database.transaction() as con:
            feed = feeds.create(con, self._acting(con, caller), made, owner_id=caller.owner_id, now=self.server.now())
            self._note(con, caller, "createJob", feed.feed_id, whence)
        return _created(feed)

    def run_new(self, caller: Caller, whence: Origin, sent: NewJob) -> Feed:
        """Make a job and run it at once: both, or neither."""
        made = self._draft(caller, sent)
        with self.server.database.transaction() as con:
            now = self.server.now()
            feed = feeds.create(con, self._acting(con, caller), made, owner_id=caller.owner_id, now=now)
            feeds.start(con, caller.principal, feed.feed_id, now=now)
            self._note(con, caller, "submitIngest", feed.feed_id, whence)
        return feed

    def all(self, caller: Whose, limit: Most = 10_000, offset: Offset = 0) -> list[Told]:
        """The jobs that are the caller's to see, the newest first."""
        if not caller.may("monitor"):
            raise _forbidden("a role that may monitor jobs is needed")
        owner = None if caller.is_admin else caller.owner_id
        with self.server.database.reading() as con:
            found = feeds.list(con, caller.principal, owner_id=owner, limit=limit, offset=offset)
        return [_told(feed) for feed in found]

    def get(self, caller: Whose, job_id: UUID) -> Told:
        """A job, also one that is deleted."""
        return _told(self._mine(caller, job_id, deleted=True))

    def update(self, caller: Whose, whence: Whence, job_id: UUID, sent: NewJob) -> Told:
        """Make a job another one."""
        self._mine(caller, job_id)
        made = self._draft(caller, sent)
        with self.server.database.transaction() as con:
            feed = feeds.update(con, self._acting(con, caller), str(job_id), made, now=self.server.now())
            self._note(con, caller, "updateJob", feed.feed_id, whence)
        return _told(feed)

    def delete(self, caller: Whose, whence: Whence, job_id: UUID) -> str:
        """Delete a job; the table that it has filled stays."""
        self._mine(caller, job_id)
        with self.server.database.transaction() as con:
            feeds.delete(con, caller.principal, str(job_id), now=self.server.now())
            psks.revoke_for_job(con, str(job_id), now=self.server.now())
            self._note(con, caller, "deleteJob", str(job_id), whence)
        return "deleted"

    def trigger(self, caller: Whose, whence: Whence, job_id: UUID) -> str:
        """Run a job now; gives the id of the run. 409 while it runs."""
        self._mine(caller, job_id)
        with self.server.database.transaction() as con:
            run = feeds.start(con, caller.principal, str(job_id), now=self.server.now())
            self._note(con, caller, "triggerJob", str(job_id), whence)
        return run

    def cancel(self, caller: Whose, whence: Whence, job_id: UUID) -> str:
        """Stop what waits or runs of a job."""
        self._mine(caller, job_id)
        with self.server.database.transaction() as con:
            feeds.cancel(con, caller.principal, str(job_id), now=self.server.now())
            self._note(con, caller, "cancelJob", str(job_id), whence)
        return "cancelled"

    def pause(self, caller: Whose, whence: Whence, job_id: UUID) -> Told:
        """Let the schedule of a job rest."""
        return self._paused(caller, job_id, whence, paused=True)

    def resume(self, caller: Whose, whence: Whence, job_id: UUID) -> Told:
        """Let the schedule of a job go on."""
        return self._paused(caller, job_id, whence, paused=False)

    def write_status(self, caller: Whose, whence: Whence, job_id: UUID, sent: NewStatus) -> Told:
        """Say how a job went that somebody else does."""
        status = STATUSES.get(sent.status.lower())
        if status is None:
            told = f"{sent.status!r} is no status; there is {', '.join(STATUSES)}"
            raise RequestValidationError([{"loc": ("body", "status"), "msg": told, "type": "enum"}])
        with self.server.database.transaction() as con:
            feed = feeds.get(con, caller.principal, str(job_id))
            if not caller.may_write_status(str(job_id), feed.owner_id):
                raise _forbidden("the status of this job is not yours to write")
            message = sent.status_message or ("cancelled" if sent.status.lower() == "cancelled" else None)
            found = feeds.report(
                con, caller.principal, str(job_id), status=status, message=message, now=self.server.now()
            )
            self._note(con, caller, "writeJobStatus", str(job_id), whence)
        return _told(found)

    def runs(self, caller: Whose, job_id: UUID, limit: Limit = 100, page: Offset = 0) -> list[Ran]:
        """What a job has run, the newest first."""
        feed = self._mine(caller, job_id, deleted=True)
        with self.server.database.reading() as con:
            found, _ = executions.list(con, caller.principal, feed.job_id, page=Page(page, limit))
        return [_ran(execution) for execution in found]

    def log(self, caller: Whose, job_id: UUID, run_id: str, after: Offset = 0) -> Log:
        """What a run has logged after the piece `after`."""
        feed = self._mine(caller, job_id, deleted=True)
        with self.server.database.reading() as con:
            execution = executions.get(con, caller.principal, feed.job_id, run_id)
            pieces = executions.log(con, caller.principal, feed.job_id, run_id, after=after, limit=_PIECES)
        ended = execution.status in _ENDED and len(pieces) < _PIECES
        return Log(log="".join(p.text for p in pieces), next=pieces[-1].id if pieces else after, ended=ended)

    def result(self, caller: Whose, job_id: UUID, start: Start = 0, limit: Limit = 100) -> Result:
        """Rows of the table that the job has filled, in no order; 404 before it has."""
        feed = self._mine(caller, job_id)
        with self.server.database.reading() as con:
            job = jobs.get(con, caller.principal, feed.job_id)
            grants = data_grants.of(con, caller.account_id, caller.owner_id)
        target = (job.definition or {})["nodes"][-1]
        self._admit(grants, "read", Place(target["bucketName"], target["prefix"]))
        source = {name: target[name] for name in _PLACE} | {"type": "SOURCE_OBS"}
        try:
            found = preview(source, store=self._store(self.bucket), settings=self.settings, first=start, limit=limit)
        except StoreMissing:
            raise HTTPException(404, "the job has no result yet") from None
        return Result(
            start=start,
            row_count=len(found.rows),
            columns=[ResultColumn(name=f.name, type=str(f.type)) for f in found.schema],
            next_start=start + limit if found.more else None,
            data=[[_shown(value) for value in row] for row in found.rows],
        )

    def make_key(self, caller: Whose, whence: Whence, job_id: UUID) -> JobKey:
        """A key for the status of this job alone, in place of the one that it had."""
        feed = self._mine(caller, job_id)
        with self.server.database.transaction() as con:
            key = psks.create_for_job(
                con,
                account_id=caller.account_id,
                owner_id=feed.owner_id,
                job_id=str(job_id),
                now=self.server.now(),
            )
            self._note(con, caller, "makeJobKey", str(job_id), whence)
        return JobKey(psk=key)

    def _mine(self, caller: Caller, job_id: UUID, *, deleted: bool = False) -> Feed:
        """A job that the caller may touch. Raises NotFound."""
        with self.server.database.reading() as con:
            feed = feeds.get(con, caller.principal, str(job_id), deleted=deleted)
        if not caller.may_touch(feed.owner_id):
            raise _forbidden("the job is somebody else's, or no role of yours may monitor jobs")
        return feed

    def _acting(self, con: Connection, caller: Caller) -> Principal:
        """The caller with the data that was granted."""
        return replace(caller.principal, grants=data_grants.of(con, caller.account_id, caller.owner_id))

    def _admit(self, grants: Grants, use: Use, place: Place) -> None:
        """Raise NotGranted for data that may not be used so. Which uploaded files are whose is asked elsewhere."""
        if place.bucket != self.settings["uploads"] and not grants.allow(use, place.bucket, place.prefix):
            shown = place.prefix.replace("/", ".") if place.bucket == self.bucket else str(place)
            raise NotGranted([Problem("not-granted", f"you have no right to {use} {shown}", _ASK)])

    def _store(self, bucket: str) -> Store:
        return self.stores.of(bucket, region="1", nrn="")

    def _draft(self, caller: Caller, sent: NewJob) -> Draft:
        right = _RIGHTS[sent.job_type]
        if not caller.may(right):
            raise _forbidden(f"no role of yours may make jobs of type {sent.job_type}")

        def columns(table: warehouse.TableName) -> warehouse.Columns | None:
            with self.server.database.reading() as con:
                return warehouse.columns(con, caller.account_id, table)

        def uploaded(file_id: str) -> Place | None:
            with self.server.database.reading() as con:
                found = uploads.find(con, caller.account_id, file_id, owner_id=caller.owner_id)
            return None if found is None else Place(found.bucket, found.key)

        with self.server.database.reading() as con:
            grants = data_grants.of(con, caller.account_id, caller.owner_id)

        def admit(use: Use, place: Place) -> None:
            self._admit(grants, use, place)

        shelved = Shelved(self.settings["uploads"], uploaded)
        keys = named_keys(self.settings["encryption_keys"])
        made = draft(sent, Warehouse(self.bucket, self._store, columns, shelved, admit, keys))
        refuse_others(made.nodes, shelved)
        return made

    def _paused(self, caller: Caller, job_id: UUID, whence: Origin, *, paused: bool) -> Told:
        self._mine(caller, job_id)
        with self.server.database.transaction() as con:
            feed = feeds.pause(con, caller.principal, str(job_id), paused=paused, now=self.server.now())
            self._note(con, caller, "pauseJob" if paused else "resumeJob", str(job_id), whence)
        return _told(feed)

    def _note(self, con: Connection, caller: Caller, action: str, feed_id: str, whence: Origin) -> None:
        """Write down a change in the transaction that makes it."""
        audit.write(con, caller.principal, Deed(action, f"feeds/{feed_id}"), origin=whence, now=self.server.now())


def job_routes(endpoints: Jobs) -> APIRouter:
    """The endpoints by their whole paths; they stand behind the gate."""
    router = APIRouter(tags=["Jobs"])
    one = "/api/jobs/{job_id}"
    router.add_api_route("/api/jobs", endpoints.create, methods=["POST"])
    router.add_api_route("/api/jobs", endpoints.all, methods=["GET"])
    router.add_api_route(one, endpoints.get, methods=["GET"])
    router.add_api_route(one, endpoints.update, methods=["PUT"])
    router.add_api_route(one, endpoints.delete, methods=["DELETE"])
    router.add_api_route(f"{one}/trigger", endpoints.trigger, methods=["POST"])
    router.add_api_route(f"{one}/status", endpoints.write_status, methods=["PUT"])
    router.add_api_route(f"{one}/cancel", endpoints.cancel, methods=["POST"])
    router.add_api_route(f"{one}/pause", endpoints.pause, methods=["POST"])
    router.add_api_route(f"{one}/resume", endpoints.resume, methods=["POST"])
    router.add_api_route(f"{one}/runs", endpoints.runs, methods=["GET"])
    router.add_api_route(f"{one}/runs/{{run_id}}/log", endpoints.log, methods=["GET"])
    router.add_api_route(f"{one}/result", endpoints.result, methods=["GET"])
    router.add_api_route(f"{one}/psk", endpoints.make_key, methods=["POST"])
    router.add_api_route("/api/health/ping", ping, methods=["GET"])
    return router


def ping() -> dict[str, str]:
    """Whether the service is there."""
    return {"version": __version__, "build_number": __version__}


def _shown(value: object) -> object:
    """A value as JSON has it: whole numbers, doubles, booleans and lists as they are, all else as text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes():
            return value.hex()
        case list() | tuple():
            return [_shown(each) for each in value]
        case dict():
            return {str(key): _shown(each) for key, each in value.items()}
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def _forbidden(told: str) -> HTTPException:
    return HTTPException(403, told)


def _created(feed: Feed) -> Created:
    return Created(
        job_type=feed.type,
        job_name=feed.name,
        id=feed.feed_id,
        status=feed.status,
        created_at=feed.created_at,
        source=feed.source,
        destination=feed.destination,
        properties_json=feed.properties,
        schedule=feed.schedule,
    )


def _told(feed: Feed) -> Told:
    return Told(
        job_name=feed.name,
        id=feed.feed_id,
        owner_id=feed.owner_id,
        job_type=feed.type,
        source=feed.source,
        destination=feed.destination,
        schedule=feed.schedule,
        properties_json=feed.properties,
        status=feed.status,
        status_message=feed.message,
        created_at=feed.created_at,
        last_started_at=feed.last_started_at,
        last_completed_at=feed.last_completed_at,
        last_failed_at=feed.last_failed_at,
        is_deleted=feed.deleted_at is not None,
        deleted_at=feed.deleted_at,
    )


def _ran(execution: Execution) -> Ran:
    failure = execution.failure
    return Ran(
        id=execution.execution_id,
        status=_WORDS[execution.status],
        created_at=execution.created_at,
        started_at=execution.started_at,
        ended_at=execution.ended_at,
        status_message=None if failure is None else str(failure.get("message", "")),
    )
