"""What the server keeps, on SQLite or PostgreSQL: the tables, and transactions over them."""

from sqlalchemy import Connection

from headrace.db.session import Database

__all__ = ["Connection", "Database"]
