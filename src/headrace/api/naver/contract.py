"""The API described as OpenAPI 3.1, from the table of operations and the models; nothing here answers a request."""

import inspect
import re
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from headrace import __version__
from headrace.api.gateway import Operation
from headrace.api.naver import models as m
from headrace.api.naver import workflow_models as w
from headrace.api.naver.audit import FILTERS as AUDIT_FILTERS
from headrace.api.naver.contract_parts import (
    ANSWER_HEADERS,
    GOOD_HEADERS,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    MEANINGS,
    REPEATED,
    with_nodes,
)
from headrace.api.naver.operations import OPERATIONS
from headrace.api.naver.service import ENDPOINTS
from headrace.auth.signature_v2 import ACCESS_KEY, SIGNATURE, TIMESTAMP
from headrace.core.schedules import TriggerBody
from headrace.definition import JobBody

Json = dict[str, Any]
_REF = "#/components/schemas/{model}"
_TRUE = TypeAdapter(bool).json_schema() | {"const": True}
_ANSWERS: dict[str, type[BaseModel] | None] = {
    "getJobs": m.JobList,
    "createJob": m.JobAnswer,
    "verifyJob": None,
    "getJob": m.JobAnswer,
    "updateJob": m.JobAnswer,
    "patchJob": m.JobAnswer,
    "deleteJob": None,
    "getJobExecutions": m.ExecutionList,
    "createJobExecution": m.ExecutionAnswer,
    "updateJobExecutionConfig": m.JobAnswer,
    "getJobExecution": m.ExecutionAnswer,
    "cancelJobExecution": None,
    "getJobExecutionLog": m.LogAnswer,
    "getJobExecutionReport": m.ReportAnswer,
    "getJobExecutionScript": m.ScriptAnswer,
    "getWorkflows": w.WorkflowList,
    "getWorkflow": w.WorkflowAnswer,
    "createWorkflow": w.WorkflowAnswer,
    "updateWorkflow": w.WorkflowAnswer,
    "deleteWorkflow": None,
    "getWorkflowExecutions": m.ExecutionList,
    "executeWorkflow": w.AcceptedAnswer,
    "getWorkflowRuns": w.WorkflowRunList,
    "getWorkflowRun": w.WorkflowRunAnswer,
    "cancelWorkflowRun": None,
    "rerunWorkflowRun": w.WorkflowRunAnswer,
    "getExecutionCount": m.ExecutionCount,
    "getExecutionCountByInterval": m.ExecutionCountByInterval,
    "getExecutionTimes": m.ExecutionTimes,
    "getJobStats": m.JobStatsList,
    "getJobStatsByInterval": m.JobStatsByInterval,
    "getTriggers": m.TriggerList,
    "getTrigger": m.TriggerAnswer,
    "createTrigger": m.TriggerAnswer,
    "updateTrigger": m.TriggerAnswer,
    "patchTrigger": m.TriggerAnswer,
    "pauseTrigger": m.TriggerAnswer,
    "resumeTrigger": m.TriggerAnswer,
    "deleteTrigger": None,
    "getJobRevisions": m.RevisionList,
    "getJobRevision": m.RevisionAnswer,
    "restoreJobRevision": m.JobAnswer,
    "getWorkflowRevisions": w.WorkflowRevisionList,
    "getWorkflowRevision": w.WorkflowRevisionAnswer,
    "restoreWorkflowRevision": w.WorkflowAnswer,
    "getAuditList": m.AuditList,
}
BODIES: dict[str, type[BaseModel]] = {
    "createJob": JobBody,
    "verifyJob": m.VerifyBody,
    "updateJob": JobBody,
    "patchJob": JobBody,
    "createJobExecution": m.ExecuteBody,
    "updateJobExecutionConfig": m.ConditionBody,
    "createWorkflow": w.WorkflowRequest,
    "updateWorkflow": w.WorkflowRequest,
    "executeWorkflow": w.ExecuteWorkflowBody,
    "createTrigger": TriggerBody,
    "updateTrigger": TriggerBody,
    "patchTrigger": TriggerBody,
}
_NEED_NO_BODY = ("createJobExecution", "executeWorkflow")
_CODES = {
    "createJob": "201",
    "createTrigger": "201",
    "createWorkflow": "201",
    "executeWorkflow": "202",
    "rerunWorkflowRun": "202",
}
_HEED_IF_MATCH = (
    "updateJob",
    "patchJob",
    "updateJobExecutionConfig",
    "restoreJobRevision",
    "updateWorkflow",
    "restoreWorkflowRevision",
    "updateTrigger",
    "patchTrigger",
    "pauseTrigger",
    "resumeTrigger",
)
_VARIANTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "patchJob": ("JobChange", (), "What to change; what is left out of a change stays as it is."),
    "updateJob": ("JobUpdate", ("name", "type"), "A job's name and type, and what to change of the rest."),
    "verifyJob": ("JobToVerify", (), "A whole job; or, with a `jobId`, what to change of that one."),
}
"""Bodies with the fields of another one, of which only some must be there: their names, those fields, and words."""
_ALSO = {"getJobExecutionLog": "text/event-stream", "getJobExecutionScript": "text/plain"}
"""What is answered instead to those who accept only that."""
_PAGED = (("page", "integer"), ("limit", "integer"))
_PERIOD = (("startDate", "string"), ("endDate", "string"))
_TYPES: dict[str, Json] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": 0},
}
_REQUIRED = tuple(name for name, _ in _PERIOD)
_CHECK = ("checkResources", "boolean")
_QUERIES: dict[str, tuple[tuple[str, str], ...]] = {
    "createJob": (_CHECK,),
    "verifyJob": (_CHECK,),
    "updateJob": (_CHECK,),
    "patchJob": (_CHECK,),
    "getJobRevisions": _PAGED,
    "getWorkflowRevisions": _PAGED,
    "getAuditList": (*((name, "string") for name in AUDIT_FILTERS), *_PAGED),
    "getJobs": (("name", "string"), ("status", "string"), *_PAGED),
    "getJobExecutions": _PAGED,
    "getWorkflows": (("name", "string"), *_PAGED),
    "getWorkflowExecutions": (("filter", "string"), *_PAGED),
    "executeWorkflow": (("runNow", "boolean"),),
    "getWorkflowRuns": (("status", "string"), *_PAGED),
    "getExecutionCount": _PERIOD,
    "getExecutionCountByInterval": _PERIOD,
    "getExecutionTimes": _PERIOD,
    "getJobStats": (*_PERIOD, *_PAGED),
    "getJobStatsByInterval": (*_PERIOD, ("interval", "string")),
    "getTriggers": (("name", "string"), *_PAGED),
    "createJobExecution": (("triggerId", "string"), ("workflowId", "string")),
    "getJobExecutionLog": (("after", "integer"), ("limit", "integer")),
}


@cache
def described() -> Json:
    """The whole description. It is shared: read it, do not change it."""
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headrace", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _schemes()},
        "security": [{"timestamp": [], "accessKey": [], "signature": []}],
    }


_ABOUT = (
    "A self-hosted Data Flow server. Every request under /api/v1 is signed (signature v2); "
    "errors of the service and of the gateway before it have shapes of their own."
)


def _operation(operation: Operation) -> Json:
    told: Json = {
        "operationId": operation.name if operation.path != "/api/v1/stats/execution-times" else "getExecutionTimesG1",
        "tags": [operation.path.split("/")[3]],
        "summary": _words(operation.name),
        "description": f"{inspect.getdoc(ENDPOINTS[operation.name])}\n\nNeeds the right `{operation.action}`.",
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }
    body = BODIES.get(operation.name)
    if body is not None:
        variant = _VARIANTS.get(operation.name)
        schema = {"$ref": _REF.format(model=variant[0])} if variant else _ref(body)
        told["requestBody"] = {
            "required": operation.name not in _NEED_NO_BODY,
            "content": {"application/json": {"schema": schema}},
        }
    return told


def _parameters(operation: Operation) -> list[Json]:
    inside = re.findall(r"\{(\w+)\}", operation.path)
    in_path = [{"name": name, "in": "path", "required": True, "schema": _in_path(name)} for name in inside]
    in_query = [
        {
            "name": name,
            "in": "query",
            "description": MEANINGS[name],
            "required": name in _REQUIRED and operation.name != "getAuditList",
            "schema": _TYPES[kind],
        }
        for name, kind in _QUERIES.get(operation.name, ())
    ]
    in_headers = [
        *([IDEMPOTENCY_KEY] if operation.changes else ()),
        *([IF_MATCH] if operation.name in _HEED_IF_MATCH else ()),
    ]
    return [*in_path, *in_query, *in_headers]


def _in_path(name: str) -> Json:
    return {"type": "integer", "minimum": 1} if name == "revision" else {"type": "string"}


def _responses(operation: Operation) -> Json:
    gateway = {code: _answer(text, _ref(m.GatewayErrorBody)) for code, text in _GATEWAY.items()}
    wrong = {code: _answer(text, _ref(m.ServiceErrorBody)) for code, text in _SERVICE.items()}
    if operation.name not in _HEED_IF_MATCH:
        del wrong["412"]
    model = _ANSWERS[operation.name]
    headers = GOOD_HEADERS | (REPEATED if operation.changes else {})
    good = _answer("Done.", _TRUE if model is None else _ref(model), headers)
    if operation.name in _ALSO:
        good["content"][_ALSO[operation.name]] = {"schema": {"type": "string"}}
    return {_CODES.get(operation.name, "200"): good, **wrong, **gateway}


_SERVICE = {
    "400": "Something about the request or the state of things does not fit; `problems` names each.",
    "404": "There is no such thing.",
    "412": "It was changed since the revision that `If-Match` names.",
    "501": "This does not exist yet.",
}
_GATEWAY = {
    "401": "The signature is missing or wrong, or the key has no right to do this.",
    "413": "The body is too large.",
    "429": "The key asks too often, or the address sent too many wrong signatures.",
    "503": "The database does not answer, or its disk is full: ask again later.",
}


def _answer(text: str, schema: Json, headers: Json = ANSWER_HEADERS) -> Json:
    return {"description": text, "headers": headers, "content": {"application/json": {"schema": schema}}}


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": _REF.format(model=model.__name__)}


def _schemas() -> Json:
    answers = [model for model in _ANSWERS.values() if model is not None]
    asked = [(model, "validation") for model in BODIES.values()]
    told = [(model, "validation") for model in (*answers, m.ServiceErrorBody, m.GatewayErrorBody)]
    _, schema = models_json_schema([*asked, *told], ref_template=_REF)  # type: ignore[list-item] # the literal
    found = with_nodes(schema["$defs"], ref=_REF)
    for operation, (title, required, words) in _VARIANTS.items():
        whole = found[BODIES[operation].__name__]
        found[title] = {**whole, "required": list(required), "title": title, "description": words}
    return {name: schema for name, schema in found.items() if name != m.VerifyBody.__name__}


def _schemes() -> Json:
    return {
        name: {"type": "apiKey", "in": "header", "name": header}
        for name, header in (("timestamp", TIMESTAMP), ("accessKey", ACCESS_KEY), ("signature", SIGNATURE))
    }


def _words(name: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return words[:1].upper() + words[1:]
