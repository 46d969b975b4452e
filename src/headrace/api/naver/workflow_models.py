"""The shapes of answers about workflows, for the API's description; `workflow_answers` writes them."""

from typing import Any, Literal

from headrace.api.naver.models import Date, ExecutionStatus
from headrace.core.workflow_definition import WorkflowBody, WorkflowNode
from headrace.nodes.wire import Wire

RuleType = Literal["RECURRING", "ONE_TIME", "CRON", "INTERVAL", "NONE", "EVENT"]


class NodeAnswer(Wire):
    """The trigger or a job; `isValid` is false when it was deleted."""

    id: str
    name: str
    type: Literal["TRIGGER", "JOB"]
    parent_node_ids: list[str]
    trigger_rule: RuleType | None = None
    job_condition: dict[str, Any] | None = None
    run_on: Literal["SUCCEEDED", "FAILED", "DONE"] | None = None
    parameters: dict[str, str | int] | None = None
    is_valid: bool


class WorkflowRequest(WorkflowBody):
    """A workflow: one trigger, and jobs behind it. `runOn` and `parameters` of a node are ours."""

    nodes: tuple[WorkflowNode, ...]


class WorkflowAnswer(Wire):
    """A workflow."""

    workflow_id: str
    name: str
    nodes: list[NodeAnswer | Any]  # a draft keeps whatever was sent
    created_date: str = Date
    updated_date: str = Date
    is_temp: bool


class WorkflowRow(WorkflowAnswer):
    """A workflow in a list."""

    last_execution_date: str | None = None
    trigger_rule_type: RuleType | None = None
    resource_id: str
    disabled: Literal[False]


class HiddenWorkflowRow(Wire):
    """A workflow in a list, of which the caller may only know what it is called."""

    workflow_id: str
    name: str
    resource_id: str
    disabled: Literal[True]


class WorkflowList(Wire):
    """A page of workflows; `count` is all that match."""

    list: list[WorkflowRow | HiddenWorkflowRow]
    count: int
    page: int
    limit: int


class ExecuteWorkflowBody(Wire):
    """What is handed to a run, for who can't send it as a header."""

    payload: dict[str, Any] | None = None


class AcceptedAnswer(Wire):
    """A run was accepted; `runId` is ours."""

    workflow_id: str
    trigger_id: str
    status: Literal["ACCEPTED"]
    run_id: str


class WorkflowRunJob(Wire):
    """A job of a run; `jobExecutionId` is its last execution."""

    job_id: str
    job_name: str
    parent_job_ids: list[str]
    run_on: Literal["SUCCEEDED", "FAILED", "DONE"]
    status: Literal["WAITING", "READY", "RUNNING", "COMPLETED", "FAILED", "CANCELED", "SKIPPED"]
    job_execution_id: str | None = None
    attempt: int
    end_date: str | None = None
    failure: dict[str, Any] | None = None


class WorkflowRunRow(Wire):
    """A run of a workflow in a list; READY is one that waits for an earlier run."""

    run_id: str
    workflow_id: str
    workflow_name: str
    workflow_revision: int
    status: ExecutionStatus
    cancel_requested: bool
    attempt: int
    trigger_id: str
    trigger_name: str
    created_by: str
    created_date: str = Date
    scheduled_date: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    payload: dict[str, Any] | None = None


class WorkflowRunAnswer(WorkflowRunRow):
    """A run of a workflow with its jobs."""

    jobs: list[WorkflowRunJob]


class WorkflowRunList(Wire):
    """A page of runs; `count` is all that match."""

    list: list[WorkflowRunRow]
    count: int
    page: int
    limit: int


class WorkflowRevisionRow(Wire):
    """A revision of a workflow in a list."""

    workflow_id: str
    revision: int
    created_date: str = Date
    created_by: str


class WorkflowRevisionList(Wire):
    """A page of revisions, the newest first; `count` is all there are."""

    list: list[WorkflowRevisionRow]
    count: int
    page: int
    limit: int


class WorkflowRevisionAnswer(WorkflowRevisionRow):
    """A revision of a workflow: `definition` is the body as it was sent, and can be sent again."""

    definition: dict[str, Any]
