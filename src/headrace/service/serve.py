"""The roles of a server: API and worker in one process tree, or a worker alone. SIGTERM and Ctrl-C drain both."""

import ipaddress
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from headrace.auth.secrets import Secrets, load_secrets
from headrace.clock import Clock, SystemClock
from headrace.db import Database
from headrace.errors import HeadraceError, SettingInvalid
from headrace.execution.machine import check_room
from headrace.execution.worker import Worker
from headrace.service.issuing import issue_first
from headrace.settings import Settings
from headrace.stores.access import storages

if TYPE_CHECKING:
    import uvicorn

# What a web server hands on is its own business.
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Any, Send], Awaitable[None]]
CreateApp = Callable[..., App]
_BACKLOG = 2048
_OPEN_REQUESTS = 5


class PortTaken(HeadraceError):
    """The server can't listen where it should."""

    code = "port-taken"


def serve(settings: Settings, create_app: CreateApp) -> None:
    """Answer requests and run what they ask for, until a signal ends it."""
    import uvicorn

    clock = SystemClock()
    with _listening(settings) as listener, _database(settings) as database, _stopping() as stopping:
        secrets = load_secrets(settings.data, settings["secret_key"])
        told = issue_first(database, secrets, data=settings.data, now=clock.now())
        with _working(database, settings, clock) as worker:
            app = Waking(create_app(database, settings, clock=clock, secrets=secrets), worker.wake)
            config = uvicorn.Config(
                app,
                interface="asgi3",
                lifespan="off",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=_OPEN_REQUESTS,
            )
            host, port = listener.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"{told}Headrace listens on http://{shown}:{port}", file=sys.stderr, flush=True)
            server = uvicorn.Server(config)
            threading.Thread(target=_end, args=(server, stopping), name="end", daemon=True).start()
            server.run(sockets=[listener])
            print("Headrace ends: it waits for what is under way", file=sys.stderr, flush=True)


def _end(server: "uvicorn.Server", stopping: threading.Event) -> None:
    """End a server for a signal that came before it had taken over the signals itself."""
    stopping.wait()
    server.should_exit = True


def work(settings: Settings) -> None:
    """Run what others put into the queue, until a signal ends it."""
    if (settings["storage"] or not storages(settings).known) and not settings["shared_storage"]:
        hint = "set shared_storage when all servers and workers see the same folder, or use object storage"
        raise SettingInvalid(f"the storage is the folder {settings.storage}", hint=hint)
    clock = SystemClock()
    with _database(settings) as database, _stopping() as stopping, _working(database, settings, clock):
        print("Headrace works", file=sys.stderr, flush=True)
        stopping.wait()


class Waking:
    """The application; after each request that may have changed something the worker looks at once."""

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
    with database_of(settings) as database:
        database.check_version()
        yield database


@contextmanager
def database_of(settings: Settings) -> Iterator[Database]:
    """The server's own database; one in the data folder that has no tables yet gets them."""
    own = not settings["database"]
    if own:
        check_room(settings.data, make=True)
    database = Database.open(settings.database)
    try:
        if own and database.is_empty():
            database.upgrade()
        yield database
    finally:
        database.dispose()


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    host, port = settings["host"], settings["port"]
    if not _is_loopback(host) and not settings["insecure_http"]:
        hint = "listen on 127.0.0.1 behind a proxy that speaks TLS, or set insecure_http"
        raise SettingInvalid(f"host: {host} would take requests without TLS from other machines", hint=hint)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        hint = "end what listens there, or set host and port"
        raise PortTaken(f"can't listen on {host} port {port}: {error.strerror}", hint=hint) from None
    with listener:
        yield listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
def _working(database: Database, settings: Settings, clock: Clock) -> Iterator[Worker]:
    worker = Worker(database, settings, clock=clock, name=f"{socket.gethostname()}:{os.getpid()}")
    worker.start()
    try:
        yield worker
    finally:
        worker.stop(patience=settings["grace_seconds"])
