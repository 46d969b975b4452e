"""The jobs of this folder as the best hand-written DuckDB script, in a process of its own.

    python benchmarks/hand/by_duckdb.py w1 --bucket DIR --output FILE

Every used field of every row is read as text and cast, as Headrace does, but nothing is counted, no form is checked
and nothing is staged. `--push` lets the optimiser move the filter below the casts, so that only the filter's own
columns are cast for every row. The last line that is printed says how many seconds the final fsync took.
"""

import argparse
import json
import os
import time
from pathlib import Path

import duckdb

_READ = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false"

_W1 = f"""
COPY (
    SELECT *
    FROM (
        SELECT TRY_CAST(id AS BIGINT) AS id, name, TRY_CAST(amount AS DOUBLE) AS amount,
               TRY_CAST(day AS DATE) AS day, city, note
        FROM read_csv('$bucket/w1/*.csv', {_READ}, columns = {{'id': 'VARCHAR', 'name': 'VARCHAR',
                      'amount': 'VARCHAR', 'day': 'VARCHAR', 'city': 'VARCHAR', 'note': 'VARCHAR'}})
        $barrier
    )
    WHERE amount >= 500 AND day >= DATE '2022-07-01'
) TO '$output' (FORMAT csv, HEADER true)
"""

_W2 = f"""
COPY (
    SELECT TRY_CAST(id AS BIGINT) AS id, TRY_CAST(qty AS INTEGER) AS qty, TRY_CAST(price AS DOUBLE) AS price,
           TRY_CAST(day AS DATE) AS day, TRY_CAST("at" AS TIMESTAMP) AS "at", TRY_CAST(sold AS BOOLEAN) AS sold
    FROM read_csv('$bucket/w2/*.csv', {_READ}, columns = {{'id': 'VARCHAR', 'qty': 'VARCHAR',
                  'price': 'VARCHAR', 'day': 'VARCHAR', 'at': 'VARCHAR', 'sold': 'VARCHAR'}})
) TO '$output' (FORMAT parquet, COMPRESSION zstd)
"""

_W3 = """
COPY (
    SELECT category, store, CAST(sum(qty) AS BIGINT) AS quantity, sum(price) AS turnover, avg(price) AS mean_price,
           max(weight) AS heaviest, min(day) AS first_day
    FROM read_parquet('$bucket/facts/*.parquet')
    JOIN read_parquet('$bucket/products/*.parquet') USING (product_id)
    GROUP BY category, store
) TO '$output' (FORMAT parquet, COMPRESSION zstd)
"""

# Rows are numbered by a window: of the forms that give the same rows, the one that spills. arg_min and DISTINCT ON run
# out of memory at 1 GB, min over a struct goes far beyond the limit, and sorting all rows takes a third longer.
_DEDUPE = """
COPY (
    SELECT id, customer, day, amount, note
    FROM read_parquet('$bucket/visits/*.parquet')
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY customer NULLS FIRST, day NULLS FIRST, amount NULLS FIRST,
                               note NULLS FIRST) = 1
) TO '$output' (FORMAT parquet, COMPRESSION zstd)
"""

_BIG = f"""
COPY (
    SELECT TRY_CAST(id AS BIGINT) AS id, name, TRY_CAST(amount AS DOUBLE) AS amount,
           TRY_CAST(day AS DATE) AS day, city, note
    FROM read_csv('$bucket/big/*.csv', {_READ}, columns = {{'id': 'VARCHAR', 'name': 'VARCHAR',
                  'amount': 'VARCHAR', 'day': 'VARCHAR', 'city': 'VARCHAR', 'note': 'VARCHAR'}})
) TO '$output' (FORMAT parquet, COMPRESSION zstd)
"""

_Q1 = """
COPY (
    SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,
           sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
           sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
           avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc,
           count(*) AS count_order
    FROM read_parquet('$bucket/lineitem/*.parquet')
    WHERE l_shipdate <= DATE '1998-09-02'
    GROUP BY ALL
) TO '$output' (FORMAT parquet, COMPRESSION zstd)
"""

_Q3 = """
COPY (
    SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
    FROM read_parquet('$bucket/lineitem/*.parquet')
    JOIN read_parquet('$bucket/orders/*.parquet') ON l_orderkey = o_orderkey
    JOIN read_parquet('$bucket/customer/*.parquet') ON o_custkey = c_custkey
    WHERE c_mktsegment = 'BUILDING' AND o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15'
    GROUP BY ALL
) TO '$output' (FORMAT parquet, COMPRESSION zstd)
"""

_Q5 = """
COPY (
    SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
    FROM read_parquet('$bucket/lineitem/*.parquet')
    JOIN read_parquet('$bucket/orders/*.parquet') ON l_orderkey = o_orderkey
    JOIN read_parquet('$bucket/customer/*.parquet') ON o_custkey = c_custkey
    JOIN read_parquet('$bucket/supplier/*.parquet') ON l_suppkey = s_suppkey AND c_nationkey = s_nationkey
    JOIN read_parquet('$bucket/nation/*.parquet') ON s_nationkey = n_nationkey
    JOIN read_parquet('$bucket/region/*.parquet') ON n_regionkey = r_regionkey
    WHERE r_name = 'ASIA' AND o_orderdate >= DATE '1994-01-01' AND o_orderdate < DATE '1995-01-01'
    GROUP BY ALL
) TO '$output' (FORMAT parquet, COMPRESSION zstd)
"""

_Q6 = """
COPY (
    SELECT sum(l_extendedprice * l_discount) AS revenue
    FROM read_parquet('$bucket/lineitem/*.parquet')
    WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
          AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24
) TO '$output' (FORMAT parquet, COMPRESSION zstd)
"""

_Q12 = """
COPY (
    SELECT l_shipmode, count_if(o_orderpriority IN ('1-URGENT', '2-HIGH'))::BIGINT AS high_line_count,
           count_if(o_orderpriority NOT IN ('1-URGENT', '2-HIGH'))::BIGINT AS low_line_count
    FROM read_parquet('$bucket/lineitem/*.parquet')
    JOIN read_parquet('$bucket/orders/*.parquet') ON l_orderkey = o_orderkey
    WHERE l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate
          AND l_receiptdate >= DATE '1994-01-01' AND l_receiptdate < DATE '1995-01-01'
    GROUP BY ALL
) TO '$output' (FORMAT parquet, COMPRESSION zstd)
"""

STATEMENTS = {
    "w1": _W1,
    "w2": _W2,
    "w3": _W3,
    "dedupe": _DEDUPE,
    "big": _BIG,
    "tpch-q1": _Q1,
    "tpch-q3": _Q3,
    "tpch-q5": _Q5,
    "tpch-q6": _Q6,
    "tpch-q12": _Q12,
}


def statement(workload: str, *, bucket: Path, output: Path, push: bool) -> str:
    """The SQL of a job. OFFSET 0 keeps the filter where it is written."""
    places = {"$bucket": bucket, "$output": output}
    text = STATEMENTS[workload].replace("$barrier", "" if push else "OFFSET 0")
    for place, path in places.items():
        text = text.replace(place, str(path).replace("'", "''"))
    return text


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=STATEMENTS)
    parser.add_argument("--bucket", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--memory-limit", required=True)
    parser.add_argument("--spill", required=True)
    parser.add_argument("--push", action="store_true")
    given = parser.parse_args()
    con = duckdb.connect(
        config={
            "threads": given.threads,
            "memory_limit": given.memory_limit,
            "temp_directory": given.spill,
            "preserve_insertion_order": False,
        }
    )
    con.execute(statement(given.workload, bucket=given.bucket, output=given.output, push=given.push))
    since = time.perf_counter()
    with given.output.open("rb") as written:
        os.fsync(written.fileno())
    print(json.dumps({"fsync": time.perf_counter() - since}))


if __name__ == "__main__":
    main()
