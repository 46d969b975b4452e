"""What the vendor's API Gateway answers before the service is asked (API reference, section 10.3).

`errorCode` is a text and not the HTTP status: 200, 400 and 500 mean something else here.
"""

import json
from dataclasses import dataclass, replace
from typing import Literal

from headrace.auth.policy import Action
from headrace.auth.signature_v2 import Reason
from headrace.errors import DatabaseFailed, DatabaseFull, DatabaseReadOnly

TRACE_ID = "x-ncp-trace-id"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API by the vendor's name: its method, its path, and what the caller must be allowed to."""

    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    action: Action

    @property
    def changes(self) -> bool:
        """Whether it is there to change something."""
        return self.action.startswith("Change/")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the gateway itself."""

    status: int
    code: str
    message: str
    details: str

    def body(self) -> bytes:
        """The answer's JSON."""
        error = {"errorCode": self.code, "message": self.message, "details": self.details}
        return json.dumps({"error": error}).encode()

    def saying(self, details: str) -> "Refusal":
        """The same refusal with other details."""
        return replace(self, details=details)


MISSING = Refusal(401, "200", "Authentication Failed", "Authentication information are missing.")
INVALID = Refusal(401, "200", "Authentication Failed", "Invalid authentication information.")
DENIED = Refusal(401, "210", "Permission Denied", "The key's rights do not allow this.")
NO_URL = Refusal(404, "300", "Not Found Exception", "There is no such URL.")
THROTTLED = Refusal(429, "410", "Throttle Limited", "Too many requests with this key; try again in a moment.")
GUESSED = Refusal(429, "420", "Rate Limited", "Too many wrong signatures came from this address; try again later.")
TOO_LARGE = Refusal(413, "430", "Request Entity Too Large", "The body is too large.")
UNREACHABLE = Refusal(503, "500", "Endpoint Error", "The server's database did not answer.")
UNEXPECTED = Refusal(500, "900", "Unexpected Error", "Something unexpected happened; the log has it by the trace id.")


def of_failure(error: Exception) -> Refusal:
    """What is told of an error that is none of the caller's."""
    match error:
        case DatabaseFull():
            return UNREACHABLE.saying("There is no room left where the server's database lies; nothing was kept.")
        case DatabaseReadOnly():
            return UNREACHABLE.saying("The server's database can't be written just now; nothing was kept.")
        case DatabaseFailed():
            return UNREACHABLE
        case _:
            return UNEXPECTED


def of_reason(reason: Reason, now_ms: int) -> Refusal:
    """What a request is told whose signature does not hold."""
    match reason:
        case "missing":
            return MISSING
        case "invalid":
            return INVALID
        case "stale":
            told = f"The timestamp is more than 5 minutes from the server's clock, which says {now_ms}."
            return INVALID.saying(told)
