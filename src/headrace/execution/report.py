"""What a run tells when it has ended: what was read, what was written, what did not fit, what it took.

What was read and what was written are counted independently of each other. `as_dict` is the JSON form, in the wire's
camelCase; sizes are bytes, times seconds, moments ISO 8601 in UTC. The text beside each field is its documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic.alias_generators import to_camel

from headrace.errors import RunFailed

Status = Literal["COMPLETED", "FAILED", "CANCELED"]


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """One object that a source read, as it was when the run listed it."""

    name: Annotated[str, "Bucket and key."]
    size: Annotated[int, "Bytes."]
    etag: Annotated[str, "What tells this version of the object from another."]


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one source read."""

    node_id: Annotated[int, "The node's id."]
    node: Annotated[str, "The node's name."]
    place: Annotated[str, "Bucket and prefix."]
    format: Annotated[str, "How the data is written: CSV, JSON, NDJSON or PARQUET."]
    objects: Annotated[tuple[ObjectRead, ...], "What was read, sorted by key."]
    bytes: Annotated[int, "The size of all objects."]
    rows: Annotated[int, "The rows in them."]
    bad_values: Annotated[Mapping[str, int], "By used field, the values that did not parse; they became null."]
    short_rows: Annotated[int, "CSV: rows with fewer values than columns; the rest became null."]
    long_rows: Annotated[int, "CSV: rows with more values than columns; those beyond were left out."]


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a node that is no source made null. Nodes without such values are not listed."""

    node_id: Annotated[int, "The node's id."]
    node: Annotated[str, "The node's name."]
    bad_values: Annotated[Mapping[str, int], "By column, the values that could not be cast; they became null."]


@dataclass(frozen=True, slots=True)
class TargetReport:
    """What one target wrote."""

    node_id: Annotated[int, "The node's id."]
    node: Annotated[str, "The node's name."]
    place: Annotated[str, "Bucket and prefix."]
    format: Annotated[str, "How the data is written: CSV, JSON or PARQUET."]
    update_type: Annotated[str, "OVERWRITE, APPEND, IGNORE or MERGE."]
    files: Annotated[tuple[str, ...], "Bucket and key of each new object."]
    bytes: Annotated[int, "The size of the new objects."]
    rows: Annotated[int, "The rows in them, as the writer counted."]
    removed: Annotated[int, "How many old objects were removed."]
    skipped: Annotated[bool, "Whether nothing was written: IGNORE met data, or an earlier attempt had published."]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run did not complete, and what would do."""

    code: Annotated[str, "A stable word for the kind of failure."]
    message: Annotated[str, "What happened, for people."]
    hint: Annotated[str, "What would do; may be empty."]
    node_id: Annotated[int | None, "The node where it happened, if that is known."]
    node: Annotated[str, "That node's name."]

    @classmethod
    def of(cls, error: RunFailed) -> "Failure":
        """The failure that an error is."""
        return cls(error.code, error.message, error.hint, error.node_id, error.node)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole run."""

    execution_id: Annotated[str, "The id of this run."]
    job: Annotated[str, "The job's name."]
    status: Annotated[Status, "How it ended."]
    engine: Annotated[str, "What ran it."]
    started: Annotated[datetime, "When it began."]
    seconds: Annotated[float, "How long it took."]
    peak_memory: Annotated[int, "The most memory that the process had, in bytes."]
    threads: Annotated[int, "The threads that the engine had; 0 when the run did not come so far."] = 0
    sources: Annotated[tuple[SourceReport, ...], "What was read; empty when the run failed."] = ()
    nodes: Annotated[tuple[NodeReport, ...], "What did not cast in nodes that are no sources."] = ()
    targets: Annotated[tuple[TargetReport, ...], "What was written; empty when the run failed."] = ()
    warnings: Annotated[tuple[str, ...], "What is allowed but worth knowing."] = ()
    failure: Annotated[Failure | None, "Why the run did not complete."] = None

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return _plain(self)  # type: ignore[no-any-return]  # a dataclass becomes a dict


def rows_of(report: Mapping[str, Any]) -> dict[str, int]:
    """How many rows a report in its JSON form tells of: all that were read, and all that were written."""
    told = {"rows_read": report.get("sources", ()), "rows_written": report.get("targets", ())}
    return {name: sum(int(each["rows"]) for each in of) for name, of in told.items()}


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {to_camel(f.name): _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value
