"""`/api/dataingest`: a job of type `airflow.ingest` made from one body, and run at once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from pydantic import AfterValidator, BaseModel, Field

from headrace.api.nx1.jobs import Jobs, Whence
from headrace.api.nx1.models import LongText, Mode, NewJob, Text, Transformation, kept
from headrace.api.nx1.psks import Whose
from headrace.errors import BadParameter, NotBuilt, Problem
from headrace.settings import Settings

Json = dict[str, Any]
# Each format with its options, and what these are without being sent.
OPTIONS: Mapping[str, Mapping[str, str | None]] = {
    "csv": {
        "header": "true",
        "inferSchema": "true",
        "delimiter": ",",
        "quote": '"',
        "escape": '"',
        "nullValue": None,
        "encoding": "UTF-8",
        "compression": None,
        "dateFormat": "yyyy-MM-dd",
        "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]",
    },
    "json": {},
    "ndjson": {},
    "parquet": {},
}
# What is read in one way alone: a client may send it as it is.
_FIXED = ("dateFormat", "timestampFormat")
_OURS = ("", "lakehouse", "warehouse")
_SENT_AS = {
    "properties_json.merge_keys": "merge",
    "properties_json.column_transformations": "column_transformations",
    "properties_json.read_options": "file_read_options",
    "properties_json.format": "file_format",
    "properties_json.columns": "file_read_options",
    "properties_json.file_id": "file_id",
    "properties_json.where": "lakehouse_conditions",
    "destination": "table",
}


class Submitted(BaseModel):
    """What is to be ingested: `file` from an uploaded file or a bucket, `lakehouse` from a table of the warehouse."""

    name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(kept)]
    ingesttype: Literal["file", "jdbc", "lakehouse"]
    schema_name: Text
    table: Text
    mode: Mode
    schedule: Text | None = None
    merge: Annotated[Text | None, Field(description="merge: the columns by which a row is the same, with commas.")] = (
        None
    )
    column_transformations: tuple[Transformation, ...] | None = None
    file_id: UUID | None = None
    file_path: Text | None = None
    file_format: Text | None = None
    file_read_options: dict[str, str | bool] | None = None
    lakehouse_catalog: Text | None = None
    lakehouse_sourceschema: Text | None = None
    lakehouse_sourcetable: Text | None = None
    lakehouse_conditions: Annotated[LongText | None, Field(description="Which rows, as SQL.")] = None
    owner_id: Text | None = None
    domain: Annotated[Text | None, Field(description="Taken, and of no effect.")] = None
    tags: Annotated[tuple[Text, ...] | None, Field(description="Taken, and of no effect.")] = None


class Flow(BaseModel):
    """What became of it: the job, and where to look at it."""

    flow_url: str
    job_id: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Ingestion:
    """The endpoints, over those of jobs."""

    jobs: Jobs
    settings: Settings

    def submit(self, caller: Whose, whence: Whence, request: Request, sent: Submitted) -> Flow:
        """Make a job that ingests, and run it now; with a schedule, it runs by that from then on."""
        if sent.owner_id and sent.owner_id != caller.owner_id:
            raise HTTPException(403, "a job is its caller's own: owner_id is somebody else")
        source = "file_path" if sent.ingesttype == "file" else "lakehouse_sourcetable"
        try:
            feed = self.jobs.run_new(caller, whence, as_job(sent))
        except BadParameter as error:
            raise BadParameter(_as_sent(each, source) for each in error.problems) from None
        known_as = self.settings["public_url"] or f"{request.base_url}".rstrip("/") + self.settings["path_prefix"]
        return Flow(flow_url=f"{known_as}/api/jobs/{feed.feed_id}", job_id=feed.feed_id, error=None)

    def options(self) -> Mapping[str, Mapping[str, str | None]]:
        """The formats of files, and the options of each with what they are when they are not sent."""
        return OPTIONS


def ingestion_routes(jobs: Jobs, settings: Settings) -> APIRouter:
    """The endpoints by their whole paths; they stand behind the gate."""
    endpoints, router = Ingestion(jobs, settings), APIRouter(tags=["Data ingestion"])
    router.add_api_route("/api/dataingest/submit", endpoints.submit, methods=["POST"])
    router.add_api_route("/api/dataingest/file_ingestion_options", endpoints.options, methods=["GET"])
    return router


def as_job(sent: Submitted) -> NewJob:
    """The same as a job. Raises BadParameter, and NotBuilt for what can't be ingested yet."""
    if sent.ingesttype == "jdbc":
        raise NotBuilt("ingestion from a database (ingesttype jdbc)")
    source, properties = _of_file(sent) if sent.ingesttype == "file" else _of_table(sent)
    keys = [key.strip() for key in (sent.merge or "").split(",") if key.strip()]
    changes = [change.model_dump(exclude_none=True) for change in sent.column_transformations or ()]
    whole = {
        "mode": sent.mode,
        **({"merge_keys": keys} if keys else {}),
        **properties,
        **({"column_transformations": changes} if changes else {}),
    }
    return NewJob(
        job_type="airflow.ingest",
        job_name=sent.name,
        source=source,
        destination=f"{sent.schema_name}.{sent.table}",
        properties_json=json.dumps(whole),
        schedule=sent.schedule,
    )


def _of_file(sent: Submitted) -> tuple[str | None, Json]:
    format_ = (sent.file_format or "").lower() or None
    if format_ in ("orc", "xml", "xls", "xlsx"):
        raise NotBuilt(f"files of the format {format_}")
    if format_ is not None and format_ not in OPTIONS:
        raise BadParameter([Problem("enum", f"there are {', '.join(OPTIONS)}", field="file_format")])
    if sent.file_id is None and not sent.file_path:
        raise BadParameter([Problem("missing", "is needed, or file_path", field="file_id")])
    options = _options(sent.file_read_options or {}, format_)
    return sent.file_path, {
        **({"file_id": str(sent.file_id)} if sent.file_id else {}),
        **({"format": format_} if format_ else {}),
        **({"read_options": options} if options else {}),
    }


def _of_table(sent: Submitted) -> tuple[str, Json]:
    if (sent.lakehouse_catalog or "").lower() not in _OURS:
        raise NotBuilt(f"catalogs beside the warehouse (lakehouse_catalog {sent.lakehouse_catalog})")
    wanted = ("lakehouse_sourceschema", "lakehouse_sourcetable")
    if missing := [name for name in wanted if not getattr(sent, name)]:
        raise BadParameter([Problem("missing", "is needed", field=name) for name in missing])
    where = (sent.lakehouse_conditions or "").strip()
    return f"{sent.lakehouse_sourceschema}.{sent.lakehouse_sourcetable}", {"where": where} if where else {}


def _options(sent: Mapping[str, str | bool], format_: str | None) -> Json:
    """The options that the job has: without those that are as it reads anyway."""
    known = OPTIONS[format_ or "csv"]
    if wrong := [name for name in sent if name not in known]:
        told = f"is no option of {format_ or 'csv'}; there are {', '.join(known) or 'none'}"
        raise BadParameter([Problem("extra_forbidden", told, field=f"file_read_options.{name}") for name in wrong])
    for name in _FIXED:
        if name in sent and sent[name] != known[name]:
            raise NotBuilt(f"{name} beside {known[name]}: read the column as text, and cast it by SQL")
    return {name: value for name, value in sent.items() if name not in _FIXED}


def _as_sent(problem: Problem, source: str) -> Problem:
    """The same fault where the body had what is wrong."""
    for inside, name in {**_SENT_AS, "source": source}.items():
        if problem.field == inside or problem.field.startswith((f"{inside}.", f"{inside}[")):
            return replace(problem, field=name + problem.field.removeprefix(inside))
    return problem
