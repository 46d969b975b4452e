"""The three jobs: where each is written down, what its result is tested by, and what its bars are."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PEAK_RATIO, PEAK_BYTES = 1.25, 60e6
"""Peak memory may be this many times that of the hand-written script, and this many bytes more."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A job. `wall_ratio` is its bar: how many times the time of the hand-written script it may take.

    `summary` are expressions over the result whose values must agree between the engines: counts and sums.
    """

    name: str
    title: str
    format: str
    wall_ratio: float
    barrier: bool
    summary: tuple[str, ...]

    @property
    def job(self) -> Path:
        """The createJob body."""
        return HERE / "jobs" / f"{self.name}.json"

    def relation(self, files: str) -> str:
        """The result as a relation of DuckDB's; `files` is a pattern."""
        pattern = files.replace("'", "''")
        types = "{'id': 'BIGINT', 'amount': 'DOUBLE', 'day': 'DATE'}"
        return f"read_csv('{pattern}', types = {types})" if self.format == "csv" else f"read_parquet('{pattern}')"


WORKLOADS = (
    Workload(
        name="w1",
        title="Filter a CSV file of 20 million rows (1.9 GB) into a CSV file; three of its six columns are cast",
        format="csv",
        wall_ratio=1.15,
        barrier=True,
        summary=(
            "count(*)",
            "sum(id)",
            "sum(amount)",
            "min(day)",
            "max(day)",
            "sum(length(name))",
            "sum(length(city))",
            "sum(length(note))",
        ),
    ),
    Workload(
        name="w2",
        title="Cast a CSV file of 10 million rows (0.6 GB), 1% of the values bad, into a Parquet file; six casts a row",
        format="parquet",
        wall_ratio=1.3,
        barrier=False,
        summary=(
            "count(*)",
            "count(id)",
            "sum(id)",
            "count(qty)",
            "sum(qty)",
            "count(price)",
            "sum(price)",
            "count(day)",
            "min(day)",
            "max(day)",
            'count("at")',
            'sum(epoch_us("at"))',
            "count(sold)",
            "count_if(sold)",
        ),
    ),
    Workload(
        name="w3",
        title="Join 20 million facts with 1 million products and aggregate into 1 million groups, Parquet to Parquet",
        format="parquet",
        wall_ratio=1.15,
        barrier=False,
        summary=(
            "count(*)",
            "count(DISTINCT category)",
            "count(DISTINCT store)",
            "sum(quantity)",
            "sum(turnover)",
            "sum(mean_price)",
            "sum(heaviest)",
            "min(first_day)",
            "max(first_day)",
        ),
    ),
)
