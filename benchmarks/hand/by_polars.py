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
from decimal import Decimal
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


def dedupe(bucket: Path, output: Path) -> None:
    """Keep the smallest row of each number."""
    (
        pl.scan_parquet(bucket / "visits/*.parquet")
        .sort("id", "customer", "day", "amount", "note")  # nulls come first
        .unique("id", keep="first")
        .sink_parquet(output, compression="zstd", engine="streaming")
    )


def big(bucket: Path, output: Path) -> None:
    """Cast CSV files."""
    (
        pl.scan_csv(bucket / "big/*.csv", infer_schema=False)
        .with_columns(
            pl.col("id").cast(pl.Int64, strict=False),
            pl.col("amount").cast(pl.Float64, strict=False),
            pl.col("day").str.to_date("%Y-%m-%d", strict=False),
        )
        .sink_parquet(output, compression="zstd", engine="streaming")
    )


def revenue() -> pl.Expr:
    """What an item brings, as a double: a product of decimals is rounded to the digits of its factors."""
    return pl.col("l_extendedprice").cast(pl.Float64) * (1 - pl.col("l_discount").cast(pl.Float64))


def q1(bucket: Path, output: Path) -> None:
    """Sums over almost all items."""
    (
        pl.scan_parquet(bucket / "lineitem/*.parquet")
        .filter(pl.col("l_shipdate") <= date(1998, 9, 2))
        .group_by("l_returnflag", "l_linestatus")
        .agg(
            pl.col("l_quantity").sum().alias("sum_qty"),
            pl.col("l_extendedprice").sum().alias("sum_base_price"),
            revenue().sum().alias("sum_disc_price"),
            (revenue() * (1 + pl.col("l_tax").cast(pl.Float64))).sum().alias("sum_charge"),
            pl.col("l_quantity").mean().alias("avg_qty"),
            pl.col("l_extendedprice").mean().alias("avg_price"),
            pl.col("l_discount").mean().alias("avg_disc"),
            pl.len().cast(pl.Int64).alias("count_order"),
        )
        .sink_parquet(output, compression="zstd", engine="streaming")
    )


def q3(bucket: Path, output: Path) -> None:
    """Revenue by order."""
    builders = pl.scan_parquet(bucket / "customer/*.parquet").filter(pl.col("c_mktsegment") == "BUILDING")
    orders = pl.scan_parquet(bucket / "orders/*.parquet").filter(pl.col("o_orderdate") < date(1995, 3, 15))
    (
        pl.scan_parquet(bucket / "lineitem/*.parquet")
        .filter(pl.col("l_shipdate") > date(1995, 3, 15))
        .join(
            orders.join(builders, left_on="o_custkey", right_on="c_custkey"),
            left_on="l_orderkey",
            right_on="o_orderkey",
        )
        .group_by("l_orderkey", "o_orderdate", "o_shippriority")
        .agg(revenue().sum().alias("revenue"))
        .sink_parquet(output, compression="zstd", engine="streaming")
    )


def q5(bucket: Path, output: Path) -> None:
    """Revenue by nation."""
    tables = {name: pl.scan_parquet(bucket / f"{name}/*.parquet") for name in ("customer", "supplier", "orders")}
    nations = pl.scan_parquet(bucket / "nation/*.parquet").join(
        pl.scan_parquet(bucket / "region/*.parquet").filter(pl.col("r_name") == "ASIA"),
        left_on="n_regionkey",
        right_on="r_regionkey",
    )
    in_1994 = pl.col("o_orderdate").is_between(date(1994, 1, 1), date(1995, 1, 1), closed="left")
    orders = (
        tables["orders"]
        .filter(in_1994)
        .join(tables["customer"], left_on="o_custkey", right_on="c_custkey")
        .join(nations, left_on="c_nationkey", right_on="n_nationkey")
    )
    (
        pl.scan_parquet(bucket / "lineitem/*.parquet")
        .join(orders, left_on="l_orderkey", right_on="o_orderkey")
        .join(tables["supplier"], left_on=["l_suppkey", "c_nationkey"], right_on=["s_suppkey", "s_nationkey"])
        .group_by("n_name")
        .agg(revenue().sum().alias("revenue"))
        .sink_parquet(output, compression="zstd", engine="streaming")
    )


def q6(bucket: Path, output: Path) -> None:
    """One sum."""
    (
        pl.scan_parquet(bucket / "lineitem/*.parquet")
        .filter(
            pl.col("l_shipdate").is_between(date(1994, 1, 1), date(1995, 1, 1), closed="left"),
            pl.col("l_discount").is_between(Decimal("0.05"), Decimal("0.07")),
            pl.col("l_quantity") < 24,
        )
        .select(
            (pl.col("l_extendedprice").cast(pl.Float64) * pl.col("l_discount").cast(pl.Float64)).sum().alias("revenue")
        )
        .sink_parquet(output, compression="zstd", engine="streaming")
    )


def q12(bucket: Path, output: Path) -> None:
    """Counts by shipping mode."""
    urgent = pl.col("o_orderpriority").is_in(["1-URGENT", "2-HIGH"])
    (
        pl.scan_parquet(bucket / "lineitem/*.parquet")
        .filter(
            pl.col("l_shipmode").is_in(["MAIL", "SHIP"]),
            pl.col("l_commitdate") < pl.col("l_receiptdate"),
            pl.col("l_shipdate") < pl.col("l_commitdate"),
            pl.col("l_receiptdate").is_between(date(1994, 1, 1), date(1995, 1, 1), closed="left"),
        )
        .join(pl.scan_parquet(bucket / "orders/*.parquet"), left_on="l_orderkey", right_on="o_orderkey")
        .group_by("l_shipmode")
        .agg(
            urgent.sum().cast(pl.Int64).alias("high_line_count"),
            (~urgent).sum().cast(pl.Int64).alias("low_line_count"),
        )
        .sink_parquet(output, compression="zstd", engine="streaming")
    )


WORKLOADS: dict[str, Callable[[Path, Path], None]] = {
    "w1": w1,
    "w2": w2,
    "w3": w3,
    "dedupe": dedupe,
    "big": big,
    "tpch-q1": q1,
    "tpch-q3": q3,
    "tpch-q5": q5,
    "tpch-q6": q6,
    "tpch-q12": q12,
}


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
