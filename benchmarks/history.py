"""A long history of executions, written past the queue: a million runs would take hours."""

from typing import Any

from sqlalchemy import create_engine, text

from benchmarks.served import Served


def ended(job_id: str, number: int, at: float, **more: object) -> dict[str, Any]:
    """The row of an execution that was created at a moment and has ended; `more` takes the place of what it has."""
    return {
        "execution_id": f"e{number * 7919 % 10**11:011d}",
        "type": "JOB",
        "job_id": job_id,
        "job_name": "one",
        "job_revision": 1,
        "condition": {"workerType": "DEFAULT", "numWorker": 2, "timeout": 360, "nrn": ""},
        "parameters": {},
        "status": "COMPLETED",
        "created_at": at,
        "available_at": at,
        "turn": at,
        "started_at": at,
        "ended_at": at + 1,
        "attempt": 1,
        "max_attempts": 1,
        "report": {"status": "COMPLETED", "sources": ["x" * 100] * 5},
        **more,
    }


def look_over(server: Served) -> None:
    """Do on PostgreSQL what autovacuum does to tables that have grown or changed."""
    if server.database:
        engine = create_engine(server.database, isolation_level="AUTOCOMMIT")
        with engine.connect() as con:
            con.execute(text("VACUUM ANALYZE"))
        engine.dispose()
