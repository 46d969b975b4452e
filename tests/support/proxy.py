"""A proxy between a client and an object storage that does to requests what its rules say."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

Fault = Literal["drop", "hang", "busy", "cut", "lose", "gone", "skew", "slow"]
_ANSWERS = {
    "busy": ("503 Slow Down", "SlowDown"),
    "gone": ("404 Not Found", "NoSuchKey"),
    "skew": ("403 Forbidden", "RequestTimeTooSkewed"),
}
_PACE = 64 * 1024, 0.3


@dataclass
class Rule:
    """What happens to the next `times` requests of this method whose address has this text.

    drop: the connection ends without an answer. hang: no answer comes. busy: 503. gone: 404. skew: 403, for the clock.
    cut: the answer ends in the middle of its body. lose: the server does what is asked, and its answer is lost. slow:
    the body of the request is taken at a megabyte a second.
    """

    fault: Fault
    method: str = ""
    path: str = ""
    times: int = 1_000_000
    after: int = 0
    """How many such requests are let through first."""
    met: int = 0

    def takes(self, method: str, path: str) -> bool:
        return self.met < self.times and self.method in ("", method) and self.path in path


@dataclass
class Proxy:
    """A running proxy; `rules` may be changed at any time."""

    host: str
    upstream: tuple[str, int]
    rules: list[Rule] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    cut_off: int = 0
    """How many requests ended in the middle of their body."""
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def rule(self, fault: Fault, method: str = "", path: str = "", *, times: int = 1_000_000, after: int = 0) -> Rule:
        """Add a rule."""
        made = Rule(fault, method, path, times, after)
        self.rules.append(made)
        return made

    def fault(self, method: str, path: str) -> Fault | None:
        """What is to happen to a request."""
        with self.lock:
            self.seen.append(f"{method} {path}")
            found = next((rule for rule in self.rules if rule.takes(method, path)), None)
            if found is None:
                return None
            if found.after:
                found.after -= 1
                return None
            found.met += 1
            return found.fault


@contextmanager
def proxied(upstream: str) -> Iterator[Proxy]:
    """A proxy before a server, without rules at first."""
    host, _, port = upstream.partition(":")
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = Proxy(f"127.0.0.1:{server.getsockname()[1]}", (host, int(port)))
        threading.Thread(target=_accept, args=(server, proxy), daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.over.set()


def _accept(server: socket.socket, proxy: Proxy) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(target=_serve, args=(client, proxy), daemon=True).start()


def _serve(client: socket.socket, proxy: Proxy) -> None:
    """One request: every connection ends with its answer."""
    with client, suppress(OSError):
        lines, body = _head(client)
        if not lines:
            return
        method, target, _ = lines[0].split(" ")
        fault = proxy.fault(method, unquote(target))
        proxy.heads.append("\n".join(lines))
        head, body = _request(client, lines, body, proxy, slowly=fault == "slow")
        match fault:
            case "drop":
                return
            case "hang":
                proxy.over.wait()
            case "busy" | "gone" | "skew":
                client.sendall(_answer(fault))
            case _:
                with socket.create_connection(proxy.upstream) as server:
                    server.sendall(head.encode("latin-1") + b"\r\n\r\n" + body)
                    _relay(server, client, fault)


def _head(client: socket.socket) -> tuple[list[str], bytes]:
    """The lines of a request's head, and what has come of its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            return [], b""
        data += more
    raw, _, body = data.partition(b"\r\n\r\n")
    return raw.decode("latin-1").split("\r\n"), body


def _request(client: socket.socket, lines: list[str], body: bytes, proxy: Proxy, *, slowly: bool) -> tuple[str, bytes]:
    """Head and body of a request; the head says that the connection ends, and does not wait to be told to go on."""
    names = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines[1:]}
    if "expect" in names:
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while len(body) < int(names.get("content-length", "0")):
        more = _received(client)
        if not more:
            proxy.cut_off += 1
            raise OSError("the client went away")
        body += more
        if slowly:
            proxy.over.wait(_PACE[1])
    kept = [line for line in lines if line.partition(":")[0].lower() not in ("expect", "connection")]
    return "\r\n".join((*kept, "Connection: close")), body


def _received(client: socket.socket) -> bytes:
    try:
        return client.recv(_PACE[0])
    except ConnectionError:
        return b""


def _relay(server: socket.socket, client: socket.socket, fault: Fault | None) -> None:
    answer = b""
    while more := server.recv(1 << 20):
        answer += more
        if fault is None:
            client.sendall(more)
    if fault == "cut":
        head, _, body = answer.partition(b"\r\n\r\n")
        client.sendall(head + b"\r\n\r\n" + body[: len(body) // 2])


def _answer(fault: Fault) -> bytes:
    status, code = _ANSWERS[fault]
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as told</Message></Error>"
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
