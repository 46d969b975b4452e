"""What the commands of the question about object storage are called, and what they are held to."""

from collections.abc import Mapping, Sequence

from benchmarks.figures import Bar, Run, ratio

SPEED = 0.7
"""How fast a job from storage to storage has to be, against the same in the folder."""

TITLES = {
    "filter-folder": "filter, folder",
    "filter-s3": "filter, object storage",
    "parquet-folder": "filter of Parquet, folder",
    "parquet-s3": "filter of Parquet, object storage",
    "aggregate-folder": "aggregation, folder",
    "aggregate-s3": "aggregation, object storage",
    "copy": "copy of the CSV object",
}


def bars(runs: Mapping[str, Sequence[Run]]) -> list[Bar]:
    """The promise, as a time: at most this many times as long as in the folder."""
    names = [name.removesuffix("-s3") for name in runs if name.endswith("-s3")]
    return [
        Bar(f"{name}, storage against folder", 1 / SPEED, ratio(runs[f"{name}-s3"], runs[f"{name}-folder"]), "×")
        for name in names
    ]
