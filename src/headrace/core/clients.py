"""Clients: programs that get tokens of our own for a secret. They are made, found, listed and revoked here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from headrace.core.digests import digest, is_it, new_secret
from headrace.core.jobs import moment
from headrace.db.tables import clients, psks
from headrace.errors import NotFound
from headrace.ids import new_id

_PREFIX = "hrc"


@dataclass(frozen=True, slots=True)
class Client:
    """A client. Its name is what its jobs have as owner, so that a client can be replaced by another one."""

    client_id: str
    account_id: str
    name: str
    roles: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


def create(con: Connection, *, account_id: str, name: str, roles: Iterable[str], now: datetime) -> tuple[Client, str]:
    """Make a client; gives it with its secret, which nobody can read again."""
    made = Client(new_id(), account_id, name, tuple(sorted(set(roles))), now, None)
    secret = new_secret(_PREFIX)
    con.execute(
        insert(clients).values(
            client_id=made.client_id,
            account_id=account_id,
            name=name,
            roles=[*made.roles],
            secret_digest=digest(secret),
            created_at=now.timestamp(),
        )
    )
    return made, secret


def proven(con: Connection, client_id: str, secret: str) -> Client | None:
    """The client, when this is its secret and it is not revoked."""
    row = con.execute(select(clients).where(clients.c.client_id == client_id)).first() if can_be(client_id) else None
    # An unknown client takes as long.
    right = is_it(secret, row.secret_digest if row is not None else "")
    return _client(row) if row is not None and right and row.revoked_at is None else None


def can_be(client_id: str) -> bool:
    """Whether a text can be the id of a client of ours. Not every other text can be asked a database for."""
    return client_id.isascii() and client_id.isalnum()


def list(con: Connection, account_id: str) -> tuple[Client, ...]:
    """All clients of an account, the oldest first, the revoked ones too."""
    c = clients.c
    found = con.execute(select(clients).where(c.account_id == account_id).order_by(c.created_at, c.client_id))
    return tuple(map(_client, found))


def revoke(con: Connection, client_id: str, *, account_id: str, now: datetime) -> None:
    """Give a client no token any more, and end the keys that were made with its tokens. Raises NotFound."""
    c = clients.c
    this = and_(c.account_id == account_id, c.client_id == client_id)
    if con.scalar(select(c.client_id).where(this)) is None:
        raise NotFound("client", client_id)
    at = now.timestamp()
    con.execute(update(clients).where(this, c.revoked_at.is_(None)).values(revoked_at=at))
    made_with = and_(psks.c.client_id == client_id, psks.c.revoked_at.is_(None))
    con.execute(update(psks).where(made_with).values(revoked_at=at, updated_at=at))


def _client(row: Row[Any]) -> Client:
    moments = {name: moment(getattr(row, name)) for name in ("created_at", "revoked_at")}
    values = {name: getattr(row, name) for name in Client.__slots__}
    return Client(**values | moments | {"roles": tuple(row.roles)})
