"""The real command as a process, over a folder of buckets of the test's own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.jobs import Json, job

OLD = b"id,name\n0,old\n"
COMMAND = (sys.executable, "-m", "headrace")


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that says why it failed."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        return lines[0].removeprefix("error: ")

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Place:
    """A data folder with the bucket `lake`, which has rows in `in` and old rows in `out`."""

    root: Path

    @classmethod
    def made(cls, root: Path) -> "Place":
        """A new one."""
        found = cls(root)
        found.put("in/a.csv", "id,name\n1,a\n2,b\n")
        found.put("out/old.csv", OLD)
        return found

    @property
    def lake(self) -> Path:
        """The bucket's folder."""
        return self.root / "buckets" / "lake"

    def put(self, key: str, content: str | bytes) -> Path:
        """Store an object."""
        path = self.lake / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def job(self, *nodes: Json, **more: Any) -> str:
        """The name of a file with this job."""
        path = self.root / "job.json"
        path.write_text(json.dumps(job(*nodes, **more)))
        return str(path)

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Nothing of the caller's but where programs are."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.root), "HEADRACE_DATA": str(self.root), **more}

    def start(self, *arguments: str, prefix: Sequence[str] = (), **more: str) -> "subprocess.Popen[str]":
        """The command, begun."""
        return subprocess.Popen(
            [*prefix, *COMMAND, *arguments],
            cwd=self.root,
            env=self.environment(more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments: str, prefix: Sequence[str] = (), given: str = "", **more: str) -> Done:
        """The command, done."""
        done = subprocess.run(
            [*prefix, *COMMAND, *arguments],
            cwd=self.root,
            env=self.environment(more),
            input=given,
            capture_output=True,
            text=True,
            timeout=100,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def left(self, prefix: str = "out") -> dict[str, bytes]:
        """All files of a prefix, ours too, with their bytes."""
        folder = self.lake / prefix
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

    def stands(self) -> bool:
        """Whether the old output is as it was, with nothing beside it, and nothing is spilled."""
        names = sorted(path.name for path in (self.lake / "out").rglob("*"))
        spilled = list((self.root / "tmp").glob("*"))
        return (names, self.left(), spilled) == (["old.csv"], {"old.csv": OLD}, [])

    def staged(self) -> int:
        """The bytes that a run has staged for `out` so far; -1 before it has begun to write."""
        return max((_size(path) for path in self.lake.glob("out/_headrace/*/*")), default=-1)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def wait_until(condition: Callable[[], bool], *, process: "subprocess.Popen[str] | None" = None) -> bool:
    """Wait for a condition, at most a minute. False when the process ended before."""
    for _ in range(60_000):
        if condition():
            return True
        if process is not None and process.poll() is not None:
            return False
        time.sleep(0.001)
    raise AssertionError("the condition never came")
