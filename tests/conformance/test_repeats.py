"""Requests that come at the same time, and what is written down of them, on both databases."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headrace.core import audit, repeats
from headrace.core.audit import AuditFilter, Deed, Origin
from headrace.core.paging import Page
from headrace.core.repeats import Answer, Asked
from headrace.db import Database
from headrace.errors import BadState
from tests.support.server import Server
from tests.support.uses import ALICE, NOON

JOBS = "/api/v1/jobs"
AT = NOON.timestamp()
DRAFT = {"name": "draft", "isTemp": True}


@pytest.fixture
def server(url: str, tmp_path: Path) -> Iterator[Server]:
    started = Server.start(tmp_path, url=url)
    yield started
    started.database.dispose()


def asked(signature: str, key: str | None = "k1", body: bytes = b"{}") -> Asked:
    return Asked("POST", JOBS, signature, body, key)


def test_of_many_that_ask_at_once_under_one_key_one_does_it(server: Server) -> None:
    job = server.ask("POST", JOBS, {**DRAFT, "isTemp": True}).json()["jobId"]
    key = server.held["manager"]
    signed = [server.signature("PATCH", f"{JOBS}/{job}", key) for _ in range(8)]

    def change(headers: dict[str, str]) -> str:
        sent = {**headers, "idempotency-key": "k1"}
        body = b'{"description": "a", "isTemp": true}'
        answer = server.send("PATCH", f"{JOBS}/{job}", content=body, headers=sent)
        return "done" if answer.status_code == 200 else str(answer.json()["errorType"])

    with ThreadPoolExecutor(8) as pool:
        told = Counter(pool.map(change, signed))
    assert set(told) <= {"done", "bad-state"}
    assert told["done"] >= 1
    assert server.ask("GET", f"{JOBS}/{job}").headers["etag"] == '"2"'


def test_of_many_that_use_one_signature_at_once_one_body_wins(server: Server) -> None:
    signed = server.signature("POST", JOBS, server.held["manager"])

    def create(number: int) -> int:
        body = f'{{"name": "job-{number}", "isTemp": true}}'.encode()
        return server.send("POST", JOBS, content=body, headers=signed).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(create, range(8)))
    assert codes == [201] + [401] * 7
    assert server.ask("GET", JOBS).json()["count"] == 1


@pytest.mark.services
def test_a_request_whose_first_one_is_under_way_is_told_so(kind: str, database: Database) -> None:
    if kind == "sqlite":
        pytest.skip("on SQLite whoever writes is alone")
    with database.transaction() as first, database.transaction() as second:
        assert repeats.first_answer(first, ALICE, asked("s1"), now=AT) is None
        with pytest.raises(BadState, match="still under way"):
            repeats.first_answer(second, ALICE, asked("s2"), now=AT)
        assert repeats.first_answer(second, ALICE, asked("s3", "k2"), now=AT) is None


def test_an_answer_stands_or_falls_with_its_change(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as con:
            repeats.first_answer(con, ALICE, asked("s1"), now=AT)
            raise BadState("no")

    with pytest.raises(BadState):
        fail()
    answer = Answer(201, {"etag": '"1"'}, '{"설명": 1}')
    with database.transaction() as con:
        assert repeats.first_answer(con, ALICE, asked("s1"), now=AT) is None
        repeats.keep(con, ALICE, asked("s1"), answer)
    with database.transaction() as con:
        assert repeats.first_answer(con, ALICE, asked("s2"), now=AT + 1) == answer
        assert repeats.first_answer(con, ALICE, asked("s3"), now=AT + repeats.ANSWERS_SECONDS) is None


def test_what_is_old_is_forgotten_and_no_more(database: Database) -> None:
    with database.transaction() as con:
        for number in range(3):
            repeats.first_answer(con, ALICE, asked(f"s{number}", f"k{number}"), now=AT + 500 * number)
        repeats.keep(con, ALICE, asked("s0", "k0"), Answer(200, {}, "true"))
        repeats.tidy(con, now=AT + 601)
        assert repeats.first_answer(con, ALICE, asked("s0", "k0", b"{}"), now=AT + 601) == Answer(200, {}, "true")
        counts = {
            table: con.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            for table in ("seen_requests", "first_answers")
        }
    assert counts == {"seen_requests": 3, "first_answers": 3}  # s0 was forgotten, and is seen again


def test_the_audit_log_is_listed_and_stands_or_falls_with_the_change(database: Database) -> None:
    origin = Origin("127.0.0.1", "trace")
    deed = Deed("Change/createJob", "jobs/a\0b" + "x" * 300, "done", {"name": "설명"})

    def fail() -> None:
        with database.transaction() as con:
            audit.write(con, ALICE, deed, origin=origin, now=NOON)
            raise BadState("no")

    with pytest.raises(BadState):
        fail()
    with database.transaction() as con:
        audit.write(con, ALICE, deed, origin=origin, now=NOON)
        audit.write(con, ALICE, Deed("Change/deleteJob", "jobs/a_b/executions/1"), origin=origin, now=NOON)
    with database.reading() as con:
        rows, count = audit.list(con, "main", filter=AuditFilter(), page=Page())
        found = [audit.list(con, "main", filter=AuditFilter(resource=r), page=Page())[1] for r in ("jobs/a_b", "\0")]
        assert audit.list(con, "other", filter=AuditFilter(), page=Page()) == ((), 0)
    assert (count, found) == (2, [1, 0])
    assert (rows[1].at, rows[1].detail, len(rows[1].resource)) == (NOON, {"name": "설명"}, 200)
