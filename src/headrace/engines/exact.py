"""JSON in which long numbers stand as texts: the engine's reader takes a number with a fraction for a double.

Of a number with more than 15 digits the rest would be lost, although a decimal has up to 38. A file with such numbers
is copied to the run's spill folder with quotes around them; all else stays byte for byte, so that lines keep their
numbers. Only sources that use such a decimal are looked at (decision 17 has the figures).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from headrace.engines.packing import GoOn, new_file
from headrace.plan.ops import Read
from headrace.plan.types import Array, Decimal, Map, Struct, Type
from headrace.stores.base import StoredObject

DIGITS = 15
"""As many digits a double keeps."""
_BLOCK = 4 * 1024 * 1024
_AS_DIGITS = bytes(ord("0") if chr(byte) in "0123456789." else 32 for byte in range(256))
_LONG = b"0" * (DIGITS + 1)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUMBER = re.compile(rb"-?[0-9][0-9.]{%d,}(?:[eE][+-]?[0-9]+)?" % DIGITS)
_TOKEN = re.compile(_STRING.pattern + b"|" + _NUMBER.pattern, re.DOTALL)
_OPEN_NUMBER = re.compile(rb"[-+0-9.eE]*\Z")


def needed(read: Read) -> bool:
    """Whether the source uses a decimal that a double can't hold."""
    looked_at = read.declared if read.bad_values == "FAIL" else read.used
    return read.format in ("JSON", "NDJSON") and any(_is_wide(f.type) for f in looked_at)


def _is_wide(type_: Type) -> bool:
    match type_:
        case Decimal(precision, _):
            return precision > DIGITS
        case Array(element):
            return _is_wide(element)
        case Map(_, value):
            return _is_wide(value)
        case Struct(fields):
            return any(_is_wide(f.type) for f in fields)
        case _:
            return False


def has_long_numbers(file: BinaryIO, go_on: GoOn) -> bool:
    """Whether as many digits as a long number has follow one another anywhere, be it in a text."""
    end = b""
    while block := file.read(_BLOCK):
        go_on()
        looked_at = end + block
        if _has_long(looked_at):
            return True
        end = looked_at[-DIGITS:]
    return False


def with_long_numbers_as_texts(found: StoredObject, file: BinaryIO, folder: Path, go_on: GoOn) -> StoredObject:
    """The object with quotes around its long numbers, in a file of the folder."""
    target = new_file(folder)
    with target.open("wb") as out:
        for part in _parts(file, go_on):
            out.writelines(_quoted(line) for line in part.splitlines(keepends=True))
    return replace(found, location=str(target), origin=None)


def _parts(file: BinaryIO, go_on: GoOn) -> Iterator[bytes]:
    """The file in parts that end outside of texts and numbers: no text of JSON holds a line break."""
    held = b""
    while block := file.read(_BLOCK):
        go_on()
        held += block
        cut = held.rfind(b"\n") + 1 or _outside(held)
        yield held[:cut]
        held = held[cut:]
    yield held


def _outside(data: bytes) -> int:
    """The last place that is in no text and no number."""
    start = 0
    for match in _STRING.finditer(data):
        start = match.end()
    opened = data.find(b'"', start)
    if opened >= 0:
        return opened
    number = _OPEN_NUMBER.search(data)
    return number.start() if number else len(data)


def _quoted(line: bytes) -> bytes:
    if not _has_long(line):
        return line
    if b"\\" in line:
        return _TOKEN.sub(lambda found: found[0] if found[0].startswith(b'"') else _as_text(found), line)
    parts = line.split(b'"')
    for place in range(0, len(parts), 2):  # the others are texts
        if len(parts[place]) > DIGITS:
            parts[place] = _NUMBER.sub(_as_text, parts[place])
    return b'"'.join(parts)


def _as_text(found: re.Match[bytes]) -> bytes:
    """Whole numbers are read as they are, however long."""
    number = found[0]
    return b'"' + number + b'"' if b"." in number or b"e" in number or b"E" in number else number


def _has_long(data: bytes) -> bool:
    return _LONG in data.translate(_AS_DIGITS)
