"""An issuer that publishes what a test wants it to, on a port of this machine."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Published:
    """What is told: the keys, what it calls itself, and its clock. All may be changed while it answers."""

    address: str = ""
    keys: Sequence[Mapping[str, object]] = ()
    name: str | None = None
    date: str | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> object:
        """The JSON at a path."""
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.name or self.address, "jwks_uri": f"{self.address}/keys"}
        return {"keys": [*self.keys]}


@contextmanager
def publishing(*keys: Mapping[str, object]) -> Iterator[Published]:
    """An issuer with these keys."""
    told = Published(keys=keys)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(told.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return told.date or super().date_time_string(timestamp)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
