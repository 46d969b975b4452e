"""NexusOne's dialect over a real database, without a port: callers with tokens of the built-in issuer."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from httpx import Response

from headrace.core import clients
from headrace.execution.queue import Outcome
from tests.support.server import Server

ALL = ("nx1_ingest", "nx1_engineer", "nx1_ask", "nx1_monitor")


@dataclass
class Nexus:
    """A server with the bucket `lake`, and the tokens of its callers by their names."""

    server: Server
    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, folder: Path, environment: Mapping[str, str] | None = None, *, upload_limit: str = "1MB") -> "Nexus":
        """A fresh server that `ann` may use, and `bob`, who has the same roles."""
        (folder / "buckets" / "lake" / "raw").mkdir(parents=True)
        (folder / "buckets" / "lake" / "raw" / "a.csv").write_text("id,name\n1,a\n2,b\n")
        nexus = cls(
            Server.start(folder, environment, storage=str(folder / "buckets"), upload_limit=upload_limit), folder
        )
        nexus.join("ann", *ALL)
        nexus.join("bob", *ALL)
        return nexus

    def join(self, name: str, *roles: str) -> None:
        """One more caller."""
        with self.server.database.transaction() as con:
            client, secret = clients.create(con, account_id="main", name=name, roles=roles, now=self.server.clock.now())
        form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret}
        kind = {"content-type": "application/x-www-form-urlencoded"}
        answer = self.server.send("POST", "/oauth/token", content=urlencode(form).encode(), headers=kind)
        self.tokens[name] = answer.json()["access_token"]

    def ask(self, method: str, path: str, body: object = None, *, by: str = "ann", psk: str = "") -> Response:
        """Send a request of a caller, or with a key."""
        headers = {"authorization-psk": psk} if psk else {"authorization": f"Bearer {self.tokens[by]}"}
        content = None if body is None else json.dumps(body).encode()
        return self.server.send(method, path, content=content, headers={**headers, "content-type": "application/json"})

    def upload(self, name: str, content: bytes, *, by: str = "ann") -> Response:
        """Send a file as a browser does."""
        body, kind = form(name, content)
        headers = {"authorization": f"Bearer {self.tokens[by]}", "content-type": kind}
        return self.server.send("POST", "/api/files/file", content=body, headers=headers)

    def leave_amid_upload(self, between: Callable[[], None]) -> None:
        """Begin to send a file, and go away after a part of it was taken."""
        body, kind = form("a.csv", b"id\n" + b"1\n" * 400)
        headers = {"authorization": f"Bearer {self.tokens['ann']}", "content-type": kind, "host": "test"}
        steps = iter((True, False))

        async def receive() -> dict[str, object]:
            if next(steps):
                return {"type": "http.request", "body": body[:600], "more_body": True}
            between()
            return {"type": "http.disconnect"}

        async def send(message: object) -> None:
            raise AssertionError(f"nobody is there for {message}")

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/api/files/file",
            "raw_path": b"/api/files/file",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        asyncio.run(self.server.app(scope, receive, send))

    def told(self, method: str, path: str, body: object = None, *, by: str = "ann") -> Any:
        """The JSON of an answer that is good."""
        answer = self.ask(method, path, body, by=by)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, status: int, method: str, path: str, body: object = None, *, by: str = "ann") -> Any:
        """The `detail` of a refusal."""
        answer = self.ask(method, path, body, by=by)
        assert answer.status_code == status, answer.text
        assert [*answer.json()] == ["detail"]
        return answer.json()["detail"]

    def made(self, *, by: str = "ann", **changes: object) -> str:
        """The id of a new job."""
        return str(self.told("POST", "/api/jobs", ingest(**changes), by=by)["id"])

    def ran(self, failure: dict[str, str] | None = None) -> None:
        """What a worker does with what waits first."""
        claimed = self.server.claim()
        self.server.finish(claimed.lease_token, Outcome("FAILED" if failure else "COMPLETED", failure))


def form(name: str, content: bytes, *, part: str = "file") -> tuple[bytes, str]:
    """A form with one file, and its type."""
    head = f'--edge\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--edge--\r\n", "multipart/form-data; boundary=edge"


def ingest(properties: object = None, **changes: object) -> dict[str, Any]:
    """The body of a job that fills `sales.orders` from `lake/raw`."""
    text = {} if properties is None else {"properties_json": json.dumps(properties)}
    job = {"job_type": "airflow.ingest", "job_name": "Orders", "source": "lake/raw", "destination": "sales.orders"}
    return {**job, **text, **changes}


def query(sql: str, **changes: object) -> dict[str, Any]:
    """The body of a job that fills `sales.sums` by a query."""
    properties = json.dumps({"sql": sql, "mode": "overwrite"})
    job = {"job_type": "airflow.dataeng", "job_name": "Sums", "destination": "sales.sums"}
    return {**job, "properties_json": properties, **changes}
