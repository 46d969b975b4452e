"""The task of ten rows for Prefect: CSV, a filter, CSV. Runs in Prefect's own environment, a process for each run."""

import csv
import os
import sys
from pathlib import Path

from prefect import flow


@flow  # type: ignore[untyped-decorator]  # it is not part of the development environment
def trivial(folder: str, name: str) -> int:
    """Keep the rows whose id is above 3; how many there are."""
    with (Path(folder) / "rows.csv").open(encoding="utf-8", newline="") as file:
        kept = [row for row in csv.DictReader(file) if int(row["id"]) > 3]
    with (Path(folder) / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ["id", "name"])
        writer.writeheader()
        writer.writerows(kept)
        out.flush()
        os.fsync(out.fileno())
    return len(kept)


if __name__ == "__main__":
    place, pool = sys.argv[1:]
    trivial.from_source(source=place, entrypoint="prefect_flow.py:trivial").deploy(name="bench", work_pool_name=pool)
