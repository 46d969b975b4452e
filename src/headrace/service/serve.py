"""The roles of a server: API and worker in one process tree, or a worker alone. SIGTERM and Ctrl-C drain both."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from headrace.auth.secrets import Secrets, load_secrets
from headrace.clock import Clock, SystemClock
from headrace.core import workflow_advance
from headrace.core.retention import Kept
from headrace.db import Database
from headrace.db.holding import holding
from headrace.errors import SettingInvalid
from headrace.execution.figures import Figures
from headrace.execution.machine import check_room
from headrace.execution.queue import OF_WORKFLOWS
from headrace.execution.worker import Worker
from headrace.service import journal, tls, uploads
from headrace.service.issuing import issue_first
from headrace.service.listening import App, Message, Send, address, answering, listening, telling
from headrace.service.objects import Objects
from headrace.service.outbox import Inside, Outbox, Outside
from headrace.service.retention import Retention
from headrace.service.scheduler import Scheduler
from headrace.settings import Settings
from headrace.stores.access import storages

CreateApp = Callable[..., App]

log = logging.getLogger(__name__)


def serve(settings: Settings, create_app: CreateApp) -> None:
    """Answer requests and run what they ask for, until a signal ends it."""
    clock = SystemClock()
    journal.begin(settings)
    certificate = tls.certificate(settings, now=clock.now())
    with (
        listening(settings, tls=certificate is not None) as listener,
        _database(settings) as database,
        _stopping() as stopping,
    ):
        secrets = load_secrets(settings.data, settings["secret_key"])
        if not settings["storage"] and not storages(settings).known:
            settings.storage.mkdir(parents=True, exist_ok=True)
        _announce(issue_first(database, secrets, settings, now=clock.now()))
        figures = Figures()
        with _working(database, settings, clock, figures) as wake:
            at = address(listener, tls=certificate is not None, prefix=settings["path_prefix"])
            shared = {"clock": clock, "secrets": secrets, "registry": figures.registry}
            made = create_app(database, settings, address=at, **shared)
            shown = {"certificate": certificate.fingerprint()} if certificate is not None else {}
            answer = answering(Waking(made, wake), certificate, stopping)
            log.info("Headrace listens on %s", at, extra=shown)
            answer(listener)
            log.info("Headrace ends: it waits for what is under way")


def work(settings: Settings) -> None:
    """Run what others put into the queue, until a signal ends it."""
    if (settings["storage"] or not storages(settings).known) and not settings["shared_storage"]:
        hint = "set shared_storage when all servers and workers see the same folder, or use object storage"
        raise SettingInvalid(f"the storage is the folder {settings.storage}", hint=hint)
    clock, figures = SystemClock(), Figures()
    journal.begin(settings)
    with (
        _database(settings) as database,
        _stopping() as stopping,
        telling(figures.registry, settings["metrics_port"]),
        _working(database, settings, clock, figures),
    ):
        log.info("Headrace works")
        stopping.wait()


def _announce(told: str) -> None:
    """Tell of the first key. On a terminal its secret is in what is told: that goes to the terminal alone."""
    if told and sys.stderr.isatty():
        print(told, file=sys.stderr, end="", flush=True)
    elif told:
        log.warning(told.strip())


@contextmanager
def helping(database: Database, settings: Settings) -> Iterator[None]:
    """A worker of this process, for somebody who waits where no server is."""
    with holding(database), _working(database, settings, SystemClock(), Figures()):
        yield


class Waking:
    """The application; after each request that may have changed something the worker and the outbox look at once."""

    def __init__(self, app: App, wake: Callable[[], None]) -> None:
        self._app = app
        self._wake = wake

    def __call__(self, scope: Message, receive: Any, send: Send) -> Awaitable[None]:
        """Answer a request; what it wrote is committed before its answer begins."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return self._app(scope, receive, send)

        def told(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                self._wake()
            return send(message)

        return self._app(scope, receive, told)


def opened_secrets(settings: Settings) -> Secrets:
    """The keys that seal what is secret in the database."""
    return load_secrets(settings.data, settings["secret_key"])


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    with database_of(settings, serves=True) as database, holding(database):
        database.check_version()
        yield database


@contextmanager
def database_of(settings: Settings, *, serves: bool = False, make: bool = True) -> Iterator[Database]:
    """The server's own database; one in the data folder that has no tables yet gets them, unless told otherwise."""
    own = make and not settings["database"]
    if own:
        check_room(settings.data, make=True)
    database = Database.open(settings.database, serves=serves)
    try:
        if own and database.is_empty():
            database.upgrade()
        yield database
    finally:
        database.dispose()


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that the first SIGTERM or Ctrl-C sets; the second one ends the process at once."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    yield stopping


@contextmanager
def _working(database: Database, settings: Settings, clock: Clock, figures: Figures) -> Iterator[Callable[[], None]]:
    """A worker, what follows from its ends, and what starts triggers; gives what makes all of them look at once."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    objects = Objects(database, settings, clock=clock, worker=name)
    outbox = Outbox(database, _consumers(objects), clock=clock, hold=settings["lease_seconds"])
    worker = Worker(database, settings, clock=clock, name=name, figures=figures, ended=outbox.wake)
    scheduler = Scheduler(database, fired=outbox.wake)

    def wake() -> None:
        worker.wake()
        outbox.wake()
        scheduler.wake()

    worker.start()
    outbox.start(worker.wake)
    scheduler.start()
    objects.start()
    days, most, audit_days = (settings[f"keep_{name}"] for name in ("days", "executions", "audit_days"))
    kept = Kept(days=days, of_a_job=most, audit_days=audit_days)
    retention = Retention(database, kept, outside=uploads.sweeping(database, settings, clock=clock))
    retention.start()
    try:
        yield wake
    finally:
        scheduler.stop()
        worker.stop(patience=settings["grace_seconds"])
        objects.stop()
        retention.stop()
        outbox.stop(patience=settings["grace_seconds"])


def _consumers(objects: Objects) -> tuple[Inside | Outside, ...]:
    """What hears of events: each by the name that stands in `execution.queue.CONSUMERS`, or wherever events are put."""
    return (Inside(OF_WORKFLOWS, workflow_advance.heard), Outside("objects", objects.end))
