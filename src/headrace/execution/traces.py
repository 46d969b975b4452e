"""What a run leaves in our tables for people: its log in pieces, and the script that it ran.

Nobody is asked here for a lease: the queue is, which hands on the row of the execution.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Insert, Row, insert
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from headrace.db.tables import log_chunks, scripts

_KEPT = ("attempt", "engine", "text")
_sqlite, _postgresql = insert_sqlite(scripts), insert_postgresql(scripts)
# Made once, as the statements of `queue_rows` are.
_APPEND = insert(log_chunks)
_KEEP: Mapping[str, Insert] = {
    "sqlite": _sqlite.on_conflict_do_update(
        index_elements=[scripts.c.execution_id], set_={name: _sqlite.excluded[name] for name in _KEPT}
    ),
    "postgresql": _postgresql.on_conflict_do_update(
        index_elements=[scripts.c.execution_id], set_={name: _postgresql.excluded[name] for name in _KEPT}
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What an attempt told and nobody wrote down yet: its process, its engine and script, a piece of its log."""

    pid: int = 0
    script: tuple[str, str] | None = None
    log: str = ""


NOTHING = Told()


def keep(con: Connection, held: Row[Any], told: Told, now: float) -> None:
    """Write down what was told, but for the process, which stands with the attempt."""
    if told.script is not None:
        keep_script(con, held, engine=told.script[0], text=told.script[1])
    if told.log:
        append(con, held, told.log, now)


def note(con: Connection, held: Row[Any], text: str, now: float) -> None:
    """A line of our own in the log: a cause is always visible there."""
    append(con, held, f"headrace: {text}\n", now)


def append(con: Connection, held: Row[Any], text: str, now: float) -> None:
    """Add to the log."""
    con.execute(_APPEND, {**_of(held), "at": now, "text": _clean(text)})


def keep_script(con: Connection, held: Row[Any], *, engine: str, text: str) -> None:
    """Keep a script in place of what an earlier attempt ran."""
    con.execute(_KEEP[con.dialect.name], {**_of(held), "engine": engine, "text": _clean(text)})


def _of(held: Row[Any]) -> dict[str, object]:
    return {"account_id": held.account_id, "execution_id": held.execution_id, "attempt": held.attempt}


def _clean(text: str) -> str:
    """Neither database keeps every text that a program may print."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
