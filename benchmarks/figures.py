"""What the measured runs amount to: medians, ratios, and whether a bar is met. Pure."""

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
    """A promise: what is measured, the most it may be, what it was, and in which unit."""

    what: str
    limit: float
    value: float
    unit: str

    @property
    def is_met(self) -> bool:
        """Whether the promise holds."""
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "met" if self.is_met else "**not met**"
        return f"{self.what}: {self.value:.2f} {self.unit}, at most {self.limit:.2f}: {verdict}"


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


def bars(
    ours: Sequence[Run], theirs: Sequence[Run], *, wall_ratio: float, peak_ratio: float, peak_bytes: float
) -> tuple[Bar, Bar]:
    """The two bars of a job, against the hand-written script."""
    allowed = peak_ratio * peak(theirs) + peak_bytes
    return (
        Bar("wall time, against hand-written DuckDB", wall_ratio, ratio(ours, theirs), "×"),
        Bar("peak memory", allowed / 1e6, peak(ours) / 1e6, "MB"),
    )
