"""The use cases hear the same from both databases; what they promise in detail stands in their unit tests."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from headrace.core import executions, keys
from headrace.core.paging import Page
from headrace.db import Database
from headrace.errors import BadParameter, BadState
from tests.support.queue import DONE
from tests.support.uses import ALICE, NOON, Uses, sound


def test_a_job_is_made_changed_run_listed_and_deleted(database: Database) -> None:
    uses = Uses(database)
    made = uses.create(sound(description="설명", unknown="\0 \ud800"))
    assert uses.update(made.job_id, {"jobCondition": {"timeout": 5}}, if_match=1).revision == 2
    asked = uses.execute(made.job_id)
    claimed = uses.claim()
    assert (claimed.execution_id, uses.get(made.job_id).status) == (asked.execution_id, "RUNNING")
    assert uses.names(name="JO", status="RUNNING") == (["job"], 1)
    uses.cancel(made.job_id, asked.execution_id)
    assert uses.names(status="STOPPED") == (["job"], 1)
    uses.end(claimed, DONE)
    with database.reading() as con:
        (row,), count = executions.list(con, ALICE, made.job_id, page=Page())
    assert (row.status, row.started_at, count) == (
        "COMPLETED",
        uses.execution(made.job_id, row.execution_id).started_at,
        1,
    )
    uses.delete(made.job_id)
    assert (uses.names(page=10**30), uses.names(status="DELETED")) == (([], 0), (["job"], 1))
    assert uses.create(sound()).name == "job"


def test_of_those_who_take_a_name_at_the_same_time_one_gets_it(database: Database) -> None:
    uses = Uses(database)

    def create(_: int) -> str:
        try:
            return uses.create(sound(name="wanted")).job_id
        except BadParameter as error:
            return error.problems[0].code

    with ThreadPoolExecutor(4) as pool:
        told = sorted(pool.map(create, range(4)), key=lambda word: word == "name-taken")
    assert told[1:] == ["name-taken"] * 3
    assert uses.get(told[0]).name == "wanted"


def test_executions_asked_for_and_cancelled_and_finished_at_the_same_time_all_end(database: Database) -> None:
    uses = Uses(database)
    job_id = uses.create(sound(maxConcurrentRuns=1000)).job_id

    def work(turn: int) -> None:
        asked = uses.execute(job_id)
        if turn % 2:
            for claimed in uses.claims():
                uses.end(claimed, DONE)
        with suppress(BadState):  # somebody finished it first
            uses.cancel(job_id, asked.execution_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(24)))
    for left in uses.claims(limit=24):
        uses.end(left, DONE)
    with database.reading() as con:
        rows, count = executions.list(con, ALICE, job_id, page=Page())
    assert count == 24
    assert {row.status for row in rows} == {"COMPLETED", "CANCELED"}


def test_keys_are_kept(database: Database) -> None:
    with database.transaction() as con:
        made = keys.create(con, "K", account_id="main", name="ci", role="manager", secret="sealed", now=NOON)
    with database.reading() as con:
        assert keys.find(con, "K") == made


@pytest.mark.services
def test_after_a_restart_of_postgresql_work_goes_on(
    kind: str, database: Database, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        pytest.skip("SQLite has no server")
    uses = Uses(database)
    made = uses.create(sound())
    request.getfixturevalue("postgres_server").restart()
    assert uses.get(made.job_id) == made
