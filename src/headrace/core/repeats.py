"""Requests that come twice: a signature that is used again, and a change that is asked for again under its own key.

Both are kept in the transaction of the change itself, so that a change and what is known of it stand or fall together.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from sqlalchemy import Connection, Insert, Table, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from headrace.auth.principal import Principal
from headrace.auth.signature_v2 import WINDOW_MS
from headrace.db.tables import first_answers, seen_requests
from headrace.errors import BadParameter, BadState, Problem, Repeated

ANSWERS_SECONDS = 24 * 3600.0
# A timestamp may be as far ahead of our clock as behind it.
_SIGNATURE_SECONDS = 2 * WINDOW_MS / 1000
_LONGEST_KEY = 255
_TIDIED = 256
_ONE_IN = 64
# Made once: the same statement is written out once for each database.
_TABLES = (seen_requests, first_answers)
_ADD: Mapping[str, Mapping[Table, Insert]] = {
    "sqlite": {table: insert_sqlite(table).on_conflict_do_nothing() for table in _TABLES},
    "postgresql": {table: insert_postgresql(table).on_conflict_do_nothing() for table in _TABLES},
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: what was signed, the signature, and the body, which was not. `key` is its own key for repetitions."""

    method: str
    target: str
    signature: str
    body: bytes
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: str


def first_answer(con: Connection, principal: Principal, asked: Asked, *, now: float) -> Answer | None:
    """What was answered to this request before, under its key; None when it is new, and then it is under way now.

    Raises Repeated for a signature that was used with another body, BadParameter for a key that can't be or was used
    for another request, and BadState while the first one is still under way.
    """
    see(con, principal, asked, now=now)
    if asked.key is None:
        return None
    _refuse_odd_key(asked.key)
    c = first_answers.c
    this = and_(c.access_key == principal.access_key, c.idempotency_key == asked.key)
    _refuse_under_way(con, f"{principal.access_key} {asked.key}")
    found = con.execute(select(first_answers).where(this)).first()
    if found is not None and found.at > now - ANSWERS_SECONDS:
        if found.request_digest != _request(asked):
            told = "was used for another request"
            hint = "use a new key for each change; the same one only to send the same request again"
            raise BadParameter([Problem("key-used", told, hint, field="Idempotency-Key")])
        return Answer(found.status, dict(found.headers or {}), found.body)
    con.execute(delete(first_answers).where(this))
    values = {"access_key": principal.access_key, "idempotency_key": asked.key, "account_id": principal.account_id}
    _insert(con, first_answers, {**values, "request_digest": _request(asked), "at": now})
    return None


def keep(con: Connection, principal: Principal, asked: Asked, answer: Answer) -> None:
    """Keep what is answered, when the request has a key of its own."""
    c = first_answers.c
    if asked.key is not None:
        this = and_(c.access_key == principal.access_key, c.idempotency_key == asked.key)
        values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        con.execute(update(first_answers).where(this).values(values))


def see(con: Connection, principal: Principal, asked: Asked, *, now: float) -> None:
    """Remember the signature. Raises Repeated when it was used with another body; the same body is a retry."""
    if not asked.signature:
        return  # asked on the server's own machine
    digest = hashlib.sha256(asked.body).hexdigest()
    values = {"access_key": principal.access_key, "signature": asked.signature, "account_id": principal.account_id}
    if _insert(con, seen_requests, {**values, "body_digest": digest, "at": now}):
        if crc32(asked.signature.encode("utf-8", "surrogateescape")) % _ONE_IN == 0:
            tidy(con, now=now)
        return
    c = seen_requests.c
    this = and_(c.access_key == principal.access_key, c.signature == asked.signature)
    if con.scalar(select(c.body_digest).where(this)) != digest:
        raise Repeated("The signature was used before, with another body: sign again, with a new timestamp.")


def tidy(con: Connection, *, now: float) -> None:
    """Forget what is too old to matter, a bounded number at a time."""
    for table, age in ((seen_requests, _SIGNATURE_SECONDS), (first_answers, ANSWERS_SECONDS)):
        keys = [*table.primary_key.columns]
        old = select(*keys).where(table.c.at < now - age).order_by(table.c.at).limit(_TIDIED)
        for row in con.execute(old).all():
            con.execute(delete(table).where(*(key == value for key, value in zip(keys, row, strict=True))))


def _insert(con: Connection, table: Table, values: dict[str, object]) -> bool:
    """Add a row; False when there is one with its key. Who adds the same row just now is waited for."""
    return con.execute(_ADD[con.dialect.name][table], values).rowcount == 1


def _refuse_under_way(con: Connection, name: str) -> None:
    """On SQLite whoever writes is alone, and the first one has ended by now."""
    if con.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        if not con.scalar(select(func.pg_try_advisory_xact_lock(number))):
            told = "the first request with this Idempotency-Key is still under way"
            raise BadState(told, hint="send it again in a moment")


def _refuse_odd_key(key: str) -> None:
    if not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        told = f"has 1 to {_LONGEST_KEY} signs of ASCII"
        raise BadParameter([Problem("bad-value", told, "a UUID will do", field="Idempotency-Key")])


def _request(asked: Asked) -> str:
    said = f"{asked.method} {asked.target}\n".encode("utf-8", "surrogateescape")
    return hashlib.sha256(said + asked.body).hexdigest()
