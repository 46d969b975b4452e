"""The process that runs jobs for a worker, one after another: `python -m headrace.execution.child`.

It is started ahead of work with the engine loaded. Lines come in by standard input and go out by what was standard
output; anything that prints goes to standard error. It never outlives its worker: the kernel kills it when the worker
dies, it ends when its input does, and an alarm of the kernel ends it when no beat comes before the lease is over.
"""

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from types import FrameType, ModuleType
from typing import Any, NoReturn, cast

from headrace import definition, nodes
from headrace.clock import Clock, SystemClock
from headrace.engines.base import Progress
from headrace.engines.duckdb import DuckDbEngine, Spare, text
from headrace.errors import (
    Cancelled,
    JobInvalid,
    LeaseLost,
    OutOfMemory,
    RunFailed,
    StoreDenied,
    TimedOut,
    WorkerStopped,
)
from headrace.execution import lines, logs
from headrace.execution.places import prepared
from headrace.execution.report import Failure, Report
from headrace.execution.runner import Run, Task
from headrace.graph import Plan
from headrace.plan.ops import Sql, in_order
from headrace.settings import Settings, current_settings
from headrace.stores.grants import Grants, ungranted

_PR_SET_PDEATHSIG = 1
_EVERY = 0.25
_AT_ONCE = 1e-6  # 0 would be never
_OBJECTS = 50_000
_FIRST_TO_GO = "500"
_CAUSES: dict[lines.StopCode, type[RunFailed]] = {
    "cancelled": Cancelled,
    "timed-out": TimedOut,
    "out-of-memory": OutOfMemory,
    "worker-stopped": WorkerStopped,
    "lease-lost": LeaseLost,
}


class Child:
    """Takes orders and runs them, each with an engine and a store of its own."""

    def __init__(self, out: int, settings: Settings, clock: Clock) -> None:
        self._out = out
        self._settings = settings
        self._clock = clock
        self._orders: SimpleQueue[lines.Order] = SimpleQueue()
        self._answers: SimpleQueue[bool] = SimpleQueue()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._cause: RunFailed | None = None
        self._busy = False
        self._spare = Spare()

    def hear(self, said: bytes) -> None:
        """Take one line of the worker's."""
        line = lines.to_child(said)
        match line:
            case lines.Order():
                with self._lock:
                    self._busy, self._cause = True, None
                    self._live_until(line.until)
                self._orders.put(line)
            case lines.Beat():
                with self._lock:
                    if self._busy:
                        self._live_until(line.until)
            case lines.Stop():
                self._cause = self._cause or _CAUSES[line.code](line.message)
            case lines.Answer():
                self._answers.put(line.granted)

    def _live_until(self, moment: float) -> None:
        """Let the kernel end this process then; it needs no turn of ours for that."""
        signal.setitimer(signal.ITIMER_REAL, max(moment - self._clock.seconds(), _AT_ONCE))

    def serve(self) -> NoReturn:
        """Run what is ordered, for ever."""
        self._spare.fill()
        # What is there by now stays for ever: a collection after each run need not look at it.
        gc.collect()
        gc.freeze()
        self._tell(lines.Ready())
        while True:
            done = self._done(self._orders.get())
            with self._lock:
                # Without work there is no lease: the worker's end is heard by other means.
                self._busy = False
                signal.setitimer(signal.ITIMER_REAL, 0)
            self._tell(done)
            gc.collect()
            if done.light:
                self._spare.fill()

    def _done(self, order: lines.Order) -> lines.Done:
        started = self._clock.now()
        try:
            return self._run(order)
        except JobInvalid as error:
            failure = Failure(error.code, str(error), "", None, "")
        except RunFailed as error:
            failure = Failure.of(error)
        except Exception as error:  # noqa: BLE001 - a fault of ours: the run has to end, and to say so
            sys.excepthook(type(error), error, error.__traceback__)
            message = f"a fault in Headrace: {type(error).__name__}"
            failure = Failure("internal", message, "the log of the server has more", None, "")
        report = Report(order.execution_id, order.job, "FAILED", DuckDbEngine.name, started, 0.0, 0, failure=failure)
        self._log(*logs.ended(report))
        return lines.Done(report.as_dict(), light=False)

    def _run(self, order: lines.Order) -> lines.Done:
        self._log(f"attempt {order.attempt} of {order.job}")
        job = definition.load(order.definition)
        warnings = tuple(str(warning) for warning in job.checked(order.parameters)[1])
        plan = job.plan(order.parameters)
        _refuse_ungranted(plan, order.grants)
        task = Task(
            execution_id=order.execution_id,
            job=order.job,
            plan=plan,
            attempt=order.attempt,
            wait=self._settings["writer_wait"],
            warnings=warnings,
            may_have_published=order.may_have_published,
        )
        self._tell(lines.Script(DuckDbEngine.name, text.shown(task.plan.pruned)))
        self._log(*(f"warning: {warning}" for warning in warnings))
        ready = prepared(
            task,
            settings=self._settings,
            nrn=order.nrn,
            may_commit=self._ask,
            threads=order.threads or None,
            spare=self._spare,
        )
        with ready as run, self._watched(run):
            report = run.execute()
        self._log(*logs.ended(report))
        light = report.status == "COMPLETED" and not any(isinstance(op, Sql) for op in in_order(task.plan.sinks))
        return lines.Done(report.as_dict(), light=light)

    def _ask(self) -> None:
        self._tell(lines.CommitAsked())
        if not self._answers.get():
            raise self._cause or LeaseLost("the worker no longer holds this run")

    @contextmanager
    def _watched(self, run: Run) -> Iterator[None]:
        """Tell how far the run is, and hand it what would stop it, until it has ended."""
        ended = threading.Event()

        def watch() -> None:
            told: Progress | None = None
            while not ended.wait(_EVERY):
                if self._cause is not None:
                    # Again and again: between two statements the engine does not hear it.
                    run.cancel(self._cause)
                elif (now := run.progress()) != told:
                    told = now
                    self._tell(now)

        watcher = threading.Thread(target=watch, name="watch", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def _log(self, *told: str) -> None:
        for each in told:
            self._tell(lines.Log(logs.line(self._clock.now(), each)))

    def _tell(self, line: lines.FromChild) -> None:
        left = memoryview(lines.encode(line))
        with self._writing:
            while left:
                left = left[os.write(self._out, left) :]


def _refuse_ungranted(plan: Plan, grants: Mapping[str, Any] | None) -> None:
    """Whatever let the run into the queue: it touches no more than the key that asked for it may."""
    refused = () if grants is None else ungranted(plan.by_node.values(), Grants.of(grants))
    for problem in refused[:1]:
        node_id = problem.node_id if isinstance(problem.node_id, int) else None
        raise StoreDenied(problem.message, hint=problem.hint, node_id=node_id, node=problem.node)


def main() -> None:
    """Be a child."""
    gc.set_threshold(_OBJECTS)
    _die_with(int(os.environ[lines.PARENT]))
    # When the machine's memory ends, the kernel is to take this process and not the server.
    Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    # The worker says by a line why a run is to end; the signal is for what the run itself has started.
    signal.signal(signal.SIGTERM, _nothing)
    # The engine looks for pandas again and again where it is not, and would load it where it is.
    sys.modules.setdefault("pandas", cast(ModuleType, None))
    out = os.dup(1)
    os.dup2(2, 1)
    nodes.registry()
    child = Child(out, current_settings({}), SystemClock())
    threading.Thread(target=_listen, args=(child,), name="listen", daemon=True).start()
    with suppress(BrokenPipeError):
        child.serve()
    _end()


def _listen(child: Child) -> None:
    try:
        for said in iter(sys.stdin.buffer.readline, b""):
            child.hear(said)
    finally:
        _end()


def _end() -> NoReturn:
    """End at once, with all that this process has started."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when the worker dies, and end when that has happened already."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _nothing(number: int, frame: FrameType | None) -> None:
    del number, frame


if __name__ == "__main__":
    main()
