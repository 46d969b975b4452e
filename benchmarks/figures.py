"""What the measured runs amount to: medians, ratios, and whether a bar is met. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run. Seconds and bytes; `fsync` is the part of `wall` that only waited for the disk, where known."""

    wall: float
    cpu: float
    pss: int
    rss: int
    fsync: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise: what is measured, the most it may be (or the least), what it was, and in which unit."""

    what: str
    limit: float
    value: float
    unit: str
    least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the promise holds."""
        return self.value >= self.limit if self.least else self.value <= self.limit

    def __str__(self) -> str:
        verdict = "met" if self.is_met else "**not met**"
        side = "least" if self.least else "most"
        return f"{self.what}: {self.value:.2f} {self.unit}, at {side} {self.limit:.2f}: {verdict}"


@dataclass(frozen=True, slots=True)
class Peer:
    """What a user would take instead, at the same small task: seconds of half of the runs, and how many a second."""

    name: str
    p50: float
    rate: float

    def __str__(self) -> str:
        return f"{self.name}: p50 {self.p50 * 1e3:,.0f} ms, many at once {self.rate:.2f}/s"


def walls(runs: Sequence[Run]) -> float:
    """The median wall time."""
    return median(run.wall for run in runs)


def ratio(ours: Sequence[Run], theirs: Sequence[Run]) -> float:
    """How many times their wall time we took: the median of the ratios within a round, since rounds differ."""
    return median(one.wall / other.wall for one, other in zip(ours, theirs, strict=True))


def peak(runs: Sequence[Run]) -> float:
    """The median peak memory, in bytes."""
    return median(run.pss for run in runs)


def without_fsync(runs: Sequence[Run]) -> float | None:
    """The median wall time less what the final fsync took, where a run tells it."""
    told = [run.wall - run.fsync for run in runs if run.fsync is not None]
    return median(told) if told else None


def bars(ours: Sequence[Run], theirs: Sequence[Run], *, wall_ratio: float | None, most: float) -> tuple[Bar, ...]:
    """The bars of a job, against the hand-written script; `most` is the most memory, in bytes."""
    memory = Bar("peak memory", most / 1e6, peak(ours) / 1e6, "MB")
    if wall_ratio is None:
        return (memory,)
    return Bar("wall time, against hand-written DuckDB", wall_ratio, ratio(ours, theirs), "×"), memory


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that this share of them does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
