"""Who starts triggers is killed, stopped and woken, its clock is off, its database crashes: each instant comes once."""

from pathlib import Path
from random import Random

import pytest

from headrace.ids import new_id
from tests.support.chaos import laid, seed, told
from tests.support.command import Place
from tests.support.databases import opened
from tests.support.herd import herd
from tests.support.postgres import Postgres
from tests.support.tick_chaos import TickChaos, count
from tests.support.trouble import LEASE

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(500)]

VARIABLES = {
    "HEADRACE_PORT": "0",
    "HEADRACE_THREADS": "1",
    "HEADRACE_LEASE_SECONDS": f"{LEASE:g}",
    "HEADRACE_GRACE_SECONDS": "2",
    "HEADRACE_WRITER_WAIT": "30",
}
# The database's clock decides there; what a machine thinks of the time must not matter.
FAR_OFF = 3600.0
# Here the clock of the one server decides. What an earlier one put off waits until the clock of a later one gets there.
A_LITTLE_OFF = 4.0


@pytest.mark.services
def test_two_schedulers_and_three_workers_on_postgresql_start_every_instant_once_in_chaos(
    tmp_path: Path, postgres_server: Postgres
) -> None:
    place = laid(Place.made(tmp_path))
    url = postgres_server.create(f"ticks_{new_id().lower()}")
    shared = {"HEADRACE_DATA": str(tmp_path), "HEADRACE_DATABASE": url, "HEADRACE_SHARED_STORAGE": "true"}
    shared |= {**VARIABLES, "HEADRACE_WORKERS": "1"}
    with told(seed()) as chance, opened(url) as database:
        chaos, clocks = TickChaos(place, database, chance), Random(chance.random())
        chaos.lay(count())

        def off() -> float:
            return clocks.uniform(-FAR_OFF, FAR_OFF)

        with (
            herd(tmp_path, "serve", size=2, off=off, **shared) as servers,
            herd(tmp_path, "worker", size=3, off=off, **shared) as workers,
        ):
            chaos.rage([servers, workers], postgres_server.restart)
            chaos.check([servers, workers])
        print(f"{chaos.done}, {chaos.left} runs in peace, {servers.began} servers and {workers.began} workers began")


def test_a_server_on_sqlite_starts_every_instant_once_in_chaos(tmp_path: Path) -> None:
    place = laid(Place.made(tmp_path))
    own = {"HEADRACE_DATA": str(tmp_path), **VARIABLES, "HEADRACE_WORKERS": "2"}
    with told(seed()) as chance, opened(f"sqlite:///{tmp_path}/headrace.db") as database:
        chaos, clocks = TickChaos(place, database, chance), Random(chance.random())
        chaos.lay(count())
        with herd(tmp_path, "serve", size=1, off=lambda: clocks.uniform(-A_LITTLE_OFF, A_LITTLE_OFF), **own) as servers:
            chaos.rage([servers], None)
            chaos.check([servers])
        print(f"{chaos.done}, {chaos.left} runs in peace, {servers.began} servers began")
