"""How a database is: its product, its version, and what hangs on its settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from headrace.clock import Clock
from headrace.db.session import Database, version_of

# What each connection sets, as SQLite tells it back.
_PRAGMAS = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}


@dataclass(frozen=True, slots=True)
class Condition:
    """`pragmas` has, of SQLite, what is in force and what should be; `skew` is how far its clock is before ours."""

    product: str
    version: str
    place: str
    schema: str
    pragmas: Mapping[str, tuple[str, str]]
    skew: float


def condition(database: Database, clock: Clock) -> Condition:
    """Look at it. Raises DatabaseFailed when it does not answer."""
    with database.reading() as con:
        schema = version_of(con) or "none"
        if con.dialect.name == "sqlite":
            pragmas = {name: (_told(con, f"PRAGMA {name}"), wanted) for name, wanted in _PRAGMAS.items()}
            version = _told(con, "SELECT sqlite_version()")
            return Condition("SQLite", version, str(database.path), schema, pragmas, 0.0)
        skew = database.now(con) - clock.now().timestamp()
        at = database.url
        place = f"{at.host or 'this machine'}{f':{at.port}' if at.port else ''}, database {at.database}"
        return Condition("PostgreSQL", _told(con, "SHOW server_version"), place, schema, {}, skew)


def _told(con: Connection, statement: str) -> str:
    return str(con.execute(text(statement)).scalar())
