"""The inputs of the benchmarks: made once from a seed, the same bytes every time.

    python -m benchmarks.data [--scale 1] [--data DIR]

A storage folder with one bucket: `w1/` and `w2/` hold CSV, `facts/` and `products/` Parquet. At scale 1 they are 2.9 GB
and take a minute or two. A file is kept as long as its size and the checksum of its first bytes are those that it
was made with, and made again when they are not.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

BUCKET = "bench"
SEED = 20240607
HEAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Input:
    """One file: its place in the bucket, its rows at scale 1, the query that gives them, and how they are written."""

    key: str
    rows: int
    query: str
    options: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file was made as: `head` is the checksum of its first MiB."""

    key: str
    rows: int
    size: int
    head: str


# $rows and $seed are filled in as numbers. `hash` is DuckDB's own: the pinned version makes it the same everywhere.
_MACROS = (
    "CREATE TEMP MACRO dice(i, salt, sides) AS CAST(hash(i, $seed, salt) % sides AS BIGINT)",
    "CREATE TEMP MACRO one(i, salt, words) AS words[dice(i, salt, len(words)) + 1]",
    "CREATE TEMP MACRO cents(i, salt, most) AS printf('%d.%02d', dice(i, salt, most), dice(i, salt || 'c', 100))",
    "CREATE TEMP MACRO day(i, salt) AS DATE '2020-01-01' + CAST(dice(i, salt, 1826) AS INTEGER)",
    # One value in a hundred does not parse to its column's type, and another one is missing.
    "CREATE TEMP MACRO spoilt(i, salt, v, words) AS CASE dice(i, salt || 'bad', 100) "
    "WHEN 0 THEN one(i, salt || 'word', words) WHEN 1 THEN NULL ELSE CAST(v AS VARCHAR) END",
)

_ORDERS = """
SELECT i AS id,
       CASE WHEN dice(i, 'quoted', 10) = 0
            THEN one(i, 'last', ['Kim', 'Lee', 'Park', 'Choi', 'Jung']) || ', "' || dice(i, 'nick', 1000) || '" Min'
            ELSE one(i, 'last', ['Kim', 'Lee', 'Park', 'Choi', 'Jung']) || ' ' || dice(i, 'first', 100000) END AS name,
       cents(i, 'amount', 1000) AS amount,
       day(i, 'day') AS day,
       one(i, 'city', ['Seoul', 'Busan', 'Incheon', 'Daegu', 'Daejeon', 'Gwangju', 'Suwon', 'Ulsan']) AS city,
       'order ' || dice(i, 'order', 10000000) || ' left by door ' || dice(i, 'door', 100)
           || one(i, 'how', [', signed for', ' of the depot', ', left with a neighbour', ' by night train']) AS note
FROM range($rows) AS r(i)
"""

_READINGS = """
SELECT spoilt(i, 'id', 1000000000 + i, ['n/a', '12x4', '9223372036854775808', '-']) AS id,
       spoilt(i, 'qty', dice(i, 'qty', 100000) - 500, ['none', '99999999999', '1 000', '#REF!']) AS qty,
       spoilt(i, 'price', cents(i, 'price', 100000), ['1,5', 'abc', '12.5.1', '?']) AS price,
       spoilt(i, 'day', day(i, 'day'), ['yesterday', '2024-13-01', '2024-02-30', '0000']) AS day,
       spoilt(i, 'at', CAST(day(i, 'date') AS TIMESTAMP) + to_seconds(dice(i, 'time', 86400)),
              ['soon', '2024-01-01 25:00:00', '2024-06-31 10:00:00', '0']) AS at,
       spoilt(i, 'sold', dice(i, 'sold', 2) = 0, ['maybe', 'unknown', '??']) AS sold
FROM range($rows) AS r(i)
"""

# $rows is that of the facts: a product has twenty of them on average.
_FACTS = """
SELECT i AS id, dice(i, 'product', $rows // 20) AS product_id, 'store ' || dice(i, 'store', 1000) AS store,
       CAST(dice(i, 'qty', 100) AS INTEGER) AS qty, CAST(cents(i, 'price', 1000) AS DOUBLE) AS price,
       day(i, 'day') AS day
FROM range($rows) AS r(i)
"""

_PRODUCTS = """
SELECT i AS product_id, 'category ' || dice(i, 'category', 1000) AS category,
       CAST(cents(i, 'weight', 50) AS DOUBLE) AS weight
FROM range($rows) AS r(i)
"""

_CSV, _PARQUET = "FORMAT csv, HEADER true", "FORMAT parquet, COMPRESSION zstd"
INPUTS = (
    Input("w1/orders.csv", 20_000_000, _ORDERS, _CSV),
    Input("w2/readings.csv", 10_000_000, _READINGS, _CSV),
    Input("facts/facts.parquet", 20_000_000, _FACTS, _PARQUET),
    Input("products/products.parquet", 1_000_000, _PRODUCTS, _PARQUET),
)


def default_folder() -> Path:
    """Where the inputs lie when nothing is said."""
    return Path(tempfile.gettempdir()) / "headrace-benchmarks"


def prepared(folder: Path, scale: float) -> tuple[Path, tuple[Stamp, ...]]:
    """The storage folder for a scale, and what lies in it; what is missing or changed is made first."""
    storage = folder / f"scale-{scale:g}"
    return storage, tuple(_prepared(storage, given, max(1, round(given.rows * scale))) for given in INPUTS)


def _prepared(storage: Path, given: Input, rows: int) -> Stamp:
    file = storage / BUCKET / given.key
    record = storage / "made" / f"{given.key.replace('/', '-')}.json"
    if record.exists() and file.exists():
        kept = Stamp(**json.loads(record.read_text(encoding="utf-8")))
        if kept == stamp(file, given.key, rows):
            return kept
    file.parent.mkdir(parents=True, exist_ok=True)
    record.parent.mkdir(parents=True, exist_ok=True)
    make(file, given, rows)
    made = stamp(file, given.key, rows)
    record.write_text(json.dumps(asdict(made)), encoding="utf-8")
    return made


def prepared_elsewhere(folder: Path, scale: float) -> tuple[Path, tuple[Stamp, ...]]:
    """The same by a process of its own, for a caller that must stay small."""
    command = [sys.executable, "-m", "benchmarks.data", "--scale", f"{scale:g}", "--data", str(folder)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[1], stdout=sys.stderr)
    return prepared(folder, scale)


def make(file: Path, given: Input, rows: int) -> None:
    """Write one input. It appears under its name when it is whole."""
    import duckdb

    half = file.with_name(f".{file.name}")  # begins with a dot: no reader takes it for data
    with duckdb.connect() as con:
        for macro in _MACROS:
            con.execute(macro.replace("$seed", str(SEED)))
        query = given.query.replace("$rows", str(rows))
        con.execute(f"COPY ({query}) TO '{str(half).replace(chr(39), chr(39) * 2)}' ({given.options})")
    os.replace(half, file)


def stamp(file: Path, key: str, rows: int) -> Stamp:
    """What a file is now."""
    with file.open("rb") as opened:
        head = hashlib.sha256(opened.read(HEAD)).hexdigest()
    return Stamp(key, rows, file.stat().st_size, head)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What every script asks about its inputs."""
    parser.add_argument("--scale", type=float, default=1.0, help="part of the rows; only 1 is worth publishing")
    parser.add_argument("--data", type=Path, default=default_folder(), help="where the inputs lie, or will")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the inputs of the benchmarks.")
    arguments(parser)
    given = parser.parse_args()
    storage, stamps = prepared(given.data, given.scale)
    print(storage)
    for made in stamps:
        print(f"{made.key:28} {made.rows:>12,} rows {made.size / 1e6:>9,.1f} MB  {made.head[:16]}")


if __name__ == "__main__":
    main()
