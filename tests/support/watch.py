"""Looks at all executions again and again, and writes down what must never be seen."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from headrace.db import Database
from headrace.db.tables import attempts, executions, jobs, outbox
from headrace.errors import DatabaseFailed
from headrace.execution import queue
from tests.support.work import ENDED

_EVERY = 0.02
_TERMINAL = ("status", "attempt", "ended_at", "failure", "report", "losses", "errors")


class Watch(threading.Thread):
    """What it saw wrong stands in `wrong`; a database that is away is asked again."""

    def __init__(self, database: Database) -> None:
        super().__init__(name="watch", daemon=True)
        self.wrong: list[str] = []
        self.looks = 0
        self.left: dict[str, str] = {}
        self._database = database
        self.ended: dict[str, tuple[object, ...]] = {}
        self._attempts: dict[str, int] = {}
        self._leases: dict[tuple[str, int], float] = {}
        self._over = threading.Event()

    def run(self) -> None:
        """Look until it is told to stop."""
        while not self._over.wait(_EVERY):
            try:
                self.look()
            except DatabaseFailed:
                continue

    def look(self) -> None:
        """Look once."""
        c = executions.c
        of_job = select(executions, jobs.c.max_concurrent_runs).join(jobs, jobs.c.job_id == c.job_id)
        with self._database.reading() as con:
            rows = [dict(row) for row in con.execute(of_job).mappings()]
        self.looks += 1
        self.left = {row["execution_id"]: row["status"] for row in rows if row["status"] not in ENDED}
        running = Counter(row["job_id"] for row in rows if row["status"] == "RUNNING")
        for row in rows:
            self._see(row)
            if running[row["job_id"]] > row["max_concurrent_runs"]:
                self.wrong.append(f"job {row['job_id']} has {running[row['job_id']]} runs at once")

    def last(self) -> None:
        """Look at what is left when everything is over."""
        self.look()
        with self._database.reading() as con:
            in_order = select(attempts).order_by(attempts.c.execution_id, attempts.c.number)
            tries = [dict(row) for row in con.execute(in_order).mappings()]
            events = con.scalars(select(outbox.c.payload).where(outbox.c.consumer.in_(queue.CONSUMERS)))
            told = Counter(row["executionId"] for row in events if "executionId" in row)
        self.wrong += [f"{each} was told {told[each]} times" for each in self.ended if told[each] != 1]
        for before, each in zip([None, *tries], tries, strict=False):
            self._try(each, before if before and before["execution_id"] == each["execution_id"] else None)
        done = Counter(each["execution_id"] for each in tries if each["outcome"] == "COMPLETED")
        self.wrong += [f"{each} completed {count} times" for each, count in done.items() if count > 1]

    def _see(self, row: Mapping[str, Any]) -> None:
        id_, attempt = row["execution_id"], row["attempt"]
        if row["status"] in ENDED:
            now = tuple(str(row[name]) for name in _TERMINAL)
            if self.ended.setdefault(id_, now) != now:
                self.wrong.append(f"{id_} had ended as {self.ended[id_]}, and is {now}")
        elif id_ in self.ended:
            self.wrong.append(f"{id_} had ended as {self.ended[id_]}, and is {row['status']}")
        if attempt < self._attempts.get(id_, 0):
            self.wrong.append(f"{id_} went back to attempt {attempt}")
        self._attempts[id_] = attempt
        if row["lease_expires_at"] is not None:
            self._leases[id_, attempt] = max(row["lease_expires_at"], self._leases.get((id_, attempt), 0.0))

    def _try(self, each: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
        id_, number = each["execution_id"], each["number"]
        if each["ended_at"] is None:
            self.wrong.append(f"attempt {number} of {id_} has no end")
        if before is not None and (before["ended_at"] or 0.0) > each["started_at"]:
            self.wrong.append(f"attempt {number} of {id_} began before the one before it had ended")
        taken = each["outcome"] == "LOST" and each["failure"]["code"] == "worker-lost"
        if taken and each["ended_at"] < self._leases.get((id_, number), 0.0):
            self.wrong.append(f"attempt {number} of {id_} was taken away before its lease had ended")

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Let it look for as long as the context lasts."""
    watch.start()
    try:
        yield
    finally:
        watch.stop()
