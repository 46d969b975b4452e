"""Where the server listens, and how it answers there until a signal ends it: plain HTTP, or TLS."""

import ipaddress
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server

from headrace.errors import HeadraceError, SettingInvalid
from headrace.service.tls import Certificate
from headrace.settings import Settings

# What a web server hands on is its own business.
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Any, Send], Awaitable[None]]
_BACKLOG = 2048
_OPEN_REQUESTS = 5

log = logging.getLogger(__name__)


class PortTaken(HeadraceError):
    """The server can't listen where it should."""

    code = "port-taken"


@contextmanager
def listening(settings: Settings, *, tls: bool) -> Iterator[socket.socket]:
    """A socket that takes connections. Raises SettingInvalid when others could reach it without TLS, PortTaken."""
    host, port = settings["host"], settings["port"]
    if not tls and not is_loopback(host) and not settings["insecure_http"]:
        hint = "set tls_cert and tls_key, or tls, or listen on 127.0.0.1 behind a proxy that speaks TLS"
        told = f"host: {host} would take requests without TLS from other machines"
        raise SettingInvalid(told, hint=f"{hint}; insecure_http allows it all the same")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        hint = "end what listens there, or set host and port"
        raise PortTaken(f"can't listen on {host} port {port}: {error.strerror}", hint=hint) from None
    with listener:
        # What it accepts inherits this. The web server sets it only on sockets that name their protocol, and without it
        # the second part of each answer waits for the caller to confirm the first: 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address(listener: socket.socket, *, tls: bool, prefix: str) -> str:
    """How the server is reached."""
    host, port = listener.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}{prefix}"


def answering(app: App, certificate: Certificate | None, stopping: threading.Event) -> Callable[[socket.socket], None]:
    """What answers requests at a socket until `stopping` is set; then those under way have a few seconds.

    SIGHUP reads the certificate anew.
    """
    import uvicorn

    class Server(uvicorn.Server):
        """One that leaves the signals to us: what comes before it runs must not be lost."""

        def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # theirs is a generator
            return nullcontext()

    config = uvicorn.Config(
        app,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_OPEN_REQUESTS,
        ssl_certfile=None if certificate is None else certificate.cert,
        ssl_keyfile=None if certificate is None else str(certificate.key),
    )
    config.load()
    server = Server(config)

    def stop() -> None:
        stopping.wait()
        server.should_exit = True

    def answer(listener: socket.socket) -> None:
        if certificate is not None and config.ssl is not None:
            reload = partial(_reload, config.ssl, certificate)
            signal.signal(signal.SIGHUP, lambda *_: reload())
        threading.Thread(target=stop, name="stop", daemon=True).start()
        server.run(sockets=[listener])

    return answer


@contextmanager
def telling(registry: CollectorRegistry, port: int) -> Iterator[None]:
    """Tell these figures to programs of this machine, at a port of its own; 0 tells them to nobody."""
    if not port:
        yield
        return
    try:
        server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        hint = "end what listens there, or set metrics_port"
        raise PortTaken(f"can't listen on 127.0.0.1 port {port}: {error.strerror}", hint=hint) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _reload(context: ssl.SSLContext, shown: Certificate) -> None:
    """Who connects from now on is shown what the files hold now; when they can't be read, what was shown before."""
    try:
        shown.load_into(context)
    except HeadraceError as error:
        log.error("the certificate stays as it was", extra={"reason": str(error)})
    else:
        log.info("the certificate was read again", extra={"fingerprint": shown.fingerprint()})
