import subprocess
import sys
from pathlib import Path

import pytest

from headrace.execution import queue
from tests.support.queue import DONE, Line
from tests.support.waiting import until

REPOSITORY = Path(__file__).parents[2]
LEASE = 1.0


@pytest.mark.fault
def test_what_a_killed_worker_held_goes_to_another_when_its_lease_is_over(line: Line, url: str) -> None:
    execution_id = line.submit(line.job())
    command = [sys.executable, "-m", "tests.support.claiming_child", url, str(LEASE)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        token = worker.stdout.readline().strip()
        worker.kill()
    expires = line.row(execution_id)["lease_expires_at"]
    assert (line.status(execution_id), line.rescue(expires - 0.001)) == ("RUNNING", [])
    rescued: list[queue.Rescued] = []

    def taken_back() -> bool:
        rescued.extend(line.rescue(line.now()))
        return bool(rescued)

    until(taken_back)
    assert line.now() >= expires
    assert [(each.execution_id, each.status, each.worker) for each in rescued] == [
        (execution_id, "READY", f"pid {worker.pid}")
    ]
    assert not line.finish(token, DONE, at=line.now())
    again = line.one(line.now())
    assert line.finish(again.lease_token, DONE, at=line.now())
    assert line.attempts(execution_id) == [(1, "LOST"), (2, "COMPLETED")]
