"""What an engine is, what it is given and what it gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from headrace.plan.ops import Sink
from headrace.stores.base import Snapshot, Staged


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use of the machine."""

    threads: int
    memory: str
    temp_directory: str
    temp_size: str


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a script, with the node that it came from."""

    node_id: int
    node: str
    comment: str
    statement: str


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What was read for one source: rows, and what did not fit, counted while reading."""

    rows: int
    short_rows: int = 0
    long_rows: int = 0


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What was written for one target, as the writer counted it."""

    rows: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: 0 to 1, what it is at, and about how many rows it has to read; None when nobody knows."""

    part: float
    at: str
    rows: int | None = None

    @property
    def told(self) -> str:
        """For people, without what it is at."""
        if self.rows is None:
            return f"{self.part:.0%}"
        return f"{self.part:.0%}, about {_round(self.rows * self.part):,} of {_round(self.rows):,} rows"


def _round(rows: float) -> int:
    """Three digits: the others would pretend to be known."""
    return int(float(f"{rows:.3g}"))


@dataclass(frozen=True)
class Outcome:
    """What a run did, by node id.

    `bad_values` counts, for each node and column, the values that became null because they did not cast.
    """

    reads: Mapping[int, ReadResult]
    writes: Mapping[int, WriteResult]
    collected: Mapping[int, tuple[tuple[Any, ...], ...]]
    bad_values: Mapping[int, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that an engine cannot do, why, and what would do."""

    node_id: int
    node: str
    what: str
    why: str
    hint: str = ""


class Engine(Protocol):
    """Runs plans. One instance runs one plan at a time."""

    name: str

    def gaps(self, sinks: Sequence[Sink]) -> tuple[Gap, ...]:
        """What of the plan this engine cannot do; empty when it can run."""

    def script(self, sinks: Sequence[Sink]) -> str:
        """The plan as readable text, one named step for each node, with places instead of files."""

    def run(self, sinks: Sequence[Sink], *, sources: Mapping[int, Snapshot], targets: Mapping[int, Staged]) -> Outcome:
        """Do it: read the snapshots (by node id of the Read), fill the staging folders (by that of the Write).

        Raises RunFailed and its kinds; Cancelled after `cancel`.
        """

    def progress(self) -> Progress:
        """How far the run is, at the name of the node at work. From any thread."""

    def cancel(self) -> None:
        """Stop the run within a second. From any thread; harmless when nothing runs."""
