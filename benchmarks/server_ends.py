"""How soon is a dead worker's run taken over, and how soon is a cancelled run's process gone?

    python -m benchmarks.server_ends [--runs 5] [--databases sqlite,postgresql] [--save]

A run that would take hours. Its server is killed with SIGKILL, and another one that is started then on the same data
takes the run over: the time is from the kill, less what the start took beyond the end of the lease. A cancel is timed
from its answer until no process of the run is left, once as usual and once with a process that hears nothing. `--save`
keeps the figures as benchmarks/results/server_ends.json.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from benchmarks import data
from benchmarks.figures import Bar
from benchmarks.served import Served, ask, opened, served, trivial
from headrace.db.tables import attempts, executions

QUESTION = "How soon is a dead worker's run taken over, and how soon is a cancelled run's process gone?"
RUNS, ROWS, LIMIT = 5, 20_000, 120.0
LEASE, GRACE = 5.0, 2.0
SETTINGS: Mapping[str, object] = {"lease_seconds": LEASE, "grace_seconds": GRACE, "workers": 1}
_TRIPLES = "SELECT count(*) AS id, 'a' AS name FROM t a CROSS JOIN t b CROSS JOIN t c WHERE a.id * b.id * c.id = -1"


def measured(folder: Path, database: str, runs: int) -> list[Bar]:
    """The longest of so many, over one database."""
    taken_over = [_taken_over(folder / f"kill-{number}", database) for number in range(runs)]
    heard = [_cancelled(folder / f"heard-{number}", database, deaf=False) for number in range(runs)]
    deaf = [_cancelled(folder / f"deaf-{number}", database, deaf=True) for number in range(runs)]
    return [
        Bar(f"killed worker to taken over, lease of {LEASE:g} s, longest", LEASE + 1, max(taken_over), "s"),
        Bar("cancel to no process left, longest", GRACE + 1, max(heard), "s"),
        Bar(f"the same, the process hears nothing, grace of {GRACE:g} s", GRACE + 1, max(deaf), "s"),
    ]


def endless() -> dict[str, object]:
    """A job that takes hours."""
    job = trivial("endless")
    nodes = job["nodes"]
    assert isinstance(nodes, list)
    query = {
        "type": "TRANSFORM_SQL",
        "id": 2,
        "name": "Triples",
        "parentNodeIds": [1],
        "sourceNameList": [{"parentId": 1, "newName": "t"}],
        "sql": _TRIPLES,
    }
    return {**job, "nodes": [nodes[0], query, nodes[2]]}


def _taken_over(folder: Path, database: str) -> float:
    with served(folder, settings=SETTINGS, database=database) as first:
        execution_id, child = _begun(first)
        os.kill(first.process, signal.SIGKILL)
        since = time.perf_counter()
        with served(folder, settings=SETTINGS, database=database) as second:
            started = time.perf_counter() - since
            _until(lambda: _attempts(second, execution_id) > 1)
            took = time.perf_counter() - since
            assert not Path(f"/proc/{child}").exists()
            _cancel(second, execution_id)
    return took - max(0.0, started - LEASE)


def _cancelled(folder: Path, database: str, *, deaf: bool) -> float:
    with served(folder, settings=SETTINGS, database=database) as server:
        execution_id, child = _begun(server)
        if deaf:
            os.kill(child, signal.SIGSTOP)
        _cancel(server, execution_id)
        since = time.perf_counter()
        _until(lambda: _status(server, execution_id) == "CANCELED" and not Path(f"/proc/{child}").exists())
        return time.perf_counter() - since


def _begun(server: Served) -> tuple[str, int]:
    """An endless run and its process."""
    file = server.buckets / data.BUCKET / "in" / "rows.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("id,name\n" + "".join(f"{n},x\n" for n in range(ROWS)), encoding="utf-8")
    client = server.client()
    execution_id = client.execute(client.job({**endless(), "name": f"endless-{time.time_ns()}"}))
    _until(lambda: _pid(server, execution_id) > 0)
    return execution_id, _pid(server, execution_id)


def _cancel(server: Served, execution_id: str) -> None:
    database = opened(server)
    with database.reading() as con:
        job_id = con.scalar(select(executions.c.job_id).where(executions.c.execution_id == execution_id))
    database.dispose()
    server.client().ask("POST", f"/api/v1/jobs/{job_id}/executions/{execution_id}/cancel")


def _pid(server: Served, execution_id: str) -> int:
    wanted = select(attempts.c.pid).where(attempts.c.execution_id == execution_id)
    return int(str(_read(server, wanted.order_by(attempts.c.number.desc())) or 0))


def _attempts(server: Served, execution_id: str) -> int:
    return int(str(_read(server, select(executions.c.attempt).where(executions.c.execution_id == execution_id)) or 0))


def _status(server: Served, execution_id: str) -> str:
    return str(_read(server, select(executions.c.status).where(executions.c.execution_id == execution_id)))


def _read(server: Served, statement: Select[tuple[Any]]) -> object:
    database = opened(server)
    with database.reading() as con:
        found = con.scalar(statement)
    database.dispose()
    return found


def _until(true: Callable[[], bool]) -> None:
    until = time.perf_counter() + LIMIT
    while not true():
        assert time.perf_counter() < until, "it did not come"
        time.sleep(0.02)


if __name__ == "__main__":
    ask("server_ends", QUESTION, measured, runs=RUNS)
