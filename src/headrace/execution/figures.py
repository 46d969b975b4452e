"""What a worker counts: how long runs waited and took, how they ended, which leases were lost. Prometheus reads it.

Every process counts for itself, from its own start; whoever reads adds them up. Labels have a few values each.
"""

from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from headrace.execution.states import Ended, Status

Outcome = Literal["COMPLETED", "FAILED", "CANCELED", "LOST", "PUT_BACK"]
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400)


class Figures:
    """The figures of one process. `registry` takes those of others, too. Safe to share among threads."""

    def __init__(self) -> None:
        # The moments at which counters began would be as many lines again.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's
        self.registry = CollectorRegistry()
        self._waits = Histogram(
            "headrace_queue_wait_seconds",
            "From the moment at which an attempt might begin to its claim by this process.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._attempts = Histogram(
            "headrace_attempt_seconds",
            "From the claim of an attempt by this process to its end.",
            ["outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._ended = Counter(
            "headrace_executions_ended",
            "Executions that ended in this process; not those that were cancelled before they began.",
            ["status"],
            registry=self.registry,
        )
        self._lost = Counter(
            "headrace_leases_lost",
            "Leases that had ended and whose executions this process took back.",
            registry=self.registry,
        )
        for outcome in get_args(Outcome):
            self._attempts.labels(outcome)
        for status in get_args(Ended):
            self._ended.labels(status)

    def claimed(self, *, waited: float) -> None:
        """An attempt was claimed after so many seconds."""
        self._waits.observe(max(waited, 0.0))

    def attempted(self, outcome: Outcome, *, seconds: float) -> None:
        """An attempt is over."""
        self._attempts.labels(outcome).observe(seconds)

    def left(self, status: Status | None) -> None:
        """An execution has this status now; only an end counts."""
        if status in get_args(Ended):
            self._ended.labels(status).inc()

    def lost(self, status: Status) -> None:
        """A lease was lost, and its execution has this status now."""
        self._lost.inc()
        self.left(status)
