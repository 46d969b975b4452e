"""The vendor's API as one ASGI application, without its gateway."""

from collections.abc import Callable

from fastapi import Request, Response
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from headrace.api.call import call_of
from headrace.api.changes import refused
from headrace.api.gateway import DENIED, INVALID, Operation, Refusal
from headrace.api.naver import audit, executions, job_stats, jobs, revisions, stats, triggers, workflows
from headrace.api.naver.answers import answered
from headrace.api.naver.errors import service_error
from headrace.api.naver.operations import OPERATIONS
from headrace.errors import DatabaseFailed, Denied, HeadraceError, Repeated

ENDPOINTS: dict[str, Callable[..., Response]] = {
    "getJobs": jobs.get_jobs,
    "createJob": jobs.create_job,
    "verifyJob": jobs.verify_job,
    "getJob": jobs.get_job,
    "updateJob": jobs.update_job,
    "patchJob": jobs.patch_job,
    "deleteJob": jobs.delete_job,
    "updateJobExecutionConfig": jobs.update_job_execution_config,
    "createJobExecution": executions.create_job_execution,
    "getJobExecutions": executions.get_job_executions,
    "getJobExecution": executions.get_job_execution,
    "cancelJobExecution": executions.cancel_job_execution,
    "getJobExecutionLog": executions.get_job_execution_log,
    "getJobExecutionReport": executions.get_job_execution_report,
    "getJobExecutionScript": executions.get_job_execution_script,
    "getWorkflows": workflows.get_workflows,
    "getWorkflow": workflows.get_workflow,
    "createWorkflow": workflows.create_workflow,
    "updateWorkflow": workflows.update_workflow,
    "deleteWorkflow": workflows.delete_workflow,
    "getWorkflowExecutions": workflows.get_workflow_executions,
    "executeWorkflow": workflows.execute_workflow,
    "getWorkflowRuns": workflows.get_workflow_runs,
    "getWorkflowRun": workflows.get_workflow_run,
    "cancelWorkflowRun": workflows.cancel_workflow_run,
    "rerunWorkflowRun": workflows.rerun_workflow_run,
    "getExecutionCount": stats.get_execution_count,
    "getExecutionCountByInterval": stats.get_execution_count_by_interval,
    "getExecutionTimes": stats.get_execution_times,
    "getJobStats": job_stats.get_job_stats,
    "getJobStatsByInterval": job_stats.get_job_stats_by_interval,
    "getTriggers": triggers.get_triggers,
    "getTrigger": triggers.get_trigger,
    "createTrigger": triggers.create_trigger,
    "updateTrigger": triggers.update_trigger,
    "patchTrigger": triggers.patch_trigger,
    "pauseTrigger": triggers.pause_trigger,
    "resumeTrigger": triggers.resume_trigger,
    "deleteTrigger": triggers.delete_trigger,
    "getJobRevisions": revisions.get_job_revisions,
    "getJobRevision": revisions.get_job_revision,
    "restoreJobRevision": revisions.restore_job_revision,
    "getWorkflowRevisions": revisions.get_workflow_revisions,
    "getWorkflowRevision": revisions.get_workflow_revision,
    "restoreWorkflowRevision": revisions.restore_workflow_revision,
    "getAuditList": audit.get_audit_list,
}


def service() -> ASGIApp:
    """The application: its routes are the table of operations. They read their requests themselves, so it is bare."""
    routes = [_route(operation) for operation in OPERATIONS]
    return ExceptionMiddleware(Router(routes, redirect_slashes=False), handlers={HeadraceError: told})


def _route(operation: Operation) -> Route:
    endpoint = ENDPOINTS[operation.name]

    def asked(request: Request) -> Response:
        return endpoint(request, **request.path_params)

    return Route(operation.path, asked, methods=[operation.method], name=operation.name)


def told(request: Request, error: Exception) -> Response:
    """An error of ours in the service's shape; what is none of the caller's business goes on to the gateway."""
    if isinstance(error, HeadraceError) and not isinstance(error, DatabaseFailed):
        refused(call_of(request), error)
    if isinstance(error, Denied):
        return _refusal(DENIED.saying(error.message))
    if isinstance(error, Repeated):
        return _refusal(INVALID.saying(error.message))
    found = service_error(error) if isinstance(error, HeadraceError) else None
    if found is None:
        raise error
    return answered(found.body(request.url.path), status=found.status)


def _refusal(refusal: Refusal) -> Response:
    return Response(refusal.body(), refusal.status, media_type="application/json")
