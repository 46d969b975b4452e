"""Compressed text files: how they are named, unpacked and written.

Files are unpacked by Python's libraries before an engine reads them. DuckDB's own readers take a compressed file that
was cut off for a shorter one, and rows would be lost in silence.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

from headrace.errors import BadData
from headrace.stores.base import StoredObject

_CHUNK = 1024 * 1024
GoOn = Callable[[], None]


class Packing(StrEnum):
    """How a file is compressed, by the words of the nodes' options."""

    NONE = "NONE"
    GZIP = "GZIP"
    ZSTD = "ZSTD"

    @property
    def json_word(self) -> str:
        """The word of DuckDB's writer of JSON, which is not that of its writer of CSV."""
        return "uncompressed" if self is Packing.NONE else self.lower()


ENDINGS = {Packing.NONE: "", Packing.GZIP: ".gz", Packing.ZSTD: ".zst"}


def packing(found: StoredObject, compression: str) -> Packing:
    """How the object is compressed: as told, or with AUTO as its name says."""
    if compression != "AUTO":
        return Packing(compression)
    return next((p for p, ending in ENDINGS.items() if ending and found.key.endswith(ending)), Packing.NONE)


def unpacked(found: StoredObject, file: BinaryIO, how: Packing, folder: Path, go_on: GoOn) -> StoredObject:
    """The object with its plain bytes in a file of the folder. `go_on` is called now and then and may raise.

    Raises BadData when the compressed data is cut off or damaged.
    """
    target = new_file(folder)
    with target.open("wb") as out:
        try:
            for chunk in _plain(file, how, go_on):
                out.write(chunk)
        except (ValueError, zlib.error) as error:
            told = f"{found.bucket}/{found.key}: the compressed data is cut off or damaged: {error}"
            raise BadData(told, hint="write the object anew, or set options.compression to what it is") from None
    return replace(found, location=str(target), origin=None)


class _Frame(Protocol):
    """What unpacks one frame: both libraries have the same form of it."""

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""

    @property
    def unused_data(self) -> bytes:
        """What came after its end."""

    def decompress(self, data: bytes, /) -> bytes:
        """The plain bytes of these packed ones."""


def _plain(file: BinaryIO, how: Packing, go_on: GoOn) -> Iterator[bytes]:
    """The plain bytes of all frames, which may follow one another. Raises ValueError at a frame that does not end."""
    frame = _frame(how)
    started = False
    while data := file.read(_CHUNK):
        go_on()
        while data:
            if frame.eof:
                frame = _frame(how)
            started = True
            try:
                yield frame.decompress(data)
            except Exception as error:
                raise ValueError(str(error)) from error
            data = frame.unused_data if frame.eof else b""
    if started and not frame.eof:
        raise ValueError("it ends in the middle")


def _frame(how: Packing) -> _Frame:
    if how is Packing.GZIP:
        return zlib.decompressobj(wbits=31)
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj()


def packed(path: Path, how: Packing) -> BinaryIO:
    """A new file that compresses what is written into it."""
    if how is Packing.NONE:
        return path.open("wb")
    if how is Packing.GZIP:
        return gzip.open(path, "wb", compresslevel=6)  # type: ignore[return-value]  # writes as any binary file does
    import zstandard

    return zstandard.open(path, "wb")  # type: ignore[no-any-return]  # the package's own type is any


def new_file(folder: Path) -> Path:
    """A name in the folder that is not taken."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"text-{sum(1 for _ in folder.iterdir())}"
