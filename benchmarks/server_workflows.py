"""What do workflows and triggers add to the jobs that they start?

    python -m benchmarks.server_workflows [--runs 5] [--databases sqlite,postgresql] [--save]

Workflows of jobs of ten rows, 40 in sequence and 200 side by side, each from its acceptance to its end. Triggers that
come once: how long after its instant a run is there (one trigger at a time), and how long until all of 1,000 that come
in the same second are recorded. Last, the share of a core that 10,000 triggers take whose time has not come. All times
are those of the server's records. `--save` keeps the figures as benchmarks/results/server_workflows.json.
"""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from benchmarks.figures import Bar, percentile
from benchmarks.measure import tree
from benchmarks.served import Client, Served, ask, lay_rows, opened, served, trivial
from headrace.db.tables import ticks, triggers, workflow_runs

QUESTION = "What do workflows and triggers add to the jobs that they start?"
RUNS, CHAIN, WIDE, TICKS, AT_ONCE, RESTING = 5, 40, 200, 40, 1000, 10_000
REST_SECONDS = 20.0
_TRIGGERS, _WORKFLOWS = "/api/v1/triggers", "/api/v1/workflows"
_POLL = 0.1


def measured(folder: Path, database: str, runs: int) -> list[Bar]:
    """All of it over one database."""
    with served(folder, settings={}, database=database) as server:
        lay_rows(server.buckets)
        client = server.client()
        jobs = [client.job(trivial(f"job-{number}")) for number in range(WIDE)]
        by_hand = _trigger(client, {"name": "by-hand", "type": "NONE", "triggerRule": {"type": "NONE"}})
        chain = _workflow(client, "chain", by_hand, jobs[:CHAIN], in_sequence=True)
        wide = _workflow(client, "wide", by_hand, jobs, in_sequence=False)
        sequence = [_run(client, server, chain) for _ in range(runs + 1)][1:]
        beside = [_run(client, server, wide) for _ in range(runs)]
        late = [_late(client, server, number, jobs[0]) for number in range(TICKS)]
        recorded = _at_once(client, server)
        rest = _resting(server)
    return [
        Bar(f"{CHAIN} jobs of ten rows in sequence", 2.0, percentile(sequence, 0.5), "s"),
        Bar(f"{WIDE} jobs of ten rows side by side", 6.0, percentile(beside, 0.5), "s"),
        Bar("an instant to its run, p50", 0.2, percentile(late, 0.5), "s"),
        Bar("an instant to its run, longest", 1.0, max(late), "s"),
        Bar(f"{AT_ONCE} triggers of one second until all are recorded", 5.0, recorded, "s"),
        Bar(f"{RESTING} triggers at rest, of a core", 5.0, rest * 100, "%"),
    ]


def _trigger(client: Client, body: object) -> str:
    return str(client.ask("POST", _TRIGGERS, body)["triggerId"])


def _once(name: str, at: datetime) -> dict[str, object]:
    rule = {"type": "ONE_TIME", "executionDate": at.isoformat()}
    return {"name": name, "type": "SCHEDULED", "triggerRule": rule}


def _workflow(client: Client, name: str, trigger: str, jobs: Sequence[str], *, in_sequence: bool) -> str:
    parents = [trigger, *jobs] if in_sequence else [trigger] * len(jobs)
    nodes: list[dict[str, Any]] = [{"id": trigger, "name": name, "type": "TRIGGER", "parentNodeIds": []}]
    nodes += [
        {"id": job, "name": f"job-{number}", "type": "JOB", "parentNodeIds": [parents[number]]}
        for number, job in enumerate(jobs)
    ]
    return str(client.ask("POST", _WORKFLOWS, {"name": name, "nodes": nodes})["workflowId"])


def _run(client: Client, server: Served, workflow: str) -> float:
    """Seconds from the acceptance of a run to its end."""
    run_id = client.ask("POST", f"{_WORKFLOWS}/{workflow}/executions")["runId"]
    while client.ask("GET", f"{_WORKFLOWS}/{workflow}/runs/{run_id}")["status"] in ("READY", "RUNNING"):
        time.sleep(_POLL)
    r = workflow_runs.c
    database = opened(server)
    with database.reading() as con:
        found = con.execute(select(r.status, r.created_at, r.ended_at).where(r.run_id == run_id)).one()
    database.dispose()
    assert found.status == "COMPLETED"
    return float(found.ended_at - found.created_at)


def _late(client: Client, server: Served, number: int, job: str) -> float:
    """Seconds from the instant of a trigger to the run that it starts."""
    at = (datetime.now(UTC) + timedelta(seconds=2)).replace(microsecond=0)
    name = f"once-{number}"
    workflow = _workflow(client, name, _trigger(client, _once(name, at)), [job], in_sequence=True)
    r = workflow_runs.c
    database = opened(server)
    found = None
    while found is None:
        time.sleep(_POLL)
        with database.reading() as con:
            found = con.scalar(select(r.created_at - r.scheduled_for).where(r.workflow_id == workflow))
    database.dispose()
    return float(found)


def _at_once(client: Client, server: Served) -> float:
    """Seconds from an instant that many triggers share until the last of them is recorded."""
    at = (datetime.now(UTC) + timedelta(seconds=30)).replace(microsecond=0)
    for number in range(AT_ONCE):
        client.ask("POST", _TRIGGERS, _once(f"same-{number}", at))
    same = ticks.c.instant == at.timestamp()
    database = opened(server)
    count, last = 0, 0.0
    while count < AT_ONCE:
        time.sleep(_POLL)
        with database.reading() as con:
            count, last = con.execute(select(func.count(), func.max(ticks.c.at)).where(same)).one()
    database.dispose()
    # What is told is the beginning of the transaction; the last one took no longer than a look.
    return float(last - at.timestamp()) + _POLL


def _resting(server: Served) -> float:
    """The share of a core that the server takes while many triggers wait for a day that is far."""
    far = datetime(2090, 1, 1, tzinfo=UTC).timestamp()
    rule = {"type": "ONE_TIME", "executionDate": "2090-01-01T09:00:00"}
    kind = {"type": "SCHEDULED", "time_zone": "Asia/Seoul", "misfire": "LATEST", "overlap": "QUEUE", "revision": 1}
    rows = [
        {"trigger_id": f"far-{number}", "account_id": "main", "name": f"far-{number}", "rule": rule, **kind}
        | {"next_fire_at": far + number, "created_at": 1.0, "updated_at": 1.0}
        for number in range(RESTING)
    ]
    database = opened(server)
    with database.transaction() as con:
        con.execute(insert(triggers), rows)
    database.dispose()
    time.sleep(2.0)
    before = _cpu(server)
    time.sleep(REST_SECONDS)
    return (_cpu(server) - before) / REST_SECONDS


def _cpu(server: Served) -> float:
    """Seconds of CPU time of the server's processes so far."""
    ticks_of = 0
    for process in tree(server.process):
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks_of += int(fields[11]) + int(fields[12])
    return ticks_of / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    ask("server_workflows", QUESTION, measured, runs=RUNS)
