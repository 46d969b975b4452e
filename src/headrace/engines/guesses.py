"""What a text file seems to be: its encoding, its delimiter, and whether it has a header. For suggestions only.

A run guesses nothing; what is guessed here stands in the suggested node, where it can be seen and put right.
"""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence

from headrace.engines import heads
from headrace.engines.recode import CODECS
from headrace.errors import BadData
from headrace.plan.literals import parse_literal
from headrace.plan.ops import Dialect
from headrace.plan.types import DATE, DOUBLE, TIMESTAMP
from headrace.stores.base import StoredObject

SIGNS = ",;\t|"
_LOOKED_AT = 4 * 1024 * 1024
_TEXT_CONTROLS = b"\t\n\f\r"
_MANY = 0.4


def encoding(found: StoredObject) -> str:
    """The encoding of a text file: by its mark, else UTF-8 where its first 4 MiB are, else CP949, else Latin-1.

    Raises BadData when it is no text, or UTF-16 of an order that can't be read without a mark.
    """
    with heads.opened(found) as file:
        data = file.read(_LOOKED_AT)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    if data[1::2].count(0) > _MANY * len(data) / 2:
        return "UTF-16"
    if data[0::2].count(0) > _MANY * len(data) / 2:
        told = f"{found.key} is UTF-16 with the high byte first, and has no mark that says so"
        raise BadData(told, hint="save it as UTF-8, or with a mark")
    if controls := [sign for sign in set(data) if sign < 32 and sign not in _TEXT_CONTROLS]:
        at = min(map(data.index, controls))
        told = f"{found.key} is no text: byte {at + 1:,} is 0x{data[at]:02X}"
        raise BadData(told, hint="is it another format, or compressed without .gz or .zst in its name?")
    return next(name for name in ("UTF-8", "CP949", "LATIN-1") if _decodes(data, name))


def _decodes(data: bytes, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(CODECS[name])()
    try:
        decoder.decode(data, final=len(data) < _LOOKED_AT)
    except UnicodeDecodeError:
        return False
    return True


def delimiter(text: str) -> str:
    """The sign that parts most records into equally many values, and into most of them; a comma if none parts any."""
    best = max(SIGNS, key=lambda sign: _evenness(text, sign))
    return best if _evenness(text, best) > (0, 0) else ","


def _evenness(text: str, sign: str) -> tuple[float, int]:
    lengths = Counter(map(len, _records(text, Dialect(delimiter=sign))))
    length, count = lengths.most_common(1)[0] if lengths else (0, 0)
    return (count / lengths.total(), length) if length > 1 else (0, 0)


def usual_length(text: str, dialect: Dialect) -> int:
    """How many values most records have."""
    lengths = Counter(map(len, _records(text, dialect)))
    return lengths.most_common(1)[0][0] if lengths else 0


def _records(text: str, dialect: Dialect) -> list[list[str]]:
    doubled = dialect.escape == dialect.quote
    lines = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        doublequote=doubled,
        escapechar=None if doubled else dialect.escape,
    )
    records = [record for record in lines if record]
    return records[:-1] if len(records) > 1 and not text.endswith(("\n", "\r")) else records


def is_header(record: Sequence[str]) -> bool:
    """Whether the first record names the columns: it has a name, and no value is a number, a moment, true or false."""
    return any(record) and not any(map(_is_value, record))


def _is_value(text: str) -> bool:
    if text.strip().lower() in ("true", "false"):
        return True
    for type_ in (DOUBLE, DATE, TIMESTAMP):
        try:
            parse_literal(text, type_)
        except ValueError:
            continue
        return True
    return False
