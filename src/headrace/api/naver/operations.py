"""The operations of the API, once: the gateway finds them here, the routes are made from it.

Names are those of the newest documentation. What it does not have is ours: cancel, log, report and script of an
execution, revisions, changes of a trigger, runs of a workflow, statistics of jobs, the audit log.
"""

import re
from collections.abc import Iterable
from functools import cache

from headrace.api.gateway import Operation

JOBS = "/api/v1/jobs"
JOB = f"{JOBS}/{{jobId}}"
RUNS = f"{JOB}/executions"
RUN = f"{RUNS}/{{executionId}}"
REVISIONS = f"{JOB}/revisions"
REVISION = f"{REVISIONS}/{{revision}}"
WORKFLOWS = "/api/v1/workflows"
WORKFLOW = f"{WORKFLOWS}/{{workflowId}}"
WORKFLOW_REVISIONS = f"{WORKFLOW}/revisions"
WORKFLOW_REVISION = f"{WORKFLOW_REVISIONS}/{{revision}}"
WORKFLOW_RUN = f"{WORKFLOW}/runs/{{runId}}"
TRIGGERS = "/api/v1/triggers"
TRIGGER = f"{TRIGGERS}/{{triggerId}}"
STATS = "/api/v1/stats"
JOB_STATS = f"{STATS}/jobs"

OPERATIONS = (
    Operation("getJobs", "GET", JOBS, "View/getJobList"),
    Operation("createJob", "POST", JOBS, "Change/createJob"),
    Operation("verifyJob", "POST", f"{JOBS}/verify", "View/verifyJob"),
    Operation("getJob", "GET", JOB, "View/getJobDetail"),
    Operation("updateJob", "PUT", JOB, "Change/updateJob"),
    Operation("patchJob", "PATCH", JOB, "Change/updateJob"),
    Operation("deleteJob", "DELETE", JOB, "Change/deleteJob"),
    Operation("getJobExecutions", "GET", RUNS, "View/getJobExecutionList"),
    Operation("createJobExecution", "POST", RUNS, "Change/executeJob"),
    Operation("updateJobExecutionConfig", "PUT", RUNS, "Change/updateJobExecutionConfig"),
    Operation("getJobExecution", "GET", RUN, "View/getJobExecutionDetail"),
    Operation("cancelJobExecution", "POST", f"{RUN}/cancel", "Change/cancelJobExecution"),
    Operation("getJobExecutionLog", "GET", f"{RUN}/log", "View/getJobExecutionDetail"),
    Operation("getJobExecutionReport", "GET", f"{RUN}/report", "View/getJobExecutionDetail"),
    Operation("getJobExecutionScript", "GET", f"{RUN}/script", "View/getJobExecutionDetail"),
    Operation("getJobRevisions", "GET", REVISIONS, "View/getJobRevisionList"),
    Operation("getJobRevision", "GET", REVISION, "View/getJobRevisionDetail"),
    Operation("restoreJobRevision", "POST", f"{REVISION}/restore", "Change/restoreJobRevision"),
    Operation("getAuditList", "GET", "/api/v1/audit", "View/getAuditList"),
    Operation("getWorkflows", "GET", WORKFLOWS, "View/getWorkflowList"),
    Operation("createWorkflow", "POST", WORKFLOWS, "Change/createWorkflow"),
    Operation("getWorkflow", "GET", WORKFLOW, "View/getWorkflowDetail"),
    Operation("updateWorkflow", "PUT", WORKFLOW, "Change/updateWorkflow"),
    Operation("deleteWorkflow", "DELETE", WORKFLOW, "Change/deleteWorkflow"),
    Operation("getWorkflowExecutions", "GET", f"{WORKFLOW}/executions", "View/getWorkflowExecutionList"),
    Operation("executeWorkflow", "POST", f"{WORKFLOW}/executions", "Change/executeWorkflow"),
    Operation("getWorkflowRuns", "GET", f"{WORKFLOW}/runs", "View/getWorkflowExecutionList"),
    Operation("getWorkflowRun", "GET", WORKFLOW_RUN, "View/getWorkflowExecutionList"),
    Operation("cancelWorkflowRun", "POST", f"{WORKFLOW_RUN}/cancel", "Change/cancelWorkflowRun"),
    Operation("rerunWorkflowRun", "POST", f"{WORKFLOW_RUN}/rerun", "Change/executeWorkflow"),
    Operation("getWorkflowRevisions", "GET", WORKFLOW_REVISIONS, "View/getWorkflowRevisionList"),
    Operation("getWorkflowRevision", "GET", WORKFLOW_REVISION, "View/getWorkflowRevisionDetail"),
    Operation("restoreWorkflowRevision", "POST", f"{WORKFLOW_REVISION}/restore", "Change/restoreWorkflowRevision"),
    Operation("getTriggers", "GET", TRIGGERS, "View/getTriggerList"),
    Operation("createTrigger", "POST", TRIGGERS, "Change/createTrigger"),
    Operation("getTrigger", "GET", TRIGGER, "View/getTriggerDetail"),
    Operation("deleteTrigger", "DELETE", TRIGGER, "Change/deleteTrigger"),
    Operation("updateTrigger", "PUT", TRIGGER, "Change/updateTrigger"),
    Operation("patchTrigger", "PATCH", TRIGGER, "Change/updateTrigger"),
    Operation("pauseTrigger", "POST", f"{TRIGGER}/pause", "Change/updateTrigger"),
    Operation("resumeTrigger", "POST", f"{TRIGGER}/resume", "Change/updateTrigger"),
    Operation("getExecutionCount", "GET", f"{STATS}/executions", "View/getExecutionCount"),
    Operation("getExecutionCountByInterval", "GET", f"{STATS}/executions-interval", "View/getExecutionCountByInterval"),
    Operation("getExecutionTimes", "GET", f"{STATS}/executions-times", "View/getExecutionTimes"),
    # The first documentation had the path without its s.
    Operation("getExecutionTimes", "GET", f"{STATS}/execution-times", "View/getExecutionTimes"),
    Operation("getJobStats", "GET", JOB_STATS, "View/getJobStats"),
    Operation("getJobStatsByInterval", "GET", f"{JOB_STATS}/{{jobId}}", "View/getJobStatsByInterval"),
)


def named(name: str) -> Operation:
    """The operation of this name."""
    return next(operation for operation in OPERATIONS if operation.name == name)


def find(method: str, path: str) -> Operation | None:
    """The operation that a request means, or None: then there is no such URL."""
    return next((operation for shape, operation in _shapes(method) if shape.fullmatch(path)), None)


@cache
def _table() -> dict[str, tuple[tuple[re.Pattern[str], Operation], ...]]:
    return {method: tuple(_of_method(method)) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}


def _of_method(method: str) -> Iterable[tuple[re.Pattern[str], Operation]]:
    for operation in OPERATIONS:
        if operation.method == method:
            yield re.compile(re.sub(r"\{\w+\}", "[^/]+", operation.path)), operation


def _shapes(method: str) -> tuple[tuple[re.Pattern[str], Operation], ...]:
    return _table().get(method, ())
