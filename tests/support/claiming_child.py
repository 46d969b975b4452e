"""A worker that claims one execution, says so, and stands still: `python -m tests.support.claiming_child URL LEASE`."""

import os
import sys
import time

from headrace.db import Database
from headrace.execution import queue


def main(url: str, lease: float) -> None:
    """Claim, tell the token, and never finish."""
    database = Database.open(url)
    with database.transaction() as con:
        now = database.now(con)
        (claimed,) = queue.claim(con, worker=f"pid {os.getpid()}", lease_seconds=lease, now=now)
        queue.note_child(con, claimed.lease_token, pid=os.getpid(), now=now)
    print(claimed.lease_token, flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
