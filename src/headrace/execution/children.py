"""The worker's side of its children: processes in sessions of their own, started ahead of work."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from headrace.execution import memory
from headrace.execution.lines import PARENT, FromChild, Order, Ready, ToChild, encode, from_child
from headrace.execution.machine import available_memory, run_memory
from headrace.settings import Settings

RUNS = 500
GROWN = 512 * 1024 * 1024
_SHARE_OF_A_RUN = 0.5
_IDLE = 30.0
_AGAIN = 1.0
_SHARE_OF_MEMORY = 0.6
# What a run has no use for does not go where its code could find it.
_SECRETS = ("secret_key", "first_secret_key", "database", "access_secret", "metrics_token")
_KEPT_BACK = (*_SECRETS, *(f"{name}_file" for name in _SECRETS))


@dataclass(frozen=True, slots=True)
class Gone:
    """The child has ended, and all that it had started with it: an exit code, or a signal's number below 0."""

    code: int


Listener = Callable[[FromChild | Gone], None]


def environment(settings: Settings, *, workers: int) -> dict[str, str]:
    """The variables of a child: the settings that came by flags, and its share of the memory."""
    flags = {r.setting.variable: r.shown for r in settings.resolved if r.origin.startswith("flag ")}
    if not settings["memory_limit"]:
        flags["HEADRACE_MEMORY_LIMIT"] = f"{int(available_memory() * _SHARE_OF_MEMORY / workers) // 1024}KB"
    hidden = {f"HEADRACE_{name.upper()}" for name in _KEPT_BACK}
    kept = {name: value for name, value in {**os.environ, **flags}.items() if name not in hidden}
    return {**kept, PARENT: str(os.getpid())}


def grown(settings: Settings) -> int:
    """Bytes: a child that has more of them after a run gives them back by ending.

    What is left of one run counts for the next one, which may have `run_memory_limit` in all.
    """
    return min(GROWN, int(run_memory(settings) * _SHARE_OF_A_RUN))


class Process:
    """One child. The thread that makes it must outlive it: the kernel ends the child with that thread."""

    def __init__(self, variables: Mapping[str, str], listener: Listener) -> None:
        self.runs = 0
        self._listener = listener
        self._lock = threading.Lock()
        self._gone: Gone | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "headrace.execution.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(variables),
            start_new_session=True,
        )
        self.pid = self._process.pid
        threading.Thread(target=self._read, name=f"child {self.pid}", daemon=True).start()
        threading.Thread(target=self._end_group, name=f"end of {self.pid}", daemon=True).start()

    def listen(self, listener: Listener) -> None:
        """From now on tell this one; a child that has ended is told at once."""
        with self._lock:
            self._listener, gone = listener, self._gone
        if gone is not None:
            listener(gone)

    def tell(self, line: ToChild) -> None:
        """Say a line. To a child that has ended nothing can be said: its listener hears of that."""
        self.runs += isinstance(line, Order)
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(encode(line))
            self._process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child and to all that it has started."""
        with self._lock:
            if self._gone is None:
                with suppress(ProcessLookupError):
                    os.killpg(self.pid, number)

    def _end_group(self) -> None:
        """End what the child had started: that may hold its output open, which would then never come to an end."""
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        # Not yet reaped, the child still holds its number: the signal can meet nobody else.
        self.signal(signal.SIGKILL)

    def _read(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        for text in iter(self._process.stdout.readline, b""):
            self._listener(from_child(text))
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self.signal(signal.SIGKILL)
        with self._lock:
            gone = self._gone = Gone(self._process.wait())
            listener = self._listener
        self._process.stdout.close()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        listener(gone)


class Nursery(threading.Thread):
    """Keeps a child ready, up to one for each slot when there is work for them; ends those that nobody needs.

    One that has more than `most` bytes of memory after a run is ended too, and another one takes its place.
    """

    def __init__(self, variables: Mapping[str, str], *, workers: int, most: int = GROWN) -> None:
        super().__init__(name="nursery", daemon=True)
        self._variables = variables
        self._workers = workers
        self._most = most
        self._changed = threading.Condition()
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._waiting = 0
        self._failed = False
        self._closed = False

    def run(self) -> None:
        """Start children until the end; then wait until all of them are gone."""
        with self._changed:
            while not self._closed:
                if len(self._all) < self._wanted():
                    self._start()
                elif not self._changed.wait(_IDLE) and len(self._idle) > 1:
                    self._idle.pop(0).signal(signal.SIGKILL)
                if self._failed:
                    self._changed.wait(_AGAIN)
                    self._failed = False
            for process in self._all:
                process.signal(signal.SIGKILL)
            while self._all:
                self._changed.wait()

    def take(self, *, patience: float) -> Process | None:
        """A child that is ready; None when there is none after so many seconds."""
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            found = self._changed.wait_for(lambda: bool(self._idle), timeout=patience)
            self._waiting -= 1
            if not found:
                return None
            # The one that ran last: its memory is still at hand, and the others may grow old.
            process = self._idle.pop()
            self._changed.notify_all()
            return process

    def give_back(self, process: Process, *, reuse: bool) -> None:
        """The run of this child is over; one that is not to be used again is ended."""
        process.listen(lambda line: self._heard(process, line))
        if not reuse or process.runs >= RUNS or memory.resident(process.pid) > self._most:
            process.signal(signal.SIGKILL)
            return
        with self._changed:
            if process in self._all:
                self._idle.append(process)
                self._changed.notify_all()

    def close(self) -> None:
        """End all children, and wait for that."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.join()

    def _wanted(self) -> int:
        busy = len(self._all) - len(self._idle)
        return min(self._workers, busy + max(1, self._waiting))

    def _start(self) -> None:
        made: list[Process] = []

        def heard(line: FromChild | Gone) -> None:
            # The listener needs the process, which is made with it: what is said before waits for the lock.
            with self._changed:
                self._heard(made[0], line)

        made.append(Process(self._variables, heard))
        self._all.add(made[0])

    def _heard(self, process: Process, line: FromChild | Gone) -> None:
        with self._changed:
            match line:
                case Ready():
                    self._idle.append(process)
                case Gone():
                    self._failed = self._failed or not process.runs
                    self._all.discard(process)
                    if process in self._idle:
                        self._idle.remove(process)
                case _:
                    pass
            self._changed.notify_all()
