"""A process that publishes, and kills itself before the n-th thing that it does to the file system (`scenario`).

python -m tests.support.publish_child ROOT generations N    N generations of `out`, one after another
python -m tests.support.publish_child ROOT hold PREFIX      claims PREFIX, says so, and stays until it is killed
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from headrace.plan.ops import WriteMode
from headrace.stores.files import FolderStore
from headrace.stores.publish import publication
from tests.support.publishing import BUCKET, place, publish

FILES = 3
SCENARIOS: dict[str, list[tuple[str, WriteMode]]] = {
    "overwrite": [("out", "OVERWRITE")],
    "merge": [("out", "MERGE")],
    "append": [("out", "APPEND")],
    "first": [("a/new/place", "OVERWRITE")],
    "two": [("left/a", "OVERWRITE"), ("right", "APPEND")],
}
_CHANGES = ("rename", "replace", "unlink", "rmdir", "mkdir", "fsync", "ftruncate")


def new_rows(target: int) -> list[str]:
    return [f"new {target} {number}" for number in range(FILES)]


def _die_before(moment: int) -> Callable[[], None]:
    """Kill this process when the n-th change is about to be made; gives what counts one more change."""
    counter = count(1)

    def one_more() -> None:
        if next(counter) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(change: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*args: object, **kwargs: object) -> object:
            one_more()
            return change(*args, **kwargs)

        return wrapped

    for name in _CHANGES:
        setattr(os, name, counted(getattr(os, name)))
    return one_more


def scenario(root: str, name: str, moment: int) -> None:
    store = FolderStore(root)
    one_more = _die_before(moment)
    writes = [(place(prefix), mode) for prefix, mode in SCENARIOS[name]]
    with publication(store, writes, run="first", attempt=1, wait=0) as started:
        for target in range(len(writes)):
            directory = Path(started.stage(target).directory)
            for number, row in enumerate(new_rows(target)):
                one_more()
                (directory / f"data_{number}.csv").write_text(row + "\n")
        started.commit()


def generations(root: str, number: int) -> None:
    """Each generation says in each of its files which one it is and how many files it has; that number changes."""
    store = FolderStore(root)
    for generation in range(1, number + 1):
        size = 1 + generation % 4
        publish(store, "out", "OVERWRITE", [f"{generation} {size}\n"] * size, run=f"run{generation}")


def hold(root: str, prefix: str) -> None:
    with FolderStore(root).claim([(BUCKET, prefix)], run="holder", wait=0):
        print("held", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _, where, what, detail = sys.argv
    if what == "hold":
        hold(where, detail)
    else:
        generations(where, int(detail))
