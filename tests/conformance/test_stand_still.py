"""Who stands still inside a transaction holds up the others for no longer than they wait for anybody."""

import threading

import pytest
from sqlalchemy import Update, select, update

from headrace.db import Database
from headrace.db.tables import jobs
from headrace.errors import DatabaseFailed
from tests.support.databases import opened
from tests.support.queue import Line
from tests.support.waiting import until


@pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=pytest.mark.services)])
def test_a_transaction_that_stands_still_is_undone_and_leaves_its_rows_to_others(
    url: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.db.session._BUSY_SECONDS", 1)
    with opened(url) as database:
        job_id = Line(database).job(name="before")
        held, go_on, failed = threading.Event(), threading.Event(), threading.Event()

        def stand_still() -> None:
            try:
                with database.transaction() as con:
                    con.execute(renamed(job_id, "lost"))
                    held.set()
                    go_on.wait(60)
            except DatabaseFailed:
                failed.set()

        standing = threading.Thread(target=stand_still)
        standing.start()
        until(held.is_set)
        with database.transaction() as con:
            con.execute(renamed(job_id, "after"))
        go_on.set()
        standing.join()
        assert (failed.is_set(), name_of(database, job_id)) == (True, "after")
        # The connection that was cut off is not handed out again.
        assert [name_of(database, job_id) for _ in range(20)] == ["after"] * 20


def renamed(job_id: str, name: str) -> Update:
    return update(jobs).where(jobs.c.job_id == job_id).values(name=name)


def name_of(database: Database, job_id: str) -> str:
    with database.reading() as con:
        return str(con.scalar(select(jobs.c.name).where(jobs.c.job_id == job_id)))
