"""What an execution leaves is read alike from both databases."""

import json

from headrace.core import objects
from headrace.db import Database
from headrace.execution import queue
from headrace.execution.traces import Told
from tests.support.queue import DONE
from tests.support.uses import NOON, Uses, sound


def test_the_papers_of_an_execution_from_its_request_to_its_end(database: Database) -> None:
    uses = Uses(database)
    job_id = uses.create(sound()).job_id
    run = uses.execute(job_id).execution_id
    with database.reading() as con:
        papers = objects.read(con, run)
        assert objects.running(con, "w") == {}
    assert papers is not None
    assert [(paper.kind, paper.data) for paper in papers.papers] == [("console log", b"")]
    assert papers.own_bucket == papers.papers[0].bucket
    claimed = uses.claim()
    with database.transaction() as con:
        now = NOON.timestamp()
        queue.note(con, claimed.lease_token, Told(log="하나\n"), now=now)
        queue.note(con, claimed.lease_token, Told(log="two\n"), now=now)
        queue.note(con, claimed.lease_token, Told(script=("duckdb", "SELECT 1;")), now=now)
    uses.end(claimed, DONE)
    with database.transaction() as con:
        assert queue.warn(con, run, "it is full", now=database.now(con))
        assert not queue.warn(con, run, "it is full", now=database.now(con))
    with database.reading() as con:
        papers = objects.read(con, run)
        assert objects.regions(con, run) == {"lake": "1"}
        assert objects.read(con, "nobody") is None
    assert papers is not None
    script, log, report = papers.papers
    assert script.place == f"{papers.own_bucket}/scripts/{job_id}/{run}.sql"
    assert script.data.decode().endswith("engine duckdb\n\nSELECT 1;\n")
    assert log.data.decode() == "하나\ntwo\nheadrace: warning: it is full\n"
    assert (log.key.endswith("_2025-06-01T12:00:07.log"), report.place) == (True, log.place[:-4] + ".report.json")
    assert json.loads(report.data)["warnings"] == ["it is full"]


def test_what_a_worker_runs_is_found_with_the_last_piece_of_its_log(database: Database) -> None:
    uses = Uses(database)
    job_id = uses.create(sound()).job_id
    uses.execute(job_id)
    claimed = uses.claim()
    with database.transaction() as con:
        queue.note(con, claimed.lease_token, Told(log="one\n"), now=NOON.timestamp())
    with database.reading() as con:
        (chunk,) = queue.read_log(con, claimed.execution_id)
        assert objects.running(con, "w") == {claimed.execution_id: chunk.id}
        assert objects.running(con, "another") == {}
