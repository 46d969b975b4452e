"""Servers and workers as processes that may be killed, stopped and woken; each carries a mark by which it is found."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Lock

from headrace.ids import new_id
from tests.support.off import OFF, PROGRAM
from tests.support.waiting import until

MARK = "CHAOS_MARK"


def marked(mark: str) -> list[int]:
    """The living processes that carry this mark, with all that they have started."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found


@dataclass
class Herd:
    """Processes of one kind of command; one that has ended is begun again when somebody looks.

    With `off`, the clock of each that begins is off by what it gives, in seconds.
    """

    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    folder: Path
    size: int
    off: Callable[[], float] | None
    mark: str = field(default_factory=new_id)
    began: int = 0
    _members: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _stopped: list[int] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def tend(self) -> None:
        """Begin what is missing."""
        with self._lock:
            self._members = [each for each in self._members if each.poll() is None]
            while len(self._members) < self.size:
                self._members.append(self._begin())

    def kill(self, chance: Random) -> str:
        """Kill one of them, or one of their children."""
        return self._signal(chance, signal.SIGKILL)

    def stop(self, chance: Random) -> str:
        """Let one of them, or one of their children, stand still until `wake`."""
        return self._signal(chance, signal.SIGSTOP)

    def wake(self) -> None:
        """Let all go on."""
        with self._lock:
            for pid in self._stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            self._stopped.clear()

    def end(self) -> list[int]:
        """End them as a service manager does; gives their exit codes."""
        self.wake()
        with self._lock:
            for each in self._members:
                each.send_signal(signal.SIGTERM)
            codes = [each.wait(timeout=60) for each in self._members]
            self._members.clear()
        return codes

    def said(self) -> str:
        """What they printed."""
        return (self.folder / f"{self.mark}.log").read_text(errors="replace")

    def _signal(self, chance: Random, number: signal.Signals) -> str:
        with self._lock:
            parents = {each.pid for each in self._members if each.poll() is None}
            children = set(marked(self.mark)) - parents
            pids = sorted(children if children and chance.random() < 0.5 else parents)
            if not pids:
                return "nobody there"
            pid = chance.choice(pids)
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            if number == signal.SIGSTOP:
                self._stopped.append(pid)
            return f"{number.name} to a {'parent' if pid in parents else 'child'}"

    def _begin(self) -> "subprocess.Popen[bytes]":
        self.began += 1
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.variables, MARK: self.mark}
        program = ["-m", "headrace"]
        if self.off is not None:
            program = ["-P", str(PROGRAM)]
            environment[OFF] = f"{self.off():.3f}"
        with (self.folder / f"{self.mark}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *program, *self.arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


@contextmanager
def herd(folder: Path, *arguments: str, size: int, off: Callable[[], float] | None, **variables: str) -> Iterator[Herd]:
    """So many processes; none of them, and nothing that they have started, outlives the context."""
    made = Herd(arguments, variables, folder, size, off)
    made.tend()
    try:
        yield made
    finally:
        made.size = 0
        for pid in marked(made.mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for each in made._members:
            each.wait(timeout=30)
        until(lambda: not marked(made.mark))
