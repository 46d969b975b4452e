"""Which names buckets and keys may have, and how prefixes lie to each other. Pure.

The rules are those of object storage, made narrower where a folder can't follow: a key is the same text on both.
"""

import re

from headrace.errors import StoreDenied
from headrace.plan.ops import Place

OURS = "_headrace"
"""The folder under a prefix where staging and commit record lie."""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PART_BYTES = 255
_KEY_BYTES = 1024


def check_bucket(name: str) -> None:
    """Raise StoreDenied unless this can be a bucket's name."""
    if not _BUCKET.fullmatch(name):
        hint = "3 to 63 of a-z, 0-9, '.' and '-', the first and the last a letter or a digit"
        raise StoreDenied(f"{name!r} can't be a bucket's name", hint=hint)
    if _ADDRESS.fullmatch(name):
        raise StoreDenied(f"{name!r} can't be a bucket's name", hint="a name that looks like an address is not allowed")


def check_key(key: str) -> None:
    """Raise StoreDenied unless this can be the name of an object or, without its last slash, of a folder."""
    if fault := _fault(key):
        raise StoreDenied(f"{_shown(key)} can't be a name in a bucket: {fault}")


def clean_prefix(place: Place) -> str:
    """The place's prefix without its last slash; StoreDenied when bucket or prefix can't be names of data."""
    check_bucket(place.bucket)
    prefix = place.prefix.removesuffix("/") if place.prefix != "/" else place.prefix
    if not prefix:
        return ""
    check_key(prefix)
    if not is_data(prefix):
        hint = "a name with a part that begins with '_' or '.' is not data"
        raise StoreDenied(f"prefix {_shown(prefix)} can't hold data", hint=hint)
    return prefix


def _fault(key: str) -> str:
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    parts = key.split("/")
    faults = {
        "it is empty": not key,
        "it begins with a slash": key.startswith("/"),
        "it has an empty part": "" in parts,
        "'.' and '..' are not allowed as parts": "." in parts or ".." in parts,
        "it has a control character": _CONTROL.search(key) is not None,
        f"a part is longer than {_PART_BYTES} bytes": any(len(part.encode()) > _PART_BYTES for part in parts),
        f"it is longer than {_KEY_BYTES} bytes": len(encoded) > _KEY_BYTES,
    }
    return next((fault for fault, found in faults.items() if found), "")


def _shown(key: str) -> str:
    return repr(key if len(key) <= 100 else key[:100] + "…")


def is_hidden(part: str) -> bool:
    """Whether a part of a key says that the object is not data."""
    return part.startswith(("_", "."))


def is_data(key: str) -> bool:
    """Whether no part of a key is hidden."""
    return not any(map(is_hidden, key.split("/")))


def join(folder: str, name: str) -> str:
    """The key of a name in a folder; the empty folder is the bucket itself."""
    return f"{folder}/{name}" if folder else name


def within(key: str, folder: str) -> bool:
    """Whether the key is the folder itself or below it: `a10` is not within `a1`."""
    return not folder or key == folder or key.startswith(folder + "/")


def ancestors(folder: str) -> tuple[str, ...]:
    """The folders above, outermost first, without the bucket itself."""
    parts = folder.split("/")
    return tuple("/".join(parts[:count]) for count in range(1, len(parts)))


def record_key(folder: str) -> str:
    """Where the commit record of a folder lies."""
    return join(folder, f"{OURS}/commit.json")


def file_name(number: int, run: str, staged: str) -> str:
    """The name of a new file: its number, its run, and all that follows the first dot of its staged name."""
    _, dot, extension = staged.rpartition("/")[2].partition(".")
    return f"part-{number:05d}-{run}{dot}{extension}"


def file_number(key: str, folder: str, run: str) -> int | None:
    """The number of a file that this run published to this folder, None for any other file."""
    found = re.fullmatch(rf"{re.escape(folder)}/part-(\d{{5,}})-{re.escape(run)}(\.[^/]*)?", key)
    return int(found[1]) if found else None
