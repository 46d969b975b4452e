"""The jobs: where each is written down, what its result is tested by, and what its bars are."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PEAK_RATIO, PEAK_BYTES = 1.25, 60e6
"""Peak memory may be this many times that of the hand-written script, and this many bytes more."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A job, and its bars.

    `wall_ratio` is how many times the time of the hand-written script it may take; None promises nothing. `peak` is
    the most memory that it may take, in bytes; None is measured by the hand-written script. `summary` are expressions
    over the result whose values must agree between the engines: counts and sums, or all rows where they are few.
    """

    name: str
    title: str
    format: str
    wall_ratio: float | None
    barrier: bool
    summary: tuple[str, ...]
    peak: float | None = None

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

DEDUPE = Workload(
    name="dedupe",
    title="Keep one row for each of 15 million numbers, the smallest by all columns, of 20 million rows in Parquet",
    format="parquet",
    wall_ratio=1.15,
    barrier=False,
    summary=("count(*)", "count(amount)", "sum(id)", "bit_xor(hash(id, customer, day, amount, note))"),
)

BIG = Workload(
    name="big",
    title="Cast 318 million rows in thirty CSV files (30 GB) into one Parquet file",
    format="parquet",
    wall_ratio=None,
    barrier=False,
    summary=WORKLOADS[0].summary,
    peak=4e9,
)


def _tpch(name: str, title: str, by: str, columns: str) -> Workload:
    """A job after a query of TPC-H: its results are few and compared as they are."""
    rows = tuple(f"list({column} ORDER BY {by})" for column in columns.split(", "))
    return Workload(f"tpch-{name}", title, "parquet", None, barrier=False, summary=("count(*)", *rows))


TPCH = (
    _tpch(
        "q1",
        "Q1: filter 6 million items, compute two columns, aggregate into 4 groups",
        "l_returnflag, l_linestatus",
        "l_returnflag, l_linestatus, sum_qty, sum_base_price, sum_disc_price, sum_charge, avg_qty, avg_price, "
        "avg_disc, count_order",
    ),
    _tpch(
        "q3",
        "Q3: filter and join three tables, revenue by order",
        "l_orderkey",
        "l_orderkey, revenue, o_orderdate, o_shippriority",
    ),
    _tpch("q5", "Q5: join six tables in one query, revenue by nation", "n_name", "n_name, revenue"),
    _tpch("q6", "Q6: filter 6 million items by three columns, one sum", "revenue", "revenue"),
    _tpch(
        "q12",
        "Q12: filter and join two tables, count by shipping mode",
        "l_shipmode",
        "l_shipmode, high_line_count, low_line_count",
    ),
)

EVERY = {work.name: work for work in (*WORKLOADS, DEDUPE, BIG, *TPCH)}
