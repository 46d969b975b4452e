"""The command `headrace` where the clock of the machine is off by so many seconds as a variable says.

It is run as a file, so that nothing of the tests need be on the path of those who run it. The clock of a database
server is its own, and stays right.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from headrace import clock

OFF = "CHAOS_CLOCK_OFF"
PROGRAM = Path(__file__)


class OffClock(clock.SystemClock):
    """The machine's clock, put forward or back."""

    def now(self) -> datetime:
        """What such a clock shows."""
        return super().now() + timedelta(seconds=float(os.environ[OFF]))


if __name__ == "__main__":
    # Before anything else takes the clock from there.
    clock.SystemClock = OffClock  # type: ignore[misc]

    from headrace.cli import main

    main()
