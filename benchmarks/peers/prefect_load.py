"""Ask Prefect for runs and read its records: `python prefect_load.py FOLDER ONE_BY_ONE AT_ONCE`; JSON on its output.

It runs in Prefect's own environment and knows nothing of Headrace.
"""

import json
import sys
import time

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment

_LIMIT = 900.0


def ended(runs: list[FlowRun]) -> list[FlowRun]:
    """The runs when all of them have ended."""
    until = time.monotonic() + _LIMIT
    with get_client(sync_client=True) as client:
        while True:
            found = [client.read_flow_run(run.id) for run in runs]
            if all(run.state is not None and run.state.is_final() for run in found):
                return found
            if time.monotonic() > until:
                raise SystemExit("the runs did not end")
            time.sleep(0.25)


def asked(folder: str, name: str) -> FlowRun:
    """A run that nobody has waited for yet."""
    return run_deployment("trivial/bench", parameters={"folder": folder, "name": name}, timeout=0, as_subflow=False)


def seconds(run: FlowRun) -> float:
    """From the accepted request to the end."""
    assert run.state is not None
    assert run.state.is_completed(), run.state
    assert run.created is not None
    assert run.end_time is not None
    return float((run.end_time - run.created).total_seconds())


def main(folder: str, one_by_one: int, at_once: int) -> None:
    """The seconds of single runs, and how many a second when many are asked for."""
    ended([asked(folder, "warm")])
    single = [seconds(ended([asked(folder, f"one-{number}")])[0]) for number in range(one_by_one)]
    runs = ended([asked(folder, f"many-{number}") for number in range(at_once)])
    assert all(seconds(run) for run in runs)
    first = min(run.created for run in runs if run.created is not None)
    last = max(run.end_time for run in runs if run.end_time is not None)
    print(json.dumps({"seconds": single, "rate": at_once / (last - first).total_seconds()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
