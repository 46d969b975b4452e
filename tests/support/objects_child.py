"""Publications to object storage by a process that kills itself before the n-th request, or the n-th of a kind."""

import os
import signal
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from headrace.plan.ops import Place, UpdateType
from headrace.stores.objects import ObjectStore, client
from headrace.stores.objects.client import Sizes
from headrace.stores.publish import publication
from tests.support.seaweed import Seaweed

BUCKET = "kill"
MIB = 1 << 20
PARTS = Sizes(upload_whole=5 * MIB, upload_part=5 * MIB, copy_whole=5 * MIB, copy_part=5 * MIB)
COPIED = replace(PARTS, upload_whole=32 * MIB, upload_part=32 * MIB)
SCENARIOS: dict[str, list[tuple[str, UpdateType]]] = {
    "overwrite": [("out", "OVERWRITE")],
    "append": [("out", "APPEND")],
    "first": [("a/new/place", "OVERWRITE")],
    "two": [("left/a", "OVERWRITE"), ("right", "APPEND")],
    "parts": [("out", "OVERWRITE")],
    "copies": [("out", "OVERWRITE")],
    "several": [("left/a", "OVERWRITE"), ("right", "APPEND")],
}


def rows_of(name: str, target: int) -> list[str]:
    """The rows that a scenario writes to a target, one for each file; those that are long make a file of parts."""
    if name in ("parts", "copies"):
        return ["new", "x" * (6 * MIB)]
    if name == "several":
        return [sign * (6 * MIB) for sign in f"{target}x"]
    return [f"new {target} {number}" for number in range(3)]


def publish(server: Seaweed, name: str, scratch: str, *, run: str, rows: list[str] | None = None) -> None:
    """A publication to all targets of a scenario; with `rows` an APPEND of those."""
    store = ObjectStore(lambda bucket: server.access(), scratch=scratch, sizes=COPIED if name == "copies" else PARTS)
    targets = SCENARIOS[name]
    writes = [(Place(BUCKET, prefix), mode if rows is None else "APPEND") for prefix, mode in targets]
    with publication(store, writes, run=run, attempt=1, wait=0) as started:
        for target in range(len(targets)):
            directory = Path(started.stage(target).directory)
            for number, row in enumerate(rows_of(name, target) if rows is None else rows):
                (directory / f"data_{number}.csv").write_text(row + "\n")
        started.commit()


def killed(server: Seaweed, name: str, scratch: str, moment: int, kind: str = "") -> None:
    """Publish, but die before the n-th request, or the n-th of one kind; 0 never dies."""
    sent = count(1)
    made = client._made

    def counted(*arguments: Any) -> Any:
        found = made(*arguments)
        found.meta.events.register(f"before-send.s3{kind}", _one_more)
        return found

    def _one_more(**_: object) -> None:
        if next(sent) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    vars(client)["_made"] = counted
    publish(server, name, scratch, run="first")
