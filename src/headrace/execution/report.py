"""What a run tells when it has ended: what was read, what was written, what did not fit, what it took.

What was read and what was written are counted independently of each other. `as_dict` is the JSON form, in the wire's
camelCase; sizes are bytes, times seconds, moments ISO 8601 in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic.alias_generators import to_camel

from headrace.errors import RunFailed

Status = Literal["COMPLETED", "FAILED", "CANCELED"]


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """One object that a source read, as it was when the run listed it."""

    name: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one source read. `bad_values` counts, by field, texts that did not parse; such values are null."""

    node_id: int
    node: str
    place: str
    format: str
    objects: tuple[ObjectRead, ...]
    bytes: int
    rows: int
    bad_values: Mapping[str, int]
    short_rows: int
    long_rows: int


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a node that is no source made null because it could not be cast."""

    node_id: int
    node: str
    bad_values: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TargetReport:
    """What one target wrote. `skipped` when IGNORE met data: nothing was written."""

    node_id: int
    node: str
    place: str
    format: str
    update_type: str
    files: tuple[str, ...]
    bytes: int
    rows: int
    removed: int
    skipped: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run did not complete, and what would do."""

    code: str
    message: str
    hint: str
    node_id: int | None
    node: str

    @classmethod
    def of(cls, error: RunFailed) -> "Failure":
        """The failure that an error is."""
        return cls(error.code, error.message, error.hint, error.node_id, error.node)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole run."""

    execution_id: str
    job: str
    status: Status
    engine: str
    started: datetime
    seconds: float
    peak_memory: int
    sources: tuple[SourceReport, ...] = ()
    nodes: tuple[NodeReport, ...] = ()
    targets: tuple[TargetReport, ...] = ()
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return _plain(self)  # type: ignore[no-any-return]  # a dataclass becomes a dict


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
