"""Which data the jobs of NexusOne's dialect may touch, by what was given to their owners."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.core import data_grants, ticks
from headrace.errors import BadState, NotFound
from headrace.stores.grants import EVERYTHING, Use
from tests.support.nexus import Nexus, ingest, query


@pytest.fixture
def nexus(tmp_path: Path) -> Iterator[Nexus]:
    started = Nexus.start(tmp_path)
    yield started
    started.server.database.dispose()


def give(nexus: Nexus, who: str, use: Use, what: str) -> str:
    with nexus.server.database.transaction() as con:
        now = nexus.server.clock.now()
        return data_grants.give(con, "main", who, use=use, what=what, warehouse="warehouse", now=now).grant_id


def close(nexus: Nexus) -> None:
    """Take back what everybody has."""
    with nexus.server.database.transaction() as con:
        for grant in data_grants.list(con, "main"):
            data_grants.take(con, "main", grant.grant_id)


def test_a_new_database_lets_everybody_use_everything(nexus: Nexus) -> None:
    with nexus.server.database.reading() as con:
        assert [(g.who, g.use, g.what) for g in data_grants.list(con, "main")] == [
            ("*", "read", "*"),
            ("*", "write", "*"),
        ]
        assert data_grants.of(con, "main", "whoever@example.org") == EVERYTHING


def test_what_was_not_given_is_refused_and_nothing_is_told_of_it(nexus: Nexus) -> None:
    nexus.made(by="bob")
    close(nexus)
    told = nexus.refused(403, "POST", "/api/jobs", ingest())
    assert told.startswith("you have no right to read lake/raw; ")
    give(nexus, "a*", "read", "lake/raw")
    assert "no right to write sales.orders" in nexus.refused(403, "POST", "/api/jobs", ingest())
    give(nexus, "ann", "write", "sales.*")
    nexus.told("POST", "/api/jobs", ingest())
    told = nexus.refused(403, "POST", "/api/jobs", query("SELECT idd FROM sales.orders"))
    assert "no right to read sales.orders" in told
    assert "name" not in told
    assert "no right to read lake/raw2" in nexus.refused(403, "POST", "/api/jobs", ingest(source="lake/raw2"))
    give(nexus, "ann", "read", "sales.orders")
    nexus.told("POST", "/api/jobs", query("SELECT id FROM sales.orders"))
    nexus.refused(403, "POST", "/api/jobs", query("SELECT id FROM sales.orders"), by="bob")


def test_own_uploaded_files_need_no_grant(nexus: Nexus) -> None:
    close(nexus)
    give(nexus, "ann", "write", "sales.orders")
    file = nexus.upload("a.csv", b"id\n1\n").json()
    job = nexus.told("POST", "/api/jobs", ingest({"file_id": file["id"]}, source=None))["id"]
    nexus.told("POST", f"/api/jobs/{job}/trigger")
    assert nexus.server.claim().grants == {"read": ["uploads"], "write": ["warehouse/sales/orders"], "nrn": ["*"]}


def test_what_was_taken_back_counts_when_a_run_begins(nexus: Nexus) -> None:
    job = nexus.made(schedule="* * * * *")
    nexus.told("POST", f"/api/jobs/{job}/trigger")
    nexus.ran()
    close(nexus)
    give(nexus, "ann", "write", "sales.orders")
    nexus.refused(403, "POST", f"/api/jobs/{job}/trigger")
    nexus.refused(403, "GET", f"/api/jobs/{job}/result")
    nexus.server.clock.move(60)
    with nexus.server.database.transaction() as con:
        ticks.fire(con, now=nexus.server.clock.now().timestamp(), limit=10)
    assert len(nexus.told("GET", f"/api/jobs/{job}/runs")) == 1
    give(nexus, "ann", "read", "lake/")
    nexus.told("POST", f"/api/jobs/{job}/trigger")
    assert len(nexus.told("GET", f"/api/jobs/{job}/runs")) == 2


def test_a_run_has_its_owners_data_whoever_starts_it(nexus: Nexus) -> None:
    job = nexus.made()
    nexus.join("chief", "nx1_monitor_admin", "nx1_ingest")
    close(nexus)
    give(nexus, "chief", "read", "*")
    give(nexus, "chief", "write", "*")
    nexus.refused(403, "POST", f"/api/jobs/{job}/trigger", by="chief")
    give(nexus, "ann", "read", "lake/raw")
    give(nexus, "ann", "write", "*.*")
    nexus.told("POST", f"/api/jobs/{job}/trigger", by="chief")
    assert nexus.server.claim().grants == {"read": ["lake/raw"], "write": ["warehouse"], "nrn": ["*"]}


@pytest.mark.parametrize(
    ("use", "what", "place"),
    [
        ("read", "Sales.Orders", "warehouse/sales/orders"),
        ("write", "sales.*", "warehouse/sales"),
        ("read", "*.*", "warehouse"),
        ("write", "*", "*"),
        ("read", "lake/", "lake"),
        ("read", "team-*/raw/", "team-*/raw"),
        ("write", "lake/raw", None),
        ("read", "lake/../x", None),
        ("read", "sales", None),
        ("read", "sales.or*", None),
        ("read", "", None),
    ],
)
def test_what_a_grant_means(use: Use, what: str, place: str | None) -> None:
    if place is None:
        with pytest.raises(ValueError, match=r"^(is|has|.* is) "):
            data_grants.place_of(what, use=use, warehouse="warehouse")
    else:
        assert data_grants.place_of(what, use=use, warehouse="warehouse") == place


def test_a_grant_is_given_once_and_taken_once(nexus: Nexus) -> None:
    grant = give(nexus, "ann", "read", "sales.*")
    with pytest.raises(BadState, match="already"):
        give(nexus, "ann", "read", "sales.*")
    with nexus.server.database.transaction() as con:
        data_grants.take(con, "main", grant)
        with pytest.raises(NotFound):
            data_grants.take(con, "main", grant)
