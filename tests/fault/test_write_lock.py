"""Somebody keeps SQLite's write lock for longer than others wait for it, as a process does that stands still there."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import connect

import pytest

from tests.support.command import Place
from tests.support.jobs import source, target
from tests.support.serving import served
from tests.support.waiting import until
from tests.support.work import endless, put_rows

pytestmark = [pytest.mark.fault, pytest.mark.slow]

ROWS = b"id,name\n1,a\n2,b\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Nobody else writes meanwhile."""
    with closing(connect(place.root / "headrace.db", timeout=30, isolation_level=None)) as con:
        con.execute("BEGIN IMMEDIATE")
        yield
        con.execute("ROLLBACK")


def test_a_server_that_may_not_write_for_long_loses_nothing_and_goes_on(place: Place) -> None:
    put_rows(place)
    place.put("few/a.csv", ROWS)
    with served(place) as server:
        slow = server.made(endless("slow"), "slow")
        quick = server.made([source(prefix="few"), target()], "quick")
        first = server.executed(slow)
        until(lambda: (place.lake / "slow" / "_headrace").exists())
        second, (child,) = server.executed(quick), server.children()
        with locked(place):
            refused = server.ask("POST", f"/api/v1/jobs/{quick}/executions", {})
            assert (refused.status_code, server.execution(quick, second)["status"]) == (503, "READY")
            # The lease was not renewed: by now somebody else might hold the run, if anybody could write.
            until(lambda: child not in server.children())
            assert server.execution(slow, first)["status"] == "RUNNING"
        until(lambda: (place.lake / "slow" / "_headrace" / f"{first}-2").exists())
        assert server.ask("POST", f"/api/v1/jobs/{slow}/executions/{first}/cancel").status_code == 200
        assert (server.wait(slow, first), server.wait(quick, second)) == ("CANCELED", "COMPLETED")
        assert server.ask("GET", f"/api/v1/jobs/{quick}/executions").json()["count"] == 1
        assert "died, stood still or lost the database" in server.log(slow, first)
        assert server.stop() == 0
    assert list(place.left().values()) == [ROWS]
