"""Carrying out the migrations. A module of its own, since a server that finds its tables right never needs Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from headrace.db.tables import VERSION

MIGRATIONS = Path(__file__).with_name("migrations")


def config(con: Connection) -> Config:
    """What Alembic needs to know: where the migrations are, and the connection whose transaction it works in."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = con
    return made


def upgrade(con: Connection) -> None:
    """Bring the tables to `VERSION`."""
    command.upgrade(config(con), VERSION)
