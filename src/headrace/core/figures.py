"""What waits and what runs now, and who holds it: for metrics and for the doctor."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from headrace.db.tables import access_keys, executions, jobs


@dataclass(frozen=True, slots=True)
class Holder:
    """A worker that holds runs; `late` of its leases have ended and wait to be taken back."""

    worker: str
    runs: int
    late: int


def waiting(con: Connection) -> int:
    """How many executions wait, also those that may not begin yet."""
    return con.scalar(select(func.count()).where(executions.c.status == "READY")) or 0


def running(con: Connection) -> int:
    """How many executions run, or are held by a worker that is gone and will be taken back."""
    return con.scalar(select(func.count()).where(executions.c.status == "RUNNING")) or 0


def holders(con: Connection, *, now: float) -> tuple[Holder, ...]:
    """Who holds what runs. `now` is the clock of leases."""
    c = executions.c
    late = func.count().filter(c.lease_expires_at <= now)
    wanted = select(c.lease_owner, func.count(), late).where(c.status == "RUNNING").group_by(c.lease_owner)
    return tuple(Holder(*row) for row in con.execute(wanted.order_by(c.lease_owner)))


def is_used(con: Connection) -> bool:
    """Whether somebody has made jobs or keys here."""
    return any(con.scalar(select(table.c.account_id).limit(1)) is not None for table in (jobs, access_keys))
