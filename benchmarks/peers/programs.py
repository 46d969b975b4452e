"""The programs of a peer: an environment of its own to have them in, and to run them as long as they are needed."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_START_SECONDS = 120.0


def environment(folder: Path, requirement: str) -> Path:
    """A new environment with what is required in it; its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", requirement], check=True, stderr=subprocess.DEVNULL)
    return python


@contextmanager
def running(words: list[str], variables: Mapping[str, str], log: Path) -> Iterator[None]:
    """A program and all that it starts, until the end of the context."""
    with log.open("wb") as out:
        process = subprocess.Popen(words, env=dict(variables), stdout=out, stderr=out, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until_answered(address: str) -> None:
    """Wait until a server answers there."""
    until = time.perf_counter() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            if time.perf_counter() > until:
                raise
            time.sleep(0.25)


def done(words: list[str], variables: Mapping[str, str], place: Path) -> str:
    """What a program that ends has printed."""
    return subprocess.run(words, env=dict(variables), cwd=place, check=True, capture_output=True, text=True).stdout
