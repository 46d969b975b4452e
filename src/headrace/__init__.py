"""Headrace: a self-hosted Data Flow (ETL) server."""

__version__ = "0.1.0.dev0"
