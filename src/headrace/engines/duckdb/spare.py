"""Engine instances, each for one run; one may be opened ahead, since to open it takes longer than a small job."""

import duckdb

# What is not a matter of the run: `DuckDbEngine` sets the rest on an open instance, limits too.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def opened() -> duckdb.DuckDBPyConnection:
    """A new instance that nobody has used."""
    return duckdb.connect(":memory:", config=_CONFIG)


class Spare:
    """Keeps one instance ready. Used by one thread."""

    def __init__(self) -> None:
        self._ready: duckdb.DuckDBPyConnection | None = None

    def fill(self) -> None:
        """Open one, unless there is one."""
        self._ready = self._ready or opened()

    def take(self) -> duckdb.DuckDBPyConnection:
        """The one that is ready, else a new one."""
        ready, self._ready = self._ready, None
        return ready or opened()
