"""A page whose commands are run: its blocks of code, in their order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"^```(json|sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAVED = re.compile(r"`([\w-]+\.json)`:\s*\Z")
_VARIES = re.compile(r"execution \S+ +[\d.]+ s, [\d.]+ [MG]B")
# Rows come in no order, and how well they compress hangs on it.
_COMPRESSED = re.compile(r"^(.* PARQUET .*) \d+ B ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """A file to save, or commands to run and what they print; `shown` is None where the page shows nothing."""

    kind: str
    name: str
    text: str
    shown: str | None


def steps(page: str) -> Iterator[Step]:
    """The blocks of a page. A JSON block is a file when the sentence before it ends with the file's name."""
    found = list(_BLOCK.finditer(page))
    for number, block in enumerate(found):
        kind, text = block.groups()
        if kind == "json":
            saved = _SAVED.search(page[: block.start()])
            yield Step("save", saved[1] if saved else "", text, None)
        elif kind == "sh":
            after = found[number + 1] if number + 1 < len(found) else None
            yield Step("run", "", text, after[2] if after and after[1] == "text" else None)


def same(text: str) -> str:
    """A text without what differs from run to run."""
    told = _COMPRESSED.sub(r"\1 0 B ", _VARIES.sub("execution ID  0 s, 0 MB", text))
    return "\n".join(line.rstrip() for line in told.strip().splitlines())
