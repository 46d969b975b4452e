"""The inputs of the benchmarks: made once from a seed, the same bytes every time.

    python -m benchmarks.data [--inputs embedded] [--scale 1] [--data DIR]

A storage folder with one bucket and a prefix for each input. At scale 1 those of `embedded` are 2.9 GB and take a
minute or two. A file is kept as long as its size and the checksum of its first bytes are those that it was made with,
and made again when they are not.

`big` is one file under thirty names: hard links, so that 30 GB are read where 1 GB lies. `tpch` is made by DuckDB's
extension of that name, with a scale factor equal to the scale.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

BUCKET = "bench"
SEED = 20240607
HEAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Input:
    """One file: its place in the bucket, its rows at scale 1, the query that gives them, and how they are written.

    `names` is the number of names that it has at scale 1; a smaller scale has fewer names before it has fewer rows.
    One that does not grow has the same rows at every scale.
    """

    key: str
    rows: int
    query: str
    options: str
    names: int = 1
    grows: bool = True

    def scaled(self, scale: float) -> "Input":
        """The same at a scale."""
        if not self.grows:
            return self
        names = max(1, round(self.names * scale))
        return replace(self, rows=max(1, round(self.rows * self.names * scale / names)), names=names)


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

# Three rows of four have a number of their own, the fourth repeats one of theirs.
_VISITS = """
SELECT CASE WHEN i % 4 = 3 THEN dice(i, 'again', $rows * 3 // 4) ELSE i - i // 4 END AS id,
       'customer ' || dice(i, 'customer', 1000000) AS customer, day(i, 'day') AS day,
       CASE WHEN dice(i, 'free', 50) = 0 THEN NULL ELSE CAST(cents(i, 'amount', 1000) AS DOUBLE) END AS amount,
       'left by door ' || dice(i, 'door', 100000) AS note
FROM range($rows) AS r(i)
"""

_CSV, _PARQUET = "FORMAT csv, HEADER true", "FORMAT parquet, COMPRESSION zstd"
ORDERS = Input("w1/orders.csv", 20_000_000, _ORDERS, _CSV)
SETS = {
    "embedded": (
        ORDERS,
        Input("w2/readings.csv", 10_000_000, _READINGS, _CSV),
        Input("facts/facts.parquet", 20_000_000, _FACTS, _PARQUET),
        Input("products/products.parquet", 1_000_000, _PRODUCTS, _PARQUET),
    ),
    "dedupe": (Input("visits/visits.parquet", 20_000_000, _VISITS, _PARQUET),),
    "big": (Input("big/orders-00.csv", 10_600_000, _ORDERS, _CSV, names=30),),
    "tpch": (
        Input("customer/customer.parquet", 150_000, "FROM customer", _PARQUET),
        Input("lineitem/lineitem.parquet", 6_001_215, "FROM lineitem", _PARQUET),
        Input("nation/nation.parquet", 25, "FROM nation", _PARQUET, grows=False),
        Input("orders/orders.parquet", 1_500_000, "FROM orders", _PARQUET),
        Input("region/region.parquet", 5, "FROM region", _PARQUET, grows=False),
        Input("supplier/supplier.parquet", 10_000, "FROM supplier", _PARQUET),
    ),
}


def default_folder() -> Path:
    """Where the inputs lie when nothing is said."""
    return Path(tempfile.gettempdir()) / "headrace-benchmarks"


def prepared(folder: Path, scale: float, inputs: str = "embedded") -> tuple[Path, tuple[Stamp, ...]]:
    """The storage folder for a scale, and what lies in it; what is missing or changed is made first."""
    storage = folder / f"scale-{scale:g}"
    wanted = [given.scaled(scale) for given in SETS[inputs]]
    kept = [_kept(storage, given) for given in wanted]
    if None in kept:
        with tempfile.TemporaryDirectory() as spill:
            con = connected(spill, scale if inputs == "tpch" else None)
            kept = [found or _made(storage, given, con) for found, given in zip(kept, wanted, strict=True)]
    for given in wanted:
        _name(storage / BUCKET / given.key, given.names)
    return storage, tuple(found for found in kept if found)


def connected(spill: str, scale_factor: float | None = None) -> "duckdb.DuckDBPyConnection":
    """A connection that can make the inputs; with a scale factor it holds the tables of TPC-H's schema."""
    import duckdb

    con = duckdb.connect(config={"temp_directory": spill, "memory_limit": "4GB"})
    for macro in _MACROS:
        con.execute(macro.replace("$seed", str(SEED)))
    if scale_factor is not None:
        con.execute(f"LOAD '{_extension()}'")
        con.execute(f"CALL dbgen(sf = {scale_factor:g})")
    return con


def _extension() -> Path:
    spec = find_spec("duckdb_extension_tpch")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [file for folder in folders for file in Path(folder).glob("extensions/*/tpch.duckdb_extension")]
    if not found:
        raise SystemExit("the package duckdb-extension-tpch makes these inputs: make bench-setup installs it")
    return found[0]


def _record(storage: Path, given: Input) -> Path:
    return storage / "made" / f"{given.key.replace('/', '-')}.json"


def _kept(storage: Path, given: Input) -> Stamp | None:
    """What lies there already, if it is what was made."""
    file, record = storage / BUCKET / given.key, _record(storage, given)
    if not (record.exists() and file.exists()):
        return None
    kept = Stamp(**json.loads(record.read_text(encoding="utf-8")))
    return kept if kept == stamp(file, given.key, given.rows) else None


def _made(storage: Path, given: Input, con: "duckdb.DuckDBPyConnection") -> Stamp:
    file, record = storage / BUCKET / given.key, _record(storage, given)
    file.parent.mkdir(parents=True, exist_ok=True)
    record.parent.mkdir(parents=True, exist_ok=True)
    make(file, given, con)
    made = stamp(file, given.key, given.rows)
    record.write_text(json.dumps(asdict(made)), encoding="utf-8")
    return made


def _name(file: Path, names: int) -> None:
    """Give a file its further names, orders-01.csv and so on."""
    for number in range(1, names):
        other = file.with_name(file.name.replace("-00.", f"-{number:02}."))
        if not (other.exists() and other.samefile(file)):
            other.unlink(missing_ok=True)
            os.link(file, other)


def prepared_elsewhere(folder: Path, scale: float, inputs: str) -> tuple[Path, tuple[Stamp, ...]]:
    """The same by a process of its own, for a caller that must stay small."""
    wanted = ["--inputs", inputs, "--scale", f"{scale:g}", "--data", str(folder)]
    command = [sys.executable, "-m", "benchmarks.data", *wanted]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[1], stdout=sys.stderr)
    return prepared(folder, scale, inputs)


def make(file: Path, given: Input, con: "duckdb.DuckDBPyConnection") -> None:
    """Write one input. It appears under its name when it is whole."""
    half = file.with_name(f".{file.name}")  # begins with a dot: no reader takes it for data
    query = given.query.replace("$rows", str(given.rows))
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
    parser.add_argument("--inputs", choices=SETS, default="embedded", help="for which question")
    given = parser.parse_args()
    storage, stamps = prepared(given.data, given.scale, given.inputs)
    print(storage)
    for made in stamps:
        print(f"{made.key:28} {made.rows:>12,} rows {made.size / 1e6:>9,.1f} MB  {made.head[:16]}")


if __name__ == "__main__":
    main()
