"""Several machines: metadata on PostgreSQL, data in object storage, a server and a worker with folders of their own."""

from pathlib import Path

import httpx
import pytest

from headrace.core import executions, jobs
from headrace.ids import new_id
from tests.support.command import Place
from tests.support.databases import opened
from tests.support.herd import herd
from tests.support.jobs import job
from tests.support.postgres import Postgres
from tests.support.seaweed import FULL, Seaweed
from tests.support.serving import Served, served
from tests.support.uses import ALICE, NOON
from tests.support.waiting import until
from tests.support.work import copying, endless

pytestmark = pytest.mark.services

ROWS = b"id,name\n1,a\n2,b\n"


@pytest.fixture
def shared(postgres_server: Postgres, seaweed: Seaweed) -> dict[str, str]:
    """What all machines are told: an empty database, and the storage with rows to copy."""
    seaweed.put("lake", "in/a.csv", ROWS)
    return {
        "HEADRACE_DATABASE": postgres_server.create(f"nodes_{new_id().lower()}"),
        "HEADRACE_S3_ENDPOINT": f"http://{seaweed.host}",
        "HEADRACE_S3_ACCESS_KEY": FULL[0],
        "HEADRACE_S3_SECRET_KEY": FULL[1],
        "HEADRACE_LEASE_SECONDS": "3",
        "HEADRACE_WORKERS": "1",
    }


def machine(folder: Path, name: str) -> Place:
    (folder / name).mkdir()
    return Place(folder / name)


def lines(seaweed: Seaweed) -> list[bytes]:
    return [seaweed.data("lake", key) for key in seaweed.keys("lake", "out")]


def worker_of(server: Served, job_id: str, execution_id: str) -> str:
    """The worker that has the execution, as soon as one has it."""
    at = f"/api/v1/jobs/{job_id}/executions/{execution_id}/report"
    until(lambda: bool(server.ask("GET", at).json()["attempts"]))
    return str(server.ask("GET", at).json()["attempts"][0]["worker"])


def test_a_worker_alone_runs_what_lies_in_the_queue(tmp_path: Path, shared: dict[str, str], seaweed: Seaweed) -> None:
    place = machine(tmp_path, "worker")
    early = place.call("worker", **shared)
    assert (early.code, "headrace db upgrade" in early.error) == (1, True)
    assert place.call("db", "upgrade", **shared).code == 0
    with opened(shared["HEADRACE_DATABASE"], upgraded=False) as database:
        with database.transaction() as con:
            job_id = jobs.create(con, ALICE, job(*copying()), now=NOON).job_id
            more = {"condition": None, "parameters": None, "trigger_id": None, "workflow_id": None}
            execution_id = executions.create(con, ALICE, job_id, **more, now=NOON).execution_id

        def status() -> str:
            with database.reading() as con:
                return executions.get(con, ALICE, job_id, execution_id).status

        with herd(place.root, "worker", size=1, off=None, HEADRACE_DATA=str(place.root), **shared) as workers:
            until(lambda: status() not in ("READY", "RUNNING"), limit=60)
            assert workers.end() == [0]
        assert (status(), lines(seaweed)) == ("COMPLETED", [ROWS])
    assert FULL[1] not in workers.said()


def test_a_log_that_grows_on_one_machine_is_followed_on_another_to_its_end(
    tmp_path: Path, shared: dict[str, str], seaweed: Seaweed
) -> None:
    place, other = machine(tmp_path, "server"), machine(tmp_path, "worker")
    assert place.call("db", "upgrade", **shared).code == 0
    with served(place, **shared) as server:
        job_id = server.made(copying(), "copying")
        assert server.wait(job_id, server.executed(job_id)) == "COMPLETED"
        assert lines(seaweed) == [ROWS]
        seaweed.put("lake", "in/a.csv", b"id,name\n" + b"1,x\n" * 20_000)
        with herd(other.root, "worker", size=1, off=None, HEADRACE_DATA=str(other.root), **shared) as workers:
            job_ids = [server.made(endless(name), name) for name in ("first", "second")]
            runs = {server.executed(job_id): job_id for job_id in job_ids}
            by = {worker_of(server, job_id, run).rpartition(":")[2]: run for run, job_id in runs.items()}
            mine = by.pop(str(server.process.pid))
            ((_, theirs),) = by.items()
            at = f"/api/v1/jobs/{runs[theirs]}/executions/{theirs}"
            told = followed_to_the_end(server, at)
            assert server.wait(runs[theirs], theirs) == "CANCELED"
            assert ("attempt 1 of second" in told or "attempt 1 of first" in told, "cancelled" in told) == (True, True)
            assert server.ask("POST", f"/api/v1/jobs/{runs[mine]}/executions/{mine}/cancel").status_code == 200
            assert server.wait(runs[mine], mine) == "CANCELED"
            assert workers.end() == [0]
        assert server.stop() == 0
    assert lines(seaweed) == [ROWS]


def followed_to_the_end(server: Served, at: str) -> str:
    """Follow a log; when it has begun, cancel the run. Gives all that was told."""
    target, pieces = f"{at}/log", []
    headers = {**server.signed("GET", target), "accept": "text/event-stream"}
    with httpx.stream("GET", server.url + target, headers=headers, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            pieces.append(line)
            if line.startswith("data: ") and len([each for each in pieces if each.startswith("data: ")]) == 1:
                assert server.ask("POST", f"{at}/cancel").status_code == 200
    assert pieces[-3:-1] == ["event: end", "data: {}"] or pieces[-2:] == ["event: end", "data: {}"]
    return "\n".join(pieces)
