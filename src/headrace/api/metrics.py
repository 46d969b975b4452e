"""`/metrics`: the figures of this process, and what waits and runs in the common queue, as Prometheus reads them.

Figures hold no names, but tell how busy somebody is: without a token they are for this machine alone.
"""

import hmac
import ipaddress
from collections.abc import Iterator

from fastapi import Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from headrace import __version__
from headrace.api.gateway import INVALID, MISSING
from headrace.core import figures
from headrace.db.session import Database
from headrace.errors import DatabaseFailed

PATH = "/metrics"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Proxies say by these for whom they ask.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


class Queue:
    """What waits and runs for all servers, asked of the database when somebody reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[Metric]:
        """The gauges; while the database is away only that."""
        build = GaugeMetricFamily("headrace_build_info", "The program; always 1.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        found = self._found()
        up = GaugeMetricFamily("headrace_database_up", "Whether the database answers.")
        up.add_metric([], int(found is not None))
        yield up
        now = GaugeMetricFamily("headrace_executions", "Executions that wait or run now.", labels=["status"])
        for status, count in (found or {}).items():
            now.add_metric([status], count)
        yield now

    def _found(self) -> dict[str, int] | None:
        try:
            with self._database.reading() as con:
                return {"READY": figures.waiting(con), "RUNNING": figures.running(con)}
        except DatabaseFailed:
            return None


def metrics(registry: CollectorRegistry, token: str, request: Request) -> Response:
    """The figures as text, for who may have them."""
    told = request.headers.get("authorization")
    if not (_holds(told, token) if token else _is_near(request)):
        refusal = INVALID if told else MISSING
        return Response(refusal.body(), refusal.status, media_type="application/json")
    return Response(generate_latest(registry), media_type=MEDIA_TYPE)


def _holds(told: str | None, token: str) -> bool:
    return hmac.compare_digest((told or "").encode("utf-8", "replace"), f"Bearer {token}".encode())


def _is_near(request: Request) -> bool:
    """Whether a program of this machine asks for itself."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
