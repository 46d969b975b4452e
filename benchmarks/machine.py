"""What a result was measured on. Neither the name of the host nor a path of it is told."""

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def description() -> dict[str, str | int | float]:
    """The machine, as far as it bears on a figure."""
    return {
        "cpu": _first("/proc/cpuinfo", "model name").split(":", 1)[-1].strip() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int((_first("/proc/meminfo", "MemTotal") or "_ 0").split()[1]) / 1e6, 1),
        "kernel": platform.release().split("-")[0],
    }


def versions(*names: str) -> dict[str, str]:
    """The installed versions of Python and of these packages."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def today() -> str:
    """The day of a measurement, in UTC."""
    return datetime.now(UTC).date().isoformat()


def _first(file: str, start: str) -> str:
    return next((line for line in Path(file).read_text().splitlines() if line.startswith(start)), "")
