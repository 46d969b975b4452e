"""What a run leaves in our tables for people: its log in pieces, and the script that it ran.

Nobody is asked here for a lease: the queue is, which hands on the row of the execution.
"""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert

from headrace.db.tables import log_chunks, scripts


def note(con: Connection, held: Row[Any], text: str, now: float) -> None:
    """A line of our own in the log: a cause is always visible there."""
    append(con, held, f"headrace: {text}\n", now)


def append(con: Connection, held: Row[Any], text: str, now: float) -> None:
    """Add to the log."""
    con.execute(insert(log_chunks), {**_of(held), "at": now, "text": _clean(text)})


def keep_script(con: Connection, held: Row[Any], *, engine: str, text: str) -> None:
    """Keep a script in place of what an earlier attempt ran."""
    con.execute(delete(scripts).where(scripts.c.execution_id == held.execution_id))
    con.execute(insert(scripts), {**_of(held), "engine": engine, "text": _clean(text)})


def _of(held: Row[Any]) -> dict[str, object]:
    return {"account_id": held.account_id, "execution_id": held.execution_id, "attempt": held.attempt}


def _clean(text: str) -> str:
    """Neither database keeps every text that a program may print."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
