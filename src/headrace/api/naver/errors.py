"""The errors of the service (API reference, section 10.1): which kind of ours is which of the vendor's.

`instance` is the vendor's inner path, not the public one. `problems` is ours, for programs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from headrace.errors import (
    BadParameter,
    BadState,
    Conflict,
    HeadraceError,
    JobInvalid,
    NotFound,
    NotGranted,
    Problem,
    StoreDenied,
    StoreError,
    StoreMissing,
)

PARAMETERS = "Check the parameters."
STATUS = "Check the status."
_MOST_SHOWN = 20
_KINDS = {"job": ("jobId", "JOB"), "execution": ("jobExecutionId", "JOB_EXECUTION")} | {
    "revision": ("revision", "JOB_REVISION"),
    "workflow-revision": ("revision", "WORKFLOW_REVISION"),
    "workflow": ("workflowId", "WORKFLOW"),
    "workflow-run": ("runId", "WORKFLOW_RUN"),
    "trigger": ("triggerId", "TRIGGER"),
}


class NotImplementedYet(HeadraceError):
    """A part of the API that is not built; `operation` is its name."""

    code = "not-implemented"

    def __init__(self, operation: str, *, hint: str) -> None:
        super().__init__(f"the operation {operation} is not implemented yet", hint=hint)
        self.operation = operation


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An error as the service answers it."""

    status: int
    error_type: str
    detail: str
    problems: Sequence[Problem] = ()

    def body(self, path: str) -> dict[str, object]:
        """The answer's JSON, for a request of this path."""
        told: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": re.sub(r"^/api/v1(?=/|$)", "/dataflow/api", path),
            "errorType": self.error_type,
        }
        return told | ({"problems": [problem.as_dict() for problem in self.problems]} if self.problems else {})


def service_error(error: HeadraceError) -> ServiceError | None:
    """What the vendor calls an error of ours, or None for one that is not the caller's to see."""
    match error:
        case JobInvalid() | BadParameter():
            return ServiceError(400, "bad-parameter", _listed(error.problems), error.problems)
        case NotGranted():
            told = f"You don't have permissions. {_joined(error.problems)}"
            return ServiceError(400, "client-unauthorized", told, error.problems)
        case BadState():
            return ServiceError(400, "bad-state", f"{STATUS} {_sentence(error)}")
        case Conflict():
            return ServiceError(412, "bad-state", f"{STATUS} {_sentence(error)}")
        case NotFound():
            name, resource = _KINDS[error.kind]
            return ServiceError(404, f"resource-not-found/{resource}", f"{{{name}={error.id}}}: Unable to find.")
        case NotImplementedYet():
            suffix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", error.operation).upper()
            return ServiceError(501, f"not-implemented/{suffix}", _sentence(error))
        case StoreMissing():
            return ServiceError(400, "client-resource-not-found", f"The resource can't be found. {_sentence(error)}")
        case StoreDenied():
            return ServiceError(400, "client-unauthorized", f"You don't have permissions. {_sentence(error)}")
        case StoreError():
            return ServiceError(400, "client-request-failed", f"Failed to the request. {_sentence(error)}")
        case _:
            return None


def _listed(problems: Sequence[Problem]) -> str:
    return f"{PARAMETERS} {_joined(problems)}"


def _joined(problems: Sequence[Problem]) -> str:
    shown = [problem.told("") for problem in problems[:_MOST_SHOWN]]
    rest = len(problems) - len(shown)
    return " ".join([" | ".join(shown), *([f"| and {rest} more"] if rest else [])])


def _sentence(error: HeadraceError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}." if text else ""
