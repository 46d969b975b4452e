"""How the command line shows things: tables, sizes, problems. Everything is plain text and fits any terminal."""

import unicodedata
from collections.abc import Iterable, Sequence

from headrace.errors import Problem
from headrace.execution.report import Report

_UNITS = ("B", "KB", "MB", "GB", "TB")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> str:
    """Columns under their headers, those in `right` aligned to the right; wide letters count as two."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(_width(line[i]) for line in (list(headers), *cells)) for i in range(len(headers))]
    lines = [list(headers), ["─" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(
            _fitted(cell, width, right=name in right) for cell, width, name in zip(line, widths, headers, strict=True)
        ).rstrip()
        for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _fitted(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("the last unit takes all")


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def problems(found: Sequence[Problem]) -> str:
    """One line for each problem."""
    return "\n".join(f"  {problem}" for problem in found)


def report(done: Report) -> str:
    """A run as people read it."""
    parts = []
    if done.sources:
        parts.append(_sources(done))
    if done.targets:
        parts.append(_targets(done))
    for node in done.nodes:
        parts.append(f"{node.node}: {_bad(node.bad_values)} became null")
    parts += [f"warning: {warning}" for warning in done.warnings]
    taken = f"{done.seconds:.2f} s, {size(done.peak_memory)} of memory at most"
    parts.append(f"{done.status}  {done.job}  execution {done.execution_id}  {taken}")
    return "\n\n".join(parts)


def _sources(done: Report) -> str:
    rows = [
        (
            s.node,
            s.place,
            s.format,
            len(s.objects),
            size(s.bytes),
            f"{s.rows:,}",
            _unfit(s.bad_values, s.short_rows, s.long_rows),
        )
        for s in done.sources
    ]
    return table(
        ("read", "from", "as", "objects", "bytes", "rows", "did not fit"), rows, right=("objects", "bytes", "rows")
    )


def _targets(done: Report) -> str:
    rows = [
        (
            t.node,
            t.place,
            t.format,
            "skipped" if t.skipped else t.update_type,
            len(t.files),
            size(t.bytes),
            f"{t.rows:,}",
        )
        for t in done.targets
    ]
    return table(("wrote", "to", "as", "how", "files", "bytes", "rows"), rows, right=("files", "bytes", "rows"))


def _unfit(bad: object, short: int, long: int) -> str:
    parts = [_bad(bad)] if isinstance(bad, dict) and any(bad.values()) else []
    parts += [counted(short, "short row")] if short else []
    parts += [counted(long, "long row")] if long else []
    return "; ".join(parts) or "-"


def _bad(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
