"""The commit record: what a publication is about to do to one folder, written before it does it.

From the moment that the record lies in `_headrace/commit.json` the new generation is the folder's data, wherever its
files are by then. Before it an announcement may lie there: it says which names are not data yet, since new files come
to them before they are committed. A record speaks only of its own folder: all names in it are relative to that, so that
a folder that was moved or copied as a whole can still be mended.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import cast, get_args

from headrace.errors import StoreDenied, StoreError
from headrace.plan.ops import WriteMode
from headrace.stores.names import check_key, file_number, is_data

VERSION = 2
_READ = (1, VERSION)  # the first one knew no announcement, and staged every file
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Added:
    """A new file: its name in the folder, its size, and its name in the staging folder.

    `staged` is None for one that came to its place before the commit.
    """

    name: str
    size: int
    staged: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """What one publication adds to, and removes from, its folder. `staging` is a name in `_headrace`."""

    run: str
    attempt: int
    mode: WriteMode
    staging: str
    add: tuple[Added, ...]
    remove: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What will come before it counts: the files of `run` with the numbers from `first` on are not data yet.

    None of them was there when this was written. Without a commit record in its place they are taken back.
    """

    run: str
    first: int

    def names(self, key: str, folder: str) -> bool:
        """Whether a key is that of a new file of the folder which does not count yet."""
        number = file_number(key, folder, self.run)
        return number is not None and number >= self.first


def check_run(run: str) -> None:
    """Raise ValueError unless a run's id can be part of a file name."""
    if not _RUN.fullmatch(run):
        raise ValueError(f"run {run!r} can't be part of a file name")


def dump(record: Record | Announcement) -> bytes:
    """The record as it is stored."""
    told = {"announced": asdict(record)} if isinstance(record, Announcement) else asdict(record)
    return json.dumps({"version": VERSION, **told}, indent=1).encode() + b"\n"


def load(data: bytes, *, where: str) -> Record | Announcement:
    """The stored record. Whoever can write to the bucket can write one, so nothing in it is taken on trust."""
    try:
        record = _read(json.loads(data))
    except (ValueError, KeyError, TypeError, StoreDenied) as error:
        hint = "no part of Headrace of this version wrote it; look at it, then take it away by hand"
        raise StoreError(f"the commit record {where} can't be followed: {error}", hint=hint) from error
    return record


def _read(raw: dict[str, object]) -> Record | Announcement:
    if raw["version"] not in _READ:
        raise ValueError(f"version {raw['version']!r} is none of {_READ}")
    if "announced" in raw:
        return _announced(cast(dict[str, object], raw["announced"]))
    record = _parse(raw)
    _check(record)
    return record


def _announced(raw: dict[str, object]) -> Announcement:
    announced = Announcement(_text(raw["run"]), _number(raw["first"]))
    check_run(announced.run)
    return announced


def _parse(raw: dict[str, object]) -> Record:
    if raw["mode"] not in get_args(WriteMode):
        raise ValueError(f"no mode {raw['mode']!r}")
    add = cast(list[dict[str, object]], raw["add"])
    return Record(
        run=_text(raw["run"]),
        attempt=_number(raw["attempt"]),
        mode=cast(WriteMode, raw["mode"]),
        staging=_text(raw["staging"]),
        add=tuple(Added(_text(each["name"]), _number(each["size"]), _staged(each["staged"])) for each in add),
        remove=tuple(_text(key) for key in cast(list[object], raw["remove"])),
    )


def _check(record: Record) -> None:
    staged = (each.staged for each in record.add if each.staged is not None)
    for key in (record.staging, *record.remove, *(each.name for each in record.add), *staged):
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


def _staged(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a number")
    return value
