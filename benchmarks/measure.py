"""Runs a command in a cold process and says what it took: the process and all that it starts."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_EVERY = 0.03
RISE = 1.01
_PAGE = os.sysconf("SC_PAGE_SIZE")


class CommandFailed(Exception):
    """The command did not end with 0; holds the end of what it said."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command took. Seconds and bytes; `pss` is 0 when it was not asked for.

    `pss` is the largest sum over the process tree that was seen, shared pages counted once. `rss` is the kernel's own
    peak of the largest single process; a process inherits the peak of the one that starts it, so never less than that.
    """

    wall: float
    cpu: float
    pss: int
    rss: int
    printed: str


def environment(changed: Mapping[str, str]) -> dict[str, str]:
    """What a process of a user has around it: Python keeps compiled code, as it does for whatever was installed."""
    return {name: value for name, value in {**os.environ, **changed}.items() if name != "PYTHONDONTWRITEBYTECODE"}


def taken(command: Sequence[str], *, env: Mapping[str, str], memory: bool) -> Taken:
    """Run a command to its end. `memory` samples the tree meanwhile, which costs it a little time."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        since = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment(env))
        sampler = Sampler(process.pid)
        if memory:
            sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - since
        process.returncode = os.waitstatus_to_exitcode(status)
        if memory:
            sampler.stop()
        if process.returncode:
            raise CommandFailed(f"{command[0]} ended with {process.returncode}: {_text(out)} {_text(err)}"[-3000:])
        return Taken(wall, usage.ru_utime + usage.ru_stime, sampler.most, usage.ru_maxrss * 1024, _text(out))


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]  # a temporary file has no public type
    return str(file.read().decode(errors="replace"))  # type: ignore[attr-defined]  # as above


class Sampler(threading.Thread):
    """Looks at a process tree every few hundredths of a second and keeps the most memory that it saw.

    Reading PSS walks the page tables, milliseconds for hundreds of megabytes, and would slow down what is measured. So
    RSS, which costs nothing, says when: only as it rises above all that was seen is PSS read.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._highest = 0
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._ended.wait(SAMPLE_EVERY):
            pids = tuple(tree(self._pid))
            resident = sum(map(rss, pids))
            if resident > self._highest * RISE:
                self._highest = resident
                self.most = max(self.most, sum(map(pss, pids)))

    def stop(self) -> None:
        """End, after the sample that is being taken."""
        self._ended.set()
        self.join()


def tree(pid: int) -> Iterator[int]:
    """A process and all that descend from it, as far as they still live."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(children).split():
            yield from tree(int(child))


def pss(pid: int) -> int:
    """A process's proportional share of memory in bytes; 0 when it has ended."""
    return rolled_up(_read(Path(f"/proc/{pid}/smaps_rollup")))


def rss(pid: int) -> int:
    """A process's resident memory in bytes; 0 when it has ended."""
    return int((_read(Path(f"/proc/{pid}/statm")) or "0 0").split()[1]) * _PAGE


def rolled_up(text: str) -> int:
    """The Pss of a smaps_rollup file, in bytes."""
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
