"""What the description of the API says of queries, headers and nodes; `contract` puts it together."""

from typing import Any

from pydantic.json_schema import models_json_schema

from headrace.api.changes import REPLAYED
from headrace.api.gateway import TRACE_ID
from headrace.api.naver.reading import WARNINGS
from headrace.nodes import registry

Json = dict[str, Any]

MEANINGS = {
    "page": "Which page, the first one being 0.",
    "limit": "How many entries a page has; above 1000 it counts as 1000.",
    "name": "Only those with this text in their name, in any case.",
    "filter": "Only those with this text in their own name or that of their job, in any case.",
    "status": "Only those with this status.",
    "checkResources": "Look, too, whether the sources are there, and the buckets of targets, scripts and logs.",
    "triggerId": "The trigger that this is done for; it must exist.",
    "workflowId": "The workflow that this is done for; it must exist.",
    "runNow": "Start now, whatever the trigger says.",
    "after": "Only what comes after this piece: the `next` of the last answer.",
    "startDate": "The beginning of the period, like `2025-03-21T00:00:00`, in Korean time.",
    "endDate": "The end of the period, like `2025-03-21T23:59:59`, in Korean time.",
    "interval": "`DAY` or `HOUR`: how the period is cut; without it, into days.",
    "principal": "Who did it: the name of a key, or an access key.",
    "action": "What was done, like `Change/executeJob`.",
    "resource": "What it was done to, like `jobs/ID`, with all that belongs to it.",
    "result": "`done` or `denied`.",
}
"""What the parameters of queries mean, by their names."""

IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A key of the caller's own for this change: sent again with it, it is answered again, not done.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the answer that the change is based on: of another revision it is refused with 412.",
    "schema": {"type": "string"},
}
ANSWER_HEADERS: Json = {
    TRACE_ID: {"description": "Names this request in the server's log.", "schema": {"type": "string"}},
}
GOOD_HEADERS: Json = ANSWER_HEADERS | {
    WARNINGS: {
        "description": "What was ignored or is doubtful, as a JSON array of problems.",
        "schema": {"type": "string"},
    },
}
REPEATED: Json = {REPLAYED: {"description": "`true`: this was answered before.", "schema": {"type": "string"}}}


def with_nodes(schemas: Json, *, ref: str) -> Json:
    """The schemas with those of all node types, as `JobNode` in the jobs that are sent and answered."""
    kinds = registry()
    _, made = models_json_schema([(kind, "validation") for kind in kinds.values()], ref_template=ref)
    theirs: Json = made["$defs"]
    words = {word: ref.format(model=kind.__name__) for word, kind in kinds.items()}
    for kind in kinds.values():
        # It tells the types from each other, so that it may not be left out.
        theirs[kind.__name__]["required"] = ["type", *theirs[kind.__name__].get("required", ())]
    theirs["JobNode"] = {
        "title": "JobNode",
        "description": "A node of a job; its `type` says which.",
        "oneOf": [{"$ref": each} for each in words.values()],
        "discriminator": {"propertyName": "type", "mapping": words},
    }
    node: Json = {"$ref": ref.format(model="JobNode")}
    for name, items in _PLACES.items():
        schemas[name]["properties"]["nodes"]["items"] = node if items == "sent" else {"anyOf": [node, {}]}
    return schemas | theirs


_PLACES = {"JobBody": "sent", "VerifyBody": "sent", "JobAnswer": "answered"}
"""Where nodes stand. What was kept as a draft may be anything, and is answered so."""
