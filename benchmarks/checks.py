"""Sums up what a job wrote, so that a wrong result is noticed: `python -m benchmarks.checks w1 'out/*.csv'`.

A process of its own: the one that measures stays small, because its children inherit its peak of memory.
"""

import hashlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal

from benchmarks.workloads import EVERY

Summary = Mapping[str, object]
RELATIVE = 1e-9
"""Sums of doubles agree to this: the order of addition differs between engines."""
SHORT = 50
"""Longer lists of values are kept as a digest."""


def summary(workload: str, files: str) -> dict[str, object]:
    """The values of the workload's expressions over a result."""
    import duckdb

    work = EVERY[workload]
    query = f"SELECT {', '.join(work.summary)} FROM {work.relation(files)}"
    row = duckdb.connect(config={"memory_limit": "2GB"}).execute(query).fetchone()
    assert row is not None
    return {text: _plain(value) for text, value in zip(work.summary, row, strict=True)}


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal):
        return float(value)  # engines keep sums of decimals with different scales
    return value if isinstance(value, int | float) else str(value)


def differences(one: Summary, other: Summary) -> list[str]:
    """Where two summaries differ by more than the order of addition can explain."""
    return [f"{key}: {one[key]} and {other[key]}"[:1000] for key in one if not same(one[key], other[key])]


def same(one: object, other: object) -> bool:
    """Whether two values agree: doubles nearly, lists one by one, all else exactly."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=RELATIVE)
    return one == other


def short(wrote: Summary) -> dict[str, object]:
    """A summary to keep: of a long list only its length and the digest of its values."""
    return {key: _digest(value) if isinstance(value, list) else value for key, value in wrote.items()}


def _digest(values: list[object]) -> object:
    if len(values) <= SHORT:
        return values
    return f"{len(values)} values, SHA-256 {hashlib.sha256(json.dumps(values).encode()).hexdigest()}"


def main(arguments: Sequence[str]) -> None:
    print(json.dumps(summary(*arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
