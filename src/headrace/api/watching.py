"""What is told of each request when it is over: a line in the log, and figures for Prometheus."""

import logging
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LONGEST_TARGET = 500
_READING = ("GET", "HEAD", "OPTIONS")
# What a caller may send is no label: methods and operations are those that we know.
_UNKNOWN = "none"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that is over. `operation` is empty for what is none; `target` is path and query as they were sent."""

    trace: str
    method: str
    target: str
    operation: str
    status: int
    seconds: float
    peer: str
    access_key: str


class Watch:
    """Counts and logs requests. A reading that went well is logged for those who debug alone."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "headrace_requests", "Requests that were answered.", ["operation", "status"], registry=registry
        )
        self._seconds = Histogram(
            "headrace_request_seconds",
            "From the request's head to the end of its answer.",
            ["operation"],
            buckets=_SECONDS,
            registry=registry,
        )

    def __call__(self, answered: Answered) -> None:
        """Tell of one request."""
        operation = answered.operation or _UNKNOWN
        self._requests.labels(operation, str(answered.status)).inc()
        self._seconds.labels(operation).observe(answered.seconds)
        level = logging.DEBUG if answered.method in _READING and answered.status < 400 else logging.INFO
        if not log.isEnabledFor(level):
            return
        told = {
            "trace": answered.trace,
            "method": answered.method,
            "target": answered.target[:_LONGEST_TARGET],
            "status": answered.status,
            "ms": round(answered.seconds * 1000, 1),
            "peer": answered.peer,
        }
        named = {"operation": answered.operation, "key": answered.access_key}
        log.log(level, "request", extra={**told, **{name: value for name, value in named.items() if value}})
