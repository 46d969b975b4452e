"""The page for those who move is run as it stands, against a server."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.command import Place
from tests.support.page import same, steps
from tests.support.serving import served

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "move-from-naver.md"


def test_every_command_of_the_page_for_those_who_move_prints_what_it_says(tmp_path: Path) -> None:
    place = Place.made(tmp_path)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    shown = 0
    with served(place) as server:
        environment = {
            "PATH": path,
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "DATAFLOW_URL": server.url,
            "NCLOUD_ACCESS_KEY": server.access_key,
            "NCLOUD_SECRET_KEY": server.secret,
        }
        for step in steps(PAGE.read_text(encoding="utf-8")):
            if step.kind == "save":
                (tmp_path / step.name).write_text(step.text, encoding="utf-8")
                continue
            command = ["bash", "-c", step.text]
            done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
            assert (done.stderr, same(done.stdout)) == ("", same(step.shown or ""))
            shown += step.shown is not None
    assert shown == 4
    assert [file.read_text() for file in (place.lake / "copied").glob("*.csv")] == ["id,name\n1,a\n2,b\n"]
