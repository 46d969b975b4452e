"""Text files in the one form that engines read fast, and back: UTF-8, with line ends of one kind.

A file in another encoding is brought to UTF-8 in the run's spill folder before it is read, by the codecs of Python:
they know the encodings that people have, say where a byte is wrong, and are many times as fast as the engine's own
conversion (decision 14 has the figures). What is written in another encoding goes the other way.
"""

import codecs
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from headrace.engines.packing import GoOn, Packing, new_file, packed
from headrace.errors import BadData
from headrace.stores.base import StoredObject

CODECS = {
    "UTF-8": "utf-8-sig",
    "UTF-16": "utf-16",
    "LATIN-1": "latin-1",
    "CP949": "cp949",
    "EUC-KR": "euc-kr",
}
_CHUNK = 1024 * 1024


def as_utf8(found: StoredObject, file: BinaryIO, encoding: str, folder: Path, go_on: GoOn) -> StoredObject:
    """The object with its text as UTF-8 in a file of the folder. `go_on` is called now and then and may raise.

    Raises BadData with the line of the first byte that is not of the encoding.
    """
    target = new_file(folder)
    decoder: codecs.IncrementalDecoder | None = None
    line = 1
    with target.open("wb") as out:
        for chunk in _chunks(file, go_on):
            decoder = decoder or _decoder(encoding, chunk)
            before = decoder.getstate()
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                decoder.setstate(before)
                held = len(error.object) - len(chunk)  # bytes of the last chunk that were no whole character
                line += decoder.decode(chunk[: max(0, error.start - held)]).count("\n")
                wrong = error.object[error.start : error.end].hex().upper()
                told = f"{found.bucket}/{found.key}, line {line}: 0x{wrong} is not {encoding}"
                raise BadData(told, hint="set options.encoding to what the file is written in") from None
            line += text.count("\n")
            out.write(text.encode())
    return replace(found, location=str(target), origin=None)


def _decoder(encoding: str, first: bytes) -> codecs.IncrementalDecoder:
    codec = CODECS[encoding]
    if encoding == "UTF-16" and not first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        codec = "utf-16-le"  # without a mark, as the systems write that leave it out
    return codecs.getincrementaldecoder(codec)(errors="strict")


def from_utf8(path: Path, target: Path, encoding: str, packing: Packing, go_on: GoOn) -> None:
    """Bring a written file to another encoding and compression, under the name `target`.

    Raises BadData with the first character that the encoding does not have.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoder = codecs.getincrementalencoder(CODECS[encoding])(errors="strict")
    made = path.with_name(f"{path.name}.recoded")
    line = 1
    with path.open("rb") as file, packed(made, packing) as out:
        for chunk in _chunks(file, go_on):
            text = decoder.decode(chunk, final=not chunk)
            try:
                out.write(encoder.encode(text, final=not chunk))
            except UnicodeEncodeError as error:
                sign = error.object[error.start]
                line += text[: error.start].count("\n")
                told = f"line {line}: {sign!r} (U+{ord(sign):04X}) is not in {encoding}"
                raise BadData(told, hint="write UTF-8, or replace such characters before") from None
            line += text.count("\n")
    path.unlink()
    made.replace(target)


def has_mixed_line_ends(file: BinaryIO, quote: str, go_on: GoOn) -> bool:
    """Whether records of a CSV file end both with LF alone and with CRLF; line ends inside quotes do not count."""
    alone = together = False
    for part, quoted in _parts(file, quote.encode(), go_on):
        if not quoted:
            crlf = part.count(b"\r\n")
            together = together or crlf > 0
            alone = alone or part.count(b"\n") > crlf
        if alone and together:
            return True
    return False


def with_one_line_end(found: StoredObject, file: BinaryIO, quote: str, folder: Path, go_on: GoOn) -> StoredObject:
    """The object with LF at the end of each record, in a file of the folder; line ends inside quotes stay."""
    target = new_file(folder)
    with target.open("wb") as out:
        for part, quoted in _parts(file, quote.encode(), go_on):
            out.write(part if quoted else part.replace(b"\r\n", b"\n"))
    return replace(found, location=str(target), origin=None)


def _parts(file: BinaryIO, quote: bytes, go_on: GoOn) -> Iterator[tuple[bytes, bool]]:
    """The file cut before each quote: the part, and whether it lies between quotes. All parts joined are the file."""
    quoted = False
    held = b""
    for chunk in _chunks(file, go_on):
        data, held = held + chunk, b""
        if chunk and data.endswith(b"\r"):
            data, held = data[:-1], b"\r"
        for index, part in enumerate(data.split(quote)):
            quoted = quoted != (index > 0)
            yield (quote + part if index else part), quoted


def _chunks(file: BinaryIO, go_on: GoOn) -> Iterator[bytes]:
    """The file in pieces, and an empty one at its end."""
    while True:
        go_on()
        chunk = file.read(_CHUNK)
        yield chunk
        if not chunk:
            return
