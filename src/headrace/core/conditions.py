"""How a job is run: the worker, the time it may take, the places of its script and logs."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from headrace.db.tables import accounts
from headrace.definition import JobCondition
from headrace.errors import BadParameter, Problem, StoreDenied
from headrace.ids import new_id
from headrace.nodes.wire import Wire
from headrace.stores.names import check_bucket, check_key
from headrace.wording import field_problem


@dataclass(frozen=True, slots=True)
class Condition:
    """Every field has a value. `timeout` is in minutes, 0 for the longest that the server allows.

    The places are a bucket and a folder, with a slash at the end; only an execution has a `console_log_path`.
    """

    worker_type: str = "DEFAULT"
    num_worker: int = 2
    timeout: int = 360
    nrn: str = ""
    script_path: str = ""
    log_path: str = ""
    console_log_path: str = ""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Condition":
        """A condition as it lies in the database."""
        return cls(**{name: stored[key] for name, key in _KEYS.items() if key in stored})

    def as_json(self) -> dict[str, object]:
        """As it lies in the database."""
        return {key: value for name, key in _KEYS.items() if (value := getattr(self, name)) != "" or name == "nrn"}


_KEYS = {
    "worker_type": "workerType",
    "num_worker": "numWorker",
    "timeout": "timeout",
    "nrn": "nrn",
    "script_path": "scriptPath",
    "log_path": "logPath",
    "console_log_path": "consoleLogPath",
}


class _Sent(Wire):
    job_condition: JobCondition


def merged(stored: Condition, sent: object) -> Condition:
    """What was sent, over what was stored: a field that was left out keeps its value, a place that is empty too.

    Raises BadParameter with every field that is wrong.
    """
    try:
        read = _Sent.model_validate({"jobCondition": sent}).job_condition
    except ValidationError as error:
        raise BadParameter(field_problem(detail, None, "", "") for detail in error.errors()) from None
    if wrong := misplaced(read):
        raise BadParameter(wrong)
    changed = {name: getattr(read, name) for name in read.model_fields_set & set(_KEYS)}
    if "worker_type" in changed:
        changed["worker_type"] = "DEFAULT"  # DATAFLOW, of the vendor's tables, is another word for it
    for name in ("script_path", "log_path"):
        path = changed.pop(name, "")
        if path:
            changed[name] = path if path.endswith("/") else f"{path}/"
    return replace(stored, **changed)


def place(path: str) -> tuple[str, str]:
    """The bucket and the folder of a place like `bucket/folder/`; the folder without a slash at its end."""
    bucket, _, folder = path.partition("/")
    return bucket, folder.removesuffix("/")


def misplaced(sent: JobCondition) -> tuple[Problem, ...]:
    """The places that can't be any."""
    return (*_faults("scriptPath", sent.script_path), *_faults("logPath", sent.log_path))


def _faults(field: str, path: str) -> Iterator[Problem]:
    """Why a place can't be one: the rules for names of buckets and objects."""
    bucket, folder = place(path)
    try:
        if path:
            check_bucket(bucket)
        if folder:
            check_key(folder)
    except StoreDenied as error:
        hint = error.hint or "write the bucket and the folder, like my-bucket/folder/"
        yield Problem("bad-field", error.message, hint, field=f"jobCondition.{field}")


def default(con: Connection, account_id: str, *, at: float) -> Condition:
    """The condition of a new job: its script and logs go to a bucket of the account."""
    bucket = _bucket(con, account_id)
    if bucket is None:
        # The end is random: names of buckets are shared by everybody who uses an object storage.
        made = {"bucket": f"dataflow-{account_id.lower()}-{new_id().lower()[:8]}", "created_at": at}
        with suppress(IntegrityError), con.begin_nested():  # somebody else may do the same just now
            con.execute(insert(accounts).values(account_id=account_id, **made))
        bucket = _bucket(con, account_id)
    places = _usual(bucket)
    return Condition(script_path=places["script_path"], log_path=places["log_path"])


def usual(con: Connection, account_id: str) -> Collection[str]:
    """The places of the account's own bucket, where scripts and logs go by default; none before its first job."""
    bucket = _bucket(con, account_id)
    return () if bucket is None else _usual(bucket).values()


def _usual(bucket: str | None) -> dict[str, str]:
    return {"script_path": f"{bucket}/scripts/", "log_path": f"{bucket}/sparkHistoryLogs/"}


def _bucket(con: Connection, account_id: str) -> str | None:
    return con.scalar(select(accounts.c.bucket).where(accounts.c.account_id == account_id))
