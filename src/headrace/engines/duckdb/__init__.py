"""The embedded engine: DuckDB, in the process that runs the job."""

from headrace.engines.duckdb.engine import DuckDbEngine
from headrace.engines.duckdb.spare import Spare

__all__ = ["DuckDbEngine", "Spare"]
