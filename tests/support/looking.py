"""Looks at folders in which somebody else is at work."""

import os
from pathlib import Path


def files_under(folder: Path) -> list[Path]:
    """The files below a folder, in order. A folder that goes away meanwhile holds none, where `rglob` would fail."""
    return sorted(Path(at) / name for at, _, names in os.walk(folder) for name in names)
