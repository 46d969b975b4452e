"""The task of ten rows for Airflow: CSV, a filter, CSV. Runs in Airflow's own environment, a process for each run."""

import csv
import os
from pathlib import Path

from airflow.sdk import dag, task


@task  # type: ignore[untyped-decorator]  # it is not part of the development environment
def keep(folder: str, name: str) -> int:
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


@dag(schedule=None, params={"folder": "", "name": ""})  # type: ignore[untyped-decorator]  # as above
def trivial() -> None:
    """One task: a run of the graph is a run of it."""
    keep("{{ params.folder }}", "{{ params.name }}")


trivial()
