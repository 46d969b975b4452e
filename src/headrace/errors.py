"""Every kind of error, named once.

Two families: a job that is wrong (`JobInvalid`, found without touching data) and a run that failed (`RunFailed` and
its kinds). Each says where it happened, what is wrong, and, where something would help, what would do. The edges
decide what a kind means to their caller (an exit code, an HTTP status); nothing below them does.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

_MOST_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a job, or with another `subject`, with its place.

    `field` is the path inside the node as it stands on the wire (`filterConditionList[0].name`), or of the job itself
    when `node_id` is None; nodes of workflows have texts as ids. `code` is a stable word for programs; `message` and
    `hint` are for people. A text that quotes too much of what was sent is cut in its middle.
    """

    code: str
    message: str
    hint: str = ""
    node_id: int | str | None = None
    node: str = ""
    field: str = ""
    subject: str = "job"

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
                half = _MOST_CHARACTERS // 2
                object.__setattr__(self, each.name, f"{value[:half]}…{value[-half:]}")

    def __str__(self) -> str:
        return self.told(self.subject)

    def told(self, whole: str) -> str:
        """The problem in a line; `whole` is what a place outside the nodes is called, empty for nothing."""
        name = f"{self.node!r} ({self.node_id})" if self.node else f"{self.node_id}"
        place = whole if self.node_id is None else f"node {name}"
        where = ", ".join(part for part in (place, self.field) if part)
        said = f"{self.message}; {self.hint}" if self.hint else self.message
        return f"{where}: {said}" if where else said

    def as_dict(self) -> dict[str, object]:
        """The problem as plain JSON values, without the empty ones."""
        names = {"node_id": "nodeId"}
        return {names.get(key, key): value for key, value in asdict(self).items() if _is_told(key, value)}


def _is_told(key: str, value: object) -> bool:
    return key != "subject" and value not in ("", None)


class HeadraceError(Exception):
    """What all our errors are; `code` is a stable word, `hint` says what would do."""

    code = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class SettingInvalid(HeadraceError):
    """A setting has a value that it can't have, or a name that does not exist."""

    code = "setting-invalid"


class NodeTypeUnknown(HeadraceError):
    """Somebody asked about a node type that does not exist."""

    code = "unknown-node-type"


class JobInvalid(HeadraceError):
    """The job is wrong; `problems` holds all that was found, never only the first."""

    code = "job-invalid"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class RunFailed(HeadraceError):
    """The run could not be done; the old output stands.

    `node_id` and `node` name the place when it is known.
    """

    code = "run-failed"

    def __init__(self, message: str, *, hint: str = "", node_id: int | None = None, node: str = "") -> None:
        super().__init__(message, hint=hint)
        self.node_id = node_id
        self.node = node

    def __str__(self) -> str:
        place = f"node {self.node!r} ({self.node_id}): " if self.node_id is not None else ""
        return place + super().__str__()


class BadData(RunFailed):
    """The data can't be read as the job declares it."""

    code = "bad-data"


class Cancelled(RunFailed):
    """Somebody stopped the run before it had published anything."""

    code = "cancelled"


class LeaseLost(RunFailed):
    """Another worker may have the run by now: this one publishes nothing."""

    code = "lease-lost"


class WorkerStopped(RunFailed):
    """The worker is being stopped; the run begins again elsewhere, or when it is back."""

    code = "worker-stopped"


class NotSupported(RunFailed):
    """The job is sound, and this engine can't run a part of it."""

    code = "not-supported"


class TimedOut(RunFailed):
    """The run took longer than it may."""

    code = "timed-out"


class OutOfMemory(RunFailed):
    """The run needs more memory than its limit, and could not spill."""

    code = "out-of-memory"


class EngineFailed(RunFailed):
    """The engine gave up for a cause that we do not know by name."""

    code = "engine-failed"


class StoreError(RunFailed):
    """The place where data lies did not do what was asked."""

    code = "store-failed"


class StoreMissing(StoreError):
    """A bucket, prefix or object is not there."""

    code = "store-missing"


class StoreDenied(StoreError):
    """The store does not let us, or the name would leave the store's root."""

    code = "store-denied"


class StoreFull(StoreError):
    """There is no room left where data or temporary files are written."""

    code = "store-full"


class StoreBusy(StoreError):
    """Another live run writes to the same place."""

    code = "store-busy"


class SourceChanged(StoreError):
    """An object changed or vanished between listing and reading."""

    code = "source-changed"


class NotFound(HeadraceError):
    """Something was asked for by an id that nothing of that kind has, or that the caller's account does not have."""

    code = "not-found"

    def __init__(self, kind: str, id_: str) -> None:
        super().__init__(f"there is no {kind} {id_!r}")
        self.kind = kind
        self.id = id_


class BadState(HeadraceError):
    """What was asked for can't be done to a thing in this state."""

    code = "bad-state"


class NotBuilt(HeadraceError):
    """Something that the vendor has and Headrace does not yet; `what` names it."""

    code = "not-built"

    def __init__(self, what: str) -> None:
        super().__init__(f"not built yet: {what}")
        self.what = what


class BadParameter(HeadraceError):
    """What was sent is wrong; `problems` holds all that was found, never only the first."""

    code = "bad-parameter"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Denied(HeadraceError):
    """The caller's key has no right to do this, or not to this thing."""

    code = "denied"


class NotGranted(HeadraceError):
    """The caller's key has no right to data that a job would touch; `problems` holds each place, with its node."""

    code = "not-granted"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Repeated(HeadraceError):
    """A request carries a signature that was used for another one."""

    code = "repeated"


class Conflict(HeadraceError):
    """Somebody else changed the thing since the caller read it."""

    code = "conflict"


class DatabaseFailed(HeadraceError):
    """The database of the server did not do what was asked; nothing of the transaction was kept."""

    code = "database-failed"


class DatabaseFull(DatabaseFailed):
    """There is no room left where the database of the server lies."""

    code = "database-full"


class DatabaseReadOnly(DatabaseFailed):
    """The database of the server can be read and not written."""

    code = "database-read-only"


class SchemaMismatch(HeadraceError):
    """The tables of the database are older or newer than this program."""

    code = "schema-mismatch"
