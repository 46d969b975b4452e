"""Airflow 3 on this machine: its API server, scheduler and DAG processor, all in an environment of its own.

Its records are in a PostgreSQL of their own: its documentation has SQLite for development only, and with SQLite it once
answered 500 when many runs were asked for, after an insert had waited for five seconds. The executor is the local one,
which is its default and takes a process for each task.

As it comes, but that as many tasks run at once as Prefect's worker has, and a new DAG is not paused. It loads no
examples, listens on this machine alone, and the scheduler does not serve the logs of tasks. An idle scheduler looks for
work once a second, as Prefect's worker does here. Looking more often is a trade: on two busy cores ten times a second
took a single run from 2 s to half a second, and seemed to take many at once from 3 a second to 1.

Airflow asks to be installed with its list of constraints, which is not in the Python index: its own version is pinned,
and pip finds the others.
"""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import Peer
from benchmarks.peers import airflow_load
from benchmarks.peers.programs import done, environment, running, until_answered
from tests.support import postgres
from tests.support.services import free_ports

_VERSION = "3.3.2"
_TITLE = f"Airflow {_VERSION} on PostgreSQL"
_ONE_BY_ONE, _AT_ONCE = 11, 20
_PROGRAMS = (["api-server"], ["scheduler", "--skip-serve-logs"], ["dag-processor"])


def measured(folder: Path, rows: Path) -> Peer:
    """The figures. `rows` is the file that a run reads; everything is below `folder`."""
    where = postgres.programs()
    if where is None:
        raise RuntimeError("Airflow is measured on PostgreSQL, which is not here")
    python = environment(folder / "venv", f"apache-airflow[postgres]=={_VERSION}")
    place, home = folder / "place", folder / "home"
    place.mkdir()
    (home / "dags").mkdir(parents=True)
    shutil.copy(rows, place / "rows.csv")
    shutil.copy(Path(__file__).with_name("airflow_dag.py"), home / "dags")
    address = f"http://127.0.0.1:{free_ports(1)[0]}"
    airflow = str(python.with_name("airflow"))
    with ExitStack() as programs:
        server = programs.enter_context(postgres.running(where, lasting=True))
        variables = _variables(home, address, python, server.create("airflow"))
        done([airflow, "db", "migrate"], variables, place)
        for words in _PROGRAMS:
            programs.enter_context(running([airflow, *words], variables, folder / f"{words[0]}.log"))
        until_answered(f"{address}/api/v2/version")
        load = airflow_load.Load(address, airflow_load.token(address, home), place)
        load.until_known()
        return airflow_load.measured(load, _TITLE, one_by_one=_ONE_BY_ONE, at_once=_AT_ONCE)


def _variables(home: Path, address: str, python: Path, database: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "PYTHONPATH"))}
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": address.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(2 * len(os.sched_getaffinity(0))),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    return {**kept, **own}
