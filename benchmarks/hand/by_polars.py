"""The jobs of this folder as the best hand-written Polars script: lazy, on the streaming engine.

    POLARS_MAX_THREADS=2 python benchmarks/hand/by_polars.py w1 --bucket DIR --output FILE

It does what `by_duckdb.py` does, and says in its last line how many seconds the final fsync took.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl  # type: ignore[import-not-found, unused-ignore]  # not part of the development environment


def w1(bucket: Path, output: Path) -> None:
    """Filter a CSV file."""
    (
        pl.scan_csv(bucket / "w1/*.csv", infer_schema=False)
        .with_columns(
            pl.col("id").cast(pl.Int64, strict=False),
            pl.col("amount").cast(pl.Float64, strict=False),
            pl.col("day").str.to_date("%Y-%m-%d", strict=False),
        )
        .filter((pl.col("amount") >= 500) & (pl.col("day") >= date(2022, 7, 1)))
        .sink_csv(output, engine="streaming")
    )


def w2(bucket: Path, output: Path) -> None:
    """Cast a CSV file with bad values."""
    (
        pl.scan_csv(bucket / "w2/*.csv", infer_schema=False)
        .with_columns(
            pl.col("id").cast(pl.Int64, strict=False),
            pl.col("qty").cast(pl.Int32, strict=False),
            pl.col("price").cast(pl.Float64, strict=False),
            pl.col("day").str.to_date("%Y-%m-%d", strict=False),
            pl.col("at").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False),
            pl.when(pl.col("sold") == "true").then(True).when(pl.col("sold") == "false").then(False).alias("sold"),
        )
        .sink_parquet(output, compression="zstd", engine="streaming")
    )


def w3(bucket: Path, output: Path) -> None:
    """Join facts with a dimension, and aggregate."""
    (
        pl.scan_parquet(bucket / "facts/*.parquet")
        .join(pl.scan_parquet(bucket / "products/*.parquet"), on="product_id")
        .group_by("category", "store")
        .agg(
            pl.col("qty").cast(pl.Int64).sum().alias("quantity"),
            pl.col("price").sum().alias("turnover"),
            pl.col("price").mean().alias("mean_price"),
            pl.col("weight").max().alias("heaviest"),
            pl.col("day").min().alias("first_day"),
        )
        .sink_parquet(output, compression="zstd", engine="streaming")
    )


WORKLOADS: dict[str, Callable[[Path, Path], None]] = {"w1": w1, "w2": w2, "w3": w3}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--bucket", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    WORKLOADS[given.workload](given.bucket, given.output)
    since = time.perf_counter()
    with given.output.open("rb") as written:
        os.fsync(written.fileno())
    print(json.dumps({"fsync": time.perf_counter() - since}))


if __name__ == "__main__":
    main()
