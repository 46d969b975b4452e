"""The embedded engine: DuckDB, in the process that runs the job."""

from headrace.engines.duckdb.engine import DuckDbEngine

__all__ = ["DuckDbEngine"]
