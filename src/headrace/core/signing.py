"""The keys that our own tokens are signed with, as they lie in the database: the private half is sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from headrace.auth.secrets import Secrets
from headrace.core.jobs import moment
from headrace.db.tables import signing_keys

SIGNS = timedelta(days=90)
# A token lives for minutes; servers that have not heard of the next key have hours.
CHECKS = SIGNS + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key: its public half as it is published, its private half sealed."""

    kid: str
    public: Mapping[str, Any]
    private: str
    created_at: datetime


def current(con: Connection, account_id: str, *, now: datetime) -> SigningKey | None:
    """What signs now; None when it is time for a new one."""
    usable = [key for key in _since(con, account_id, now - SIGNS) if key.created_at <= now]
    return usable[-1] if usable else None


def published(con: Connection, account_id: str, *, now: datetime) -> tuple[Mapping[str, Any], ...]:
    """The public halves of all that may have signed a token that still lives."""
    return tuple(key.public for key in _since(con, account_id, now - CHECKS))


def add(con: Connection, account_id: str, key: SigningKey) -> None:
    """Keep a key."""
    values = {"public": dict(key.public), "private": key.private, "created_at": key.created_at.timestamp()}
    con.execute(insert(signing_keys).values(kid=key.kid, account_id=account_id, **values))


def owner(kid: str) -> str:
    """What the seal of a private half says that it belongs to."""
    return f"signing key {kid}"


def sealed_again(con: Connection, secrets: Secrets) -> int:
    """Seal every private half under the newest key that is not sealed so; gives how many. Raises SecretUnreadable."""
    c, count = signing_keys.c, 0
    for row in con.execute(select(c.kid, c.private).with_for_update()).all():
        if not secrets.is_current(row.private):
            sealed = secrets.seal(secrets.open(row.private, owner=owner(row.kid)), owner=owner(row.kid))
            con.execute(update(signing_keys).where(c.kid == row.kid).values(private=sealed))
            count += 1
    return count


def _since(con: Connection, account_id: str, since: datetime) -> tuple[SigningKey, ...]:
    c = signing_keys.c
    this = select(signing_keys).where(c.account_id == account_id, c.created_at > since.timestamp())
    rows = con.execute(this.order_by(c.created_at, c.kid))
    return tuple(SigningKey(row.kid, row.public, row.private, _moment(row.created_at)) for row in rows)


def _moment(seconds: float) -> datetime:
    found = moment(seconds)
    assert found is not None
    return found
