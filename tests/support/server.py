"""The server's API over a real database, without a port: signed requests by a client that knows the keys."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from headrace.api.app import create_app
from headrace.auth.policy import Policy
from headrace.auth.principal import Role
from headrace.auth.secrets import Secrets
from headrace.auth.signature_v2 import ACCESS_KEY, SIGNATURE, TIMESTAMP, sign
from headrace.core import keys
from headrace.db.session import Database
from headrace.execution import queue
from headrace.execution.traces import Told
from headrace.settings import load_settings
from headrace.stores.grants import Grants

EXAMPLE = Path(__file__).parents[2] / "examples" / "createJob.json"
SECRETS = Secrets.of(b"k" * 32)
BEGINNING = datetime(2025, 3, 21, 1, 2, 2, 345678, tzinfo=UTC)


def documented_job(**changes: object) -> dict[str, Any]:
    """The documented createJob body, with some of its fields changed."""
    return cast(dict[str, Any], json.loads(EXAMPLE.read_text(encoding="utf-8"))) | changes


class Hands:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.at = BEGINNING

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return (self.at - BEGINNING).total_seconds()

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Key:
    """Both halves of an access key."""

    access_key: str
    secret: str


@dataclass
class Server:
    """The app, its database and clock, and a key for each role."""

    database: Database
    clock: Hands
    app: FastAPI
    held: dict[str, Key] = field(default_factory=dict)
    signed: int = 0

    @classmethod
    def start(
        cls, folder: Path, environment: Mapping[str, str] | None = None, *, url: str = "", **flags: str
    ) -> "Server":
        """A server with fresh tables, that a manager and a viewer may use; on SQLite unless an address is given."""
        clock = Hands()
        database = Database.open(url or f"sqlite:///{folder / 'headrace.db'}", clock=clock)
        database.upgrade()
        settings = load_settings({"data": str(folder), **flags}, environment or {}, folder)
        app = create_app(database, settings, clock=clock, secrets=SECRETS)
        server = cls(database, clock, app)
        server.held = {"manager": server.new_key("manager"), "viewer": server.new_key("viewer")}
        return server

    def new_key(self, role: Role, *, policy: Policy | None = None, grants: Grants | None = None) -> Key:
        """One more access key."""
        key = Key(keys.new_access_key(), keys.new_secret())
        sealed = SECRETS.seal(key.secret, owner=key.access_key)
        with self.database.transaction() as con:
            keys.create(
                con,
                key.access_key,
                account_id="main",
                name=role,
                role=role,
                secret=sealed,
                now=self.clock.now(),
                policy=policy,
                grants=grants,
            )
        return key

    def signature(self, method: str, target: str, key: Key) -> dict[str, str]:
        """The three headers. The clock of a client never shows the same millisecond twice."""
        self.signed += 1
        timestamp = str(int(self.clock.now().timestamp() * 1000) + self.signed)
        signed = sign(method, target, timestamp=timestamp, access_key=key.access_key, secret=key.secret)
        return {TIMESTAMP: timestamp, ACCESS_KEY: key.access_key, SIGNATURE: signed}

    def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        role: str = "manager",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a signed request; a body that is bytes goes as it is, any other as JSON, none without a type."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {**self.signature(method, target, self.held[role]), **(headers or {})}
        return self.send(method, target, content=content, headers=sent)

    def send(
        self, method: str, target: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a request as it is."""

        async def sent() -> Response:
            transport = ASGITransport(self.app, raise_app_exceptions=False)
            async with AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, target, content=content, headers=headers)

        return asyncio.run(sent())

    def made(self, **changes: object) -> dict[str, Any]:
        """A job that was created."""
        answer = self.ask("POST", "/api/v1/jobs", documented_job(**changes))
        assert answer.status_code == 201, answer.text
        return cast(dict[str, Any], answer.json())

    def executed(self, job_id: str, **body: object) -> dict[str, Any]:
        """An execution that waits."""
        answer = self.ask("POST", f"/api/v1/jobs/{job_id}/executions", body)
        assert answer.status_code == 200, answer.text
        return cast(dict[str, Any], answer.json())

    def claim(self) -> queue.Claimed:
        """What a worker takes next."""
        with self.database.transaction() as con:
            (claimed,) = queue.claim(con, worker="w", lease_seconds=15, now=self.database.now(con))
        return claimed

    def finish(self, token: str, outcome: queue.Outcome) -> None:
        """End what a worker holds."""
        with self.database.transaction() as con:
            assert queue.finish(con, token, outcome, now=self.database.now(con))

    def log(self, token: str, text: str) -> None:
        """Write to the console log as a worker does."""
        with self.database.transaction() as con:
            assert queue.note(con, token, Told(log=text), now=self.database.now(con))
