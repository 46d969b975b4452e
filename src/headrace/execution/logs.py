"""What the log of a run says, line by line; all of it is for people."""

from collections.abc import Iterator
from datetime import UTC, datetime

from headrace.execution.report import Report


def line(at: datetime, text: str) -> str:
    """A line of a log with its moment, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z {text}"


def ended(report: Report) -> Iterator[str]:
    """What a run did, a line for each thing."""
    for read in report.sources:
        yield f"read {read.rows} rows, {read.bytes} bytes from {read.place} ({read.node}) as {read.format}"
        yield from _unfit(read.node, {**read.bad_values})
        if read.short_rows or read.long_rows:
            yield f"{read.node}: {read.short_rows} short and {read.long_rows} long rows"
    for node in report.nodes:
        yield from _unfit(node.node, {**node.bad_values})
    for wrote in report.targets:
        if wrote.skipped and wrote.files:
            yield f"{wrote.place} ({wrote.node}) has the data that an earlier attempt published"
        elif wrote.skipped:
            yield f"wrote nothing to {wrote.place} ({wrote.node}): there is data already"
        else:
            yield f"wrote {wrote.rows} rows, {wrote.bytes} bytes to {wrote.place} ({wrote.node}) as {wrote.format}"
    if report.failure is not None:
        place = f"node {report.failure.node!r}: " if report.failure.node else ""
        hint = f"; {report.failure.hint}" if report.failure.hint else ""
        yield f"{report.failure.code}: {place}{report.failure.message}{hint}"
    yield f"{report.status} after {report.seconds:.3f} s"


def _unfit(node: str, counts: dict[str, int]) -> Iterator[str]:
    told = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    if told:
        yield f"{node}: values that did not fit became null: {told}"
