"""`headrace run`: one run in this process, with its progress shown and stopped by Ctrl-C."""

import signal
import sys
import threading
import time
from collections.abc import Mapping
from types import FrameType

from headrace.definition import Definition
from headrace.engines.base import Progress
from headrace.errors import Cancelled, TimedOut
from headrace.execution.places import prepared
from headrace.execution.report import Report
from headrace.execution.runner import Run, Task
from headrace.ids import new_id
from headrace.settings import Settings

DONE, FAILED, WRONG, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
_SERVER_MAXIMUM = 1440
_EVERY = 0.1
_LINE_EVERY = 5.0
_BAR_AFTER = 0.4


def run(definition: Definition, parameters: Mapping[str, str], settings: Settings) -> tuple[Report, int]:
    """Run the job here. Gives the report and the exit code. Raises JobInvalid, or RunFailed before a run began."""
    task = Task(
        execution_id=new_id(),
        job=definition.body.name,
        plan=definition.plan(parameters),
        wait=settings["writer_wait"],
        warnings=tuple(str(warning) for warning in definition.checked(parameters)[1]),
    )
    with prepared(task, settings=settings, nrn=definition.body.job_condition.nrn) as prepared_run:
        work = _Work(prepared_run)
        minutes = definition.body.job_condition.timeout or _SERVER_MAXIMUM
        stopped_by = _watched(work, minutes * 60)
    report = work.result()
    if report.status == "COMPLETED":
        return report, DONE
    if stopped_by:
        return report, INTERRUPTED if stopped_by == signal.SIGINT else TERMINATED
    return report, FAILED


class _Work(threading.Thread):
    """The run, in a thread of its own: the main thread hears the signals."""

    def __init__(self, task: Run) -> None:
        super().__init__(name="run", daemon=True)
        self.task = task
        self._report: Report | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Execute, and keep what came of it."""
        try:
            self._report = self.task.execute()
        except BaseException as error:  # noqa: BLE001 - handed to the main thread as it is
            self._error = error

    def result(self) -> Report:
        """The report. Raises what the run raised."""
        if self._error is not None:
            raise self._error
        assert self._report is not None
        return self._report


def _watched(work: _Work, seconds: float) -> int:
    """Start the work and wait for its end, showing progress. Gives the signal that stopped it, or 0."""
    stopped: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        stopped.append(number)
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    shown = _Bar() if sys.stderr.isatty() else _Lines()
    deadline = time.monotonic() + seconds
    try:
        work.start()
        while work.is_alive():
            work.join(_EVERY)
            shown.show(work.task.progress())
            if stopped:
                # Again and again: between two statements the engine does not hear it.
                work.task.cancel(Cancelled(f"stopped by {signal.Signals(stopped[0]).name}"))
            elif time.monotonic() > deadline:
                work.task.cancel(TimedOut(f"took longer than {seconds / 60:.0f} minutes", hint="raise timeout"))
    finally:
        shown.close()
        for number, handler in before.items():
            signal.signal(number, handler)
    return stopped[0] if stopped else 0


class _Lines:
    """Progress for a log: a line every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, now: Progress) -> None:
        """Say where the run is, unless that was said a moment ago."""
        if time.monotonic() - self._last >= _LINE_EVERY:
            self._last = time.monotonic()
            print(f"{now.at}: {now.told}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing is left to do."""


class _Bar:
    """Progress for a terminal: a bar, for runs that take long enough to see one."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._bar: object | None = None

    def show(self, now: Progress) -> None:
        """Draw the bar."""
        if time.monotonic() - self._since < _BAR_AFTER:
            return
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        if self._bar is None:
            from rich.console import Console

            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
            self._bar = Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(now.at, total=1.0, told=now.told)
        assert isinstance(self._bar, Bar)
        self._bar.update(self._task, completed=now.part, description=now.at, told=now.told)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()  # type: ignore[attr-defined]  # a Progress, whose class is loaded only when one is shown


__all__ = ["DONE", "FAILED", "INTERRUPTED", "WRONG", "run"]
