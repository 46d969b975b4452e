"""Rows of executions that were created at a moment, written past the queue."""

from typing import Any

from headrace.ids import new_id


def execution(job_id: str, at: float, status: str, **more: object) -> dict[str, Any]:
    """The row of an execution of a job; `more` is added to it, or takes the place of what it has."""
    return {
        "execution_id": new_id(),
        "account_id": "main",
        "job_id": job_id,
        "type": "JOB",
        "job_name": "job",
        "job_revision": 1,
        "condition": {},
        "parameters": {},
        "status": status,
        "created_at": at,
        "available_at": at,
        "turn": at,
        "max_attempts": 1,
        **more,
    }
