"""The tutorial is run as it stands: its files are saved, its commands run, and they print what the page says."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.page import same, steps

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"


def test_every_command_of_the_tutorial_prints_what_the_page_says(tmp_path: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    shown = 0
    for step in steps(PAGE.read_text(encoding="utf-8")):
        if step.kind == "save":
            assert step.name, f"no file is named for {step.text[:60]}"
            (tmp_path / step.name).write_text(step.text, encoding="utf-8")
            continue
        done = subprocess.run(
            ["bash", "-c", step.text],
            cwd=tmp_path,
            env={"PATH": path, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        assert same(done.stdout) == same(step.shown or "")
        shown += step.shown is not None

    assert shown == 7
