"""Workers and servers are killed, stopped and woken at random, their database crashes: nothing is lost or doubled."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from headrace.clock import SystemClock
from headrace.core import executions, jobs
from headrace.db import Connection, Database
from headrace.errors import BadState, DatabaseFailed
from headrace.ids import new_id
from tests.support.chaos import Chaos, Kind, laid, runs, seed, told
from tests.support.command import Place
from tests.support.databases import opened
from tests.support.herd import herd
from tests.support.postgres import Postgres
from tests.support.services import free_ports
from tests.support.serving import Client
from tests.support.trouble import LEASE
from tests.support.uses import ALICE
from tests.support.waiting import until

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(400)]

T = TypeVar("T")
VARIABLES = {
    "HEADRACE_WORKERS": "1",
    "HEADRACE_THREADS": "1",
    "HEADRACE_LEASE_SECONDS": f"{LEASE:g}",
    "HEADRACE_GRACE_SECONDS": "2",
    "HEADRACE_WRITER_WAIT": "30",
}


def sent(name: str, kind: Kind) -> dict[str, object]:
    return {"name": name, "nodes": kind.nodes(), "maxConcurrentRuns": kind.most, "retries": kind.retries}


@dataclass(frozen=True)
class Core:
    """Straight into the database; what a crash of it undid, or may have, is asked for again."""

    database: Database

    def create(self, name: str, kind: Kind) -> str:
        return self._told(lambda con: jobs.create(con, ALICE, sent(name, kind), now=SystemClock().now()).job_id)

    def execute(self, job_id: str) -> str:
        more = {"condition": None, "parameters": None, "trigger_id": None, "workflow_id": None}
        return self._told(
            lambda con: executions.create(con, ALICE, job_id, **more, now=SystemClock().now()).execution_id
        )

    def cancel(self, job_id: str, execution_id: str) -> None:
        def ask(con: Connection) -> None:
            with suppress(BadState):
                executions.cancel(con, ALICE, job_id, execution_id, now=SystemClock().now())

        self._told(ask)

    def _told(self, do: Callable[[Connection], T]) -> T:
        found: list[T] = []

        def done() -> bool:
            try:
                with self.database.transaction() as con:
                    answer = do(con)
            except DatabaseFailed:
                return False
            found.append(answer)
            return True

        until(done)
        return found[0]


@dataclass(frozen=True)
class Http:
    """By requests; what a dead server did not answer is asked for again."""

    client: Client
    link: httpx.Client

    def create(self, name: str, kind: Kind) -> str:
        return str(self._told("POST", "/api/v1/jobs", sent(name, kind)).json()["jobId"])

    def execute(self, job_id: str) -> str:
        return str(self._told("POST", f"/api/v1/jobs/{job_id}/executions", {}).json()["jobExecutionId"])

    def cancel(self, job_id: str, execution_id: str) -> None:
        answer = self._told("POST", f"/api/v1/jobs/{job_id}/executions/{execution_id}/cancel", None)
        assert answer.status_code == 200 or answer.json()["errorType"] == "bad-state"

    def _told(self, method: str, target: str, body: object) -> httpx.Response:
        found: list[httpx.Response] = []

        def done() -> bool:
            try:
                headers = self.client.signed(method, target)
                answer = self.link.request(method, self.client.url + target, json=body, headers=headers)
            except httpx.TransportError:
                return False
            assert answer.status_code < 500 or answer.status_code == 503, answer.text
            found.append(answer)
            return answer.status_code < 500

        until(done, limit=60)
        return found[-1]


@pytest.mark.services
def test_three_workers_on_postgresql_lose_and_double_nothing_in_chaos(
    tmp_path: Path, postgres_server: Postgres
) -> None:
    place = laid(Place.made(tmp_path))
    url = postgres_server.create(f"chaos_{new_id().lower()}")
    shared = {"HEADRACE_DATA": str(tmp_path), "HEADRACE_DATABASE": url, "HEADRACE_SHARED_STORAGE": "true", **VARIABLES}
    with (
        told(seed()) as chance,
        opened(url) as database,
        herd(tmp_path, "worker", size=3, off=None, **shared) as workers,
    ):
        chaos = Chaos(place, Core(database), workers, database, postgres_server.restart, chance)
        chaos.rage(runs())
        chaos.check()
        print(f"{chaos.done}, {workers.began} workers began, {chaos.watch.looks} looks")


def test_a_server_on_sqlite_loses_and_doubles_nothing_in_chaos(tmp_path: Path) -> None:
    place = laid(Place.made(tmp_path))
    (port,) = free_ports(1)
    own = {"HEADRACE_DATA": str(tmp_path), "HEADRACE_PORT": str(port), "HEADRACE_RATE_LIMIT": "0", **VARIABLES}
    with (
        told(seed()) as chance,
        herd(tmp_path, "serve", size=1, off=None, **{**own, "HEADRACE_WORKERS": "2"}) as servers,
    ):
        key = tmp_path / "first-key.txt"
        until(lambda: key.exists() and key.read_text().count("\n") == 2)
        client = Client.of(f"http://127.0.0.1:{port}", key)
        with opened(f"sqlite:///{tmp_path}/headrace.db") as database, httpx.Client(timeout=5) as link:
            chaos = Chaos(place, Http(client, link), servers, database, None, chance)
            chaos.rage(runs())
            chaos.check()
        print(f"{chaos.done}, {servers.began} servers began, {chaos.watch.looks} looks")
