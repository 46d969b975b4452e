"""The commit record: what a publication is about to do to one folder, written before it does it.

From the moment that the record lies in `_headrace/commit.json` the new generation is the folder's data, wherever its
files are by then. A record speaks only of its own folder: all names in it are relative to that, so that a folder that
was moved or copied as a whole can still be mended.
"""

import json
from dataclasses import asdict, dataclass
from typing import cast, get_args

from headrace.errors import StoreDenied, StoreError
from headrace.plan.ops import WriteMode
from headrace.stores.names import check_key, is_data

VERSION = 1


@dataclass(frozen=True, slots=True)
class Added:
    """A new file: its name in the folder, its size, and its name in the staging folder."""

    name: str
    size: int
    staged: str


@dataclass(frozen=True, slots=True)
class Record:
    """What one publication adds to, and removes from, its folder. `staging` is a name in `_headrace`."""

    run: str
    attempt: int
    mode: WriteMode
    staging: str
    add: tuple[Added, ...]
    remove: tuple[str, ...]


def dump(record: Record) -> bytes:
    """The record as it is stored."""
    return json.dumps({"version": VERSION, **asdict(record)}, indent=1).encode() + b"\n"


def load(data: bytes, *, where: str) -> Record:
    """The stored record. Whoever can write to the bucket can write one, so nothing in it is taken on trust."""
    try:
        record = _parse(json.loads(data))
        _check(record)
    except (ValueError, KeyError, TypeError, StoreDenied) as error:
        hint = "no part of Headrace of this version wrote it; look at it, then take it away by hand"
        raise StoreError(f"the commit record {where} can't be followed: {error}", hint=hint) from error
    return record


def _parse(raw: dict[str, object]) -> Record:
    if raw["version"] != VERSION:
        raise ValueError(f"version {raw['version']!r} is not {VERSION}")
    if raw["mode"] not in get_args(WriteMode):
        raise ValueError(f"no mode {raw['mode']!r}")
    add = cast(list[dict[str, object]], raw["add"])
    return Record(
        run=_text(raw["run"]),
        attempt=_number(raw["attempt"]),
        mode=cast(WriteMode, raw["mode"]),
        staging=_text(raw["staging"]),
        add=tuple(Added(_text(each["name"]), _number(each["size"]), _text(each["staged"])) for each in add),
        remove=tuple(_text(key) for key in cast(list[object], raw["remove"])),
    )


def _check(record: Record) -> None:
    for key in (record.staging, *record.remove, *(text for each in record.add for text in (each.name, each.staged))):
        check_key(key)
    for name in (record.staging, *(each.name for each in record.add)):
        if "/" in name:
            raise ValueError(f"{name!r} is not one name")
    for key in (*record.remove, *(each.name for each in record.add)):
        if not is_data(key):
            raise ValueError(f"{key!r} is not data")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a number")
    return value
