"""Ask Airflow for runs and read its records, by its REST API."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Peer, percentile

_LIMIT = 900.0
_DAG = "trivial"
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Load:
    """A caller with a token; the runs read and write in `folder`."""

    address: str
    token: str
    folder: Path

    def until_known(self) -> None:
        """Wait until Airflow has read the graph from its file."""
        until = time.monotonic() + _LIMIT
        while True:
            try:
                asked(f"{self.address}/api/v2/dags/{_DAG}", token=self.token)
                return
            except urllib.error.HTTPError as error:
                if error.code != 404 or time.monotonic() > until:
                    raise
                time.sleep(0.25)

    def start(self, name: str) -> str:
        """Ask for a run that nobody has waited for yet; its id."""
        body = {"dag_run_id": name, "logical_date": None, "conf": {"folder": str(self.folder), "name": name}}
        return str(asked(self._runs, body, token=self.token)["dag_run_id"])

    def ended(self, runs: Sequence[str]) -> list[Record]:
        """The records of the runs when all of them have ended."""
        until = time.monotonic() + _LIMIT
        while True:
            found = [asked(f"{self._runs}/{run}", token=self.token) for run in runs]
            if all(run["state"] in ("success", "failed") for run in found):
                return found
            if time.monotonic() > until:
                raise TimeoutError("the runs did not end")
            time.sleep(0.25)

    @property
    def _runs(self) -> str:
        return f"{self.address}/api/v2/dags/{_DAG}/dagRuns"


def token(address: str, home: Path) -> str:
    """A token for the user that Airflow made when it started."""
    (name, password), *_ = json.loads((home / "simple_auth_manager_passwords.json.generated").read_text()).items()
    return str(asked(f"{address}/auth/token", {"username": name, "password": password})["access_token"])


def asked(address: str, body: Mapping[str, object] | None = None, *, token: str = "") -> Record:
    """The answer to a request: POST when there is a body, else GET."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(address, None if body is None else json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: Record = json.load(answer)
    return found


def measured(load: Load, title: str, *, one_by_one: int, at_once: int) -> Peer:
    """The figures: half of the single runs, and how many a second when many are asked for."""
    load.ended([load.start("warm")])
    single = [_seconds(load.ended([load.start(f"one-{number}")])[0]) for number in range(one_by_one)]
    runs = load.ended([load.start(f"many-{number}") for number in range(at_once)])
    assert all(_seconds(run) for run in runs)
    first, last = min(_when(run["queued_at"]) for run in runs), max(_when(run["end_date"]) for run in runs)
    return Peer(title, percentile(single, 0.5), at_once / (last - first).total_seconds())


def _seconds(run: Record) -> float:
    """From the accepted request to the end."""
    assert run["state"] == "success", run
    return (_when(run["end_date"]) - _when(run["queued_at"])).total_seconds()


def _when(told: str) -> datetime:
    return datetime.fromisoformat(told)
