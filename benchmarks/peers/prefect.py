"""Prefect 3 on this machine: its server on its SQLite, a process pool and one worker, all in an environment of its own.

As it comes, but for three things: the worker looks for work each second and not every ten, it has a limit of runs at
once, without which it would start a process for each run that waits, and nothing is told to Prefect's makers.
"""

import json
import os
import shutil
from pathlib import Path

from benchmarks.figures import Peer, percentile
from benchmarks.peers.programs import done, environment, running, until_answered
from tests.support.services import free_ports

_REQUIREMENT = "prefect>=3,<4"
_POOL = "bench"
_ONE_BY_ONE, _AT_ONCE = 11, 20


def measured(folder: Path, rows: Path) -> Peer:
    """The figures. `rows` is the file that a run reads; everything is below `folder`."""
    python = environment(folder / "venv", _REQUIREMENT)
    place = folder / "place"
    place.mkdir()
    shutil.copy(rows, place / "rows.csv")
    for name in ("prefect_flow.py", "prefect_load.py"):
        shutil.copy(Path(__file__).with_name(name), place / name)
    variables = _variables(folder)
    prefect = str(python.with_name("prefect"))
    with running([prefect, "server", "start"], variables, folder / "server.log"):
        until_answered(f"{variables['PREFECT_API_URL']}/health")
        done([prefect, "work-pool", "create", "--type", "process", _POOL], variables, place)
        done([str(python), "prefect_flow.py", str(place), _POOL], variables, place)
        limit = str(2 * len(os.sched_getaffinity(0)))
        worker = [prefect, "worker", "start", "--pool", _POOL, "--limit", limit]
        with running(worker, variables, folder / "worker.log"):
            words = [str(python), "prefect_load.py", str(place), str(_ONE_BY_ONE), str(_AT_ONCE)]
            found = json.loads(done(words, variables, place).splitlines()[-1])
    version = done([str(python), "-c", "import prefect; print(prefect.__version__)"], variables, place).strip()
    return Peer(f"Prefect {version}", percentile(found["seconds"], 0.5), found["rate"])


def _variables(folder: Path) -> dict[str, str]:
    port = free_ports(1)[0]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PYTHONPATH"))}
    own = {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }
    return {**kept, **own}
