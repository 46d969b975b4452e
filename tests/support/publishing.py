"""A folder store filled by hand, read as a reader and as a stranger, and written as an engine would."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from headrace.plan.ops import Place, UpdateType
from headrace.stores.base import Snapshot, Store, StoredObject
from headrace.stores.publish import Published, publication, snapshot

BUCKET = "lake"


def place(prefix: str, *, bucket: str = BUCKET) -> Place:
    return Place(bucket, prefix)


def put(root: Path, key: str, text: str, *, bucket: str = BUCKET) -> Path:
    path = root / bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def content(found: Snapshot) -> list[str]:
    """The rows of all objects of a snapshot, read where they lie now."""
    return sorted(row for each in found.objects for row in _text(each).splitlines())


def _text(found: StoredObject) -> str:
    if found.origin is None:
        return Path(found.location).read_text()
    with found.origin.open(found) as file:
        return file.read().decode()


def rows(store: Store, prefix: str) -> list[str]:
    return content(snapshot(store, place(prefix)))


def keys(store: Store, prefix: str) -> list[str]:
    return [each.key for each in snapshot(store, place(prefix)).objects]


def plain_rows(root: Path, prefix: str) -> list[str]:
    """What somebody sees who lists the folder and knows nothing but that `_` and `.` begin no data."""
    found = []
    for folder, inner, names in os.walk(root / BUCKET / prefix):
        inner[:] = [name for name in inner if not name.startswith(("_", "."))]
        found += [Path(folder, name) for name in names if not name.startswith(("_", "."))]
    return sorted(row for path in found for row in path.read_text().splitlines())


def ours(root: Path) -> list[Path]:
    """All that is left of publications."""
    return sorted((root / BUCKET).rglob("_headrace*"))


def publish(
    store: Store, prefix: str, mode: UpdateType, texts: Sequence[str], *, run: str, attempt: int = 1
) -> Published:
    """Publish one file for each text."""
    named = {f"data_{number}.csv": text for number, text in enumerate(texts)}
    (published,) = publish_all(store, {prefix: mode}, [named], run=run, attempt=attempt)
    return published


def publish_all(
    store: Store, writes: Mapping[str, UpdateType], files: Sequence[Mapping[str, str]], *, run: str, attempt: int = 1
) -> tuple[Published, ...]:
    """Publish to each prefix the files that are named for it."""
    targets = [(place(prefix), mode) for prefix, mode in writes.items()]
    with publication(store, targets, run=run, attempt=attempt, wait=0) as started:
        for number, named in enumerate(files):
            for name, text in named.items():
                Path(started.stage(number).directory, name).write_text(text)
            started.stage(number)
        return started.commit()
