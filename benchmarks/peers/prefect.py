"""Prefect 3 on this machine: its server on its SQLite, a process pool and one worker, all in an environment of its own.

As it comes, but for three things: the worker looks for work each second and not every ten, it has a limit of runs at
once, without which it would start a process for each run that waits, and nothing is told to Prefect's makers.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Peer, percentile
from tests.support.services import free_ports

_REQUIREMENT = "prefect>=3,<4"
_POOL = "bench"
_ONE_BY_ONE, _AT_ONCE = 11, 20
_START_SECONDS = 120.0


def measured(folder: Path, rows: Path) -> Peer:
    """The figures. `rows` is the file that a run reads; everything is below `folder`."""
    python = _environment(folder / "venv")
    place = folder / "place"
    place.mkdir()
    shutil.copy(rows, place / "rows.csv")
    for name in ("prefect_flow.py", "prefect_load.py"):
        shutil.copy(Path(__file__).with_name(name), place / name)
    variables = _variables(folder)
    prefect = str(python.with_name("prefect"))
    with _running([prefect, "server", "start"], variables, folder / "server.log"):
        _until_healthy(variables["PREFECT_API_URL"])
        _done([prefect, "work-pool", "create", "--type", "process", _POOL], variables, place)
        _done([str(python), "prefect_flow.py", str(place), _POOL], variables, place)
        limit = str(2 * len(os.sched_getaffinity(0)))
        worker = [prefect, "worker", "start", "--pool", _POOL, "--limit", limit]
        with _running(worker, variables, folder / "worker.log"):
            words = [str(python), "prefect_load.py", str(place), str(_ONE_BY_ONE), str(_AT_ONCE)]
            found = json.loads(_done(words, variables, place).splitlines()[-1])
    version = _done([str(python), "-c", "import prefect; print(prefect.__version__)"], variables, place).strip()
    return Peer(f"Prefect {version}", percentile(found["seconds"], 0.5), found["rate"])


def _environment(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", _REQUIREMENT], check=True, stderr=subprocess.DEVNULL
    )
    return python


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


@contextmanager
def _running(words: list[str], variables: Mapping[str, str], log: Path) -> Iterator[None]:
    """A program and all that it starts, until the end of the context."""
    with log.open("wb") as out:
        process = subprocess.Popen(words, env=dict(variables), stdout=out, stderr=out, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until_healthy(url: str) -> None:
    until = time.perf_counter() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:
            if time.perf_counter() > until:
                raise
            time.sleep(0.25)


def _done(words: list[str], variables: Mapping[str, str], place: Path) -> str:
    return subprocess.run(words, env=dict(variables), cwd=place, check=True, capture_output=True, text=True).stdout
