"""The shapes of answers, for the API's description: clients are made from it. Answers are written by `answers`."""

from typing import Any, Literal

from pydantic import Field as Described

from headrace.core.schedules import Misfire, Overlap, TriggerType
from headrace.definition import JobBody
from headrace.nodes.wire import Wire

ExecutionStatus = Literal["READY", "RUNNING", "COMPLETED", "FAILED", "CANCELED"]
Date = Described(description="Korean time: `2025-03-21T10:02:02+09:00`.")


class ConditionAnswer(Wire):
    """How a job is run; `consoleLogPath` stands in executions only."""

    worker_type: Literal["DEFAULT"]
    num_worker: int
    timeout: int
    nrn: str
    script_path: str
    log_path: str
    console_log_path: str | None = None


class JobRow(Wire):
    """A job in a list."""

    job_id: str
    name: str
    type: Literal["DATAFLOW", "VISUAL"]
    status: Literal["RUNNABLE", "READY", "RUNNING", "DELETED", "DRAFT", "STOPPED", "EDITING"]
    max_concurrent_runs: int | None = None
    last_execution_status: ExecutionStatus | None = None
    created_date: str = Date
    updated_date: str = Date
    last_execution_date: str | None = None
    resource_id: str
    disabled: Literal[False]


class HiddenRow(Wire):
    """A job in a list that the caller may not view."""

    job_id: str
    name: str
    resource_id: str
    disabled: Literal[True]


class JobAnswer(Wire):
    """A job: one of 2025 has `description` and `runCondition`, one of 2026 `maxConcurrentRuns`, `jobCondition`."""

    job_id: str
    name: str
    description: str | None = None
    type: Literal["DATAFLOW", "VISUAL"]
    status: Literal["RUNNABLE", "READY", "RUNNING", "DELETED", "DRAFT", "STOPPED", "EDITING"]
    max_concurrent_runs: int | None = None
    last_execution_status: ExecutionStatus | None = None
    nodes: list[Any]
    run_condition: ConditionAnswer | None = None
    job_condition: ConditionAnswer | None = None
    created_date: str = Date
    updated_date: str = Date
    last_execution_date: str | None = None


class ExecutionAnswer(Wire):
    """A run of a job. The answer to its creation has fewer keys."""

    job_execution_id: str
    job_id: str
    job_condition: ConditionAnswer
    status: ExecutionStatus
    start_date: str = Date
    end_date: str | None = None
    created_date: str = Date
    trigger_id: str | None = None
    trigger_name: str | None = None
    job_name: str | None = None
    waiting_time: int | None = None
    executor_num: int | None = None
    running_time: int
    parsed_parameters: dict[str, str] | list[str]
    type: Literal["JOB", "WORKFLOW"]
    job_revision: int | None = None
    failure: dict[str, Any] | None = None
    warnings: list[str] | None = None


class JobList(Wire):
    """A page of jobs; `count` is all that match."""

    list: list[JobRow | HiddenRow]
    count: int
    page: int
    limit: int


class ExecutionList(Wire):
    """A page of executions; `count` is all that match."""

    list: list[ExecutionAnswer]
    count: int
    page: int
    limit: int


class LogPiece(Wire):
    """A piece of a console log."""

    id: int
    attempt: int
    date: str = Date
    text: str


class LogAnswer(Wire):
    """The log after some piece; `next` is what `after` is next time, until `ended`."""

    job_execution_id: str
    status: ExecutionStatus
    ended: bool
    next: int
    list: list[LogPiece]


class ReportAnswer(Wire):
    """What a run told of itself."""

    job_execution_id: str
    status: ExecutionStatus
    job_revision: int
    attempts: list[dict[str, Any]]
    failure: dict[str, Any] | None
    warnings: list[str]
    report: dict[str, Any] | None


class ScriptAnswer(Wire):
    """What the last attempt ran, in the language of its engine; all three are null before one has begun."""

    job_execution_id: str
    status: ExecutionStatus
    attempt: int | None
    engine: str | None
    script: str | None


class TriggerRow(Wire):
    """A trigger in a list; what stands after `updatedDate` is ours."""

    trigger_id: str
    name: str
    type: TriggerType
    trigger_rule: dict[str, Any]
    created_date: str = Date
    updated_date: str = Date
    time_zone: str
    start_date: str | None = None
    end_date: str | None = None
    misfire_policy: Misfire
    misfire_window: int | None = None
    overlap_policy: Overlap
    paused: bool
    summary: str


class TriggerAnswer(TriggerRow):
    """A trigger, with the dates that come next, at most five."""

    next_execution_dates: list[str]


class HiddenTriggerRow(Wire):
    """A trigger in a list, of which the caller may only know what it is called."""

    trigger_id: str
    name: str
    disabled: Literal[True]


class TriggerList(Wire):
    """A page of triggers; `count` is all that match."""

    list: list[TriggerRow | HiddenTriggerRow]
    count: int
    page: int
    limit: int


class RevisionRow(Wire):
    """A revision of a job in a list."""

    job_id: str
    revision: int
    created_date: str = Date
    created_by: str


class RevisionList(Wire):
    """A page of revisions, the newest first; `count` is all there are."""

    list: list[RevisionRow]
    count: int
    page: int
    limit: int


class ExecutionCount(Wire):
    """Executions in a period."""

    total_count: int
    completed_count: int
    failed_count: int


class ExecutionsOfDay(Wire):
    """Executions of a day; its dates have no offset and are Korean time."""

    total_count: int
    start_date: str
    end_date: str


class ExecutionCountByInterval(Wire):
    """Executions day by day."""

    result: list[ExecutionsOfDay]


class ExecutionsAt(Wire):
    """Executions that were created within two hours of a moment, in milliseconds since 1970."""

    time: int
    value: int


class ExecutionTimes(Wire):
    """Executions by the time at which they were created."""

    result: list[ExecutionsAt]


class Quantiles(Wire):
    """Seconds that half of the executions, 95 and 99 of a hundred did not exceed; right to a twentieth."""

    p50: float
    p95: float
    p99: float


class Stats(Wire):
    """How executions went; those that are in none of the three ends wait or run.

    `runningTime` is of those that completed, `waitingTime` of those that have ended and had begun; null when there were
    none. Rows are those of all sources and of all targets.
    """

    total_count: int
    completed_count: int
    failed_count: int
    canceled_count: int
    rows_read: int
    rows_written: int
    running_time: Quantiles | None
    waiting_time: Quantiles | None


class JobStats(Stats):
    """How the executions of a job went."""

    job_id: str
    job_name: str


class JobStatsList(Wire):
    """The jobs that had executions in a period, the busiest first; `count` is all of them."""

    list: list[JobStats]
    count: int
    page: int
    limit: int


class StatsOfInterval(Stats):
    """How the executions of an hour or a day went; its dates have no offset and are Korean time."""

    start_date: str
    end_date: str


class JobStatsByInterval(JobStats):
    """How the executions of a job went in a period, and in each hour or day of it."""

    result: list[StatsOfInterval]


class RevisionAnswer(RevisionRow):
    """A revision of a job: `definition` is the body as it was sent, and can be sent again."""

    definition: dict[str, Any]


class AuditRow(Wire):
    """Something that was changed, or that somebody was not let change (`denied`)."""

    id: int
    date: str = Date
    principal: str
    access_key: str | None
    action: str
    resource: str
    result: Literal["done", "denied"]
    source: str
    trace_id: str | None
    detail: dict[str, Any]


class AuditList(Wire):
    """A page of the audit log, the newest first; `count` is all that match."""

    list: list[AuditRow]
    count: int
    page: int
    limit: int


class ServiceErrorBody(Wire):
    """An error of the service."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str
    instance: str
    error_type: str
    problems: list[dict[str, Any]] | None = None


class GatewayErrorInside(Wire):
    """What went wrong at the gateway."""

    error_code: str
    message: str
    details: str


class GatewayErrorBody(Wire):
    """An error of the gateway."""

    error: GatewayErrorInside


class ExecuteBody(Wire):
    """How to run a job this time; what is left out is the job's own."""

    job_condition: dict[str, Any] | None = None
    parameters: dict[str, str | int] | None = None


class VerifyBody(JobBody):
    """A job to check. With a `jobId` it is that job, and what is left out of the body is as it is there."""

    job_id: str | None = None


class ConditionBody(Wire):
    """What to change of how a job is run."""

    job_condition: dict[str, Any]
