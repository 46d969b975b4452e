"""Access keys: made, found, listed and revoked. The secret comes here encrypted; nothing here could read it."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from headrace.auth.principal import Principal, Role
from headrace.core.jobs import moment
from headrace.db.tables import access_keys
from headrace.errors import NotFound

_ALPHABET = string.ascii_uppercase + string.digits
_KEY_LENGTH, _SECRET_LENGTH = 20, 40


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key and whom it stands for. `secret` is encrypted; `grants` None means all data."""

    access_key: str
    account_id: str
    name: str
    role: Role
    secret: str
    grants: Mapping[str, Any] | None
    created_at: datetime
    revoked_at: datetime | None

    @property
    def principal(self) -> Principal:
        """The one who signs with it."""
        return Principal(self.account_id, self.name, self.access_key, self.role)


def new_access_key() -> str:
    """The public half of a new key: 20 capital letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_LENGTH))


def new_secret() -> str:
    """The secret half of a new key: 40 letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_SECRET_LENGTH))


def create(
    con: Connection, access_key: str, *, account_id: str, name: str, role: Role, secret: str, now: datetime
) -> AccessKey:
    """Keep a new key. `secret` is encrypted by now."""
    made = AccessKey(access_key, account_id, name, role, secret, None, now, None)
    values = {"account_id": account_id, "name": name, "role": role, "secret": secret, "created_at": now.timestamp()}
    con.execute(insert(access_keys).values(access_key=access_key, **values))
    return made


def find(con: Connection, access_key: str) -> AccessKey | None:
    """The key of that name, also when it is revoked; None when there is none."""
    found = con.execute(select(access_keys).where(access_keys.c.access_key == access_key)).first()
    return None if found is None else _key(found)


def list(con: Connection, account_id: str) -> tuple[AccessKey, ...]:
    """All keys of an account, the oldest first, the revoked ones too."""
    c = access_keys.c
    return tuple(map(_key, con.execute(select(access_keys).where(c.account_id == account_id).order_by(c.created_at))))


def revoke(con: Connection, access_key: str, *, account_id: str, now: datetime) -> None:
    """Let a key open nothing from now on. Raises NotFound; a key that is revoked stays so."""
    this = and_(access_keys.c.account_id == account_id, access_keys.c.access_key == access_key)
    if con.scalar(select(access_keys.c.access_key).where(this)) is None:
        raise NotFound("access key", access_key)
    still = access_keys.c.revoked_at.is_(None)
    con.execute(update(access_keys).where(this, still).values(revoked_at=now.timestamp()))


def _key(row: Row[Any]) -> AccessKey:
    moments = {name: moment(getattr(row, name)) for name in ("created_at", "revoked_at")}
    return AccessKey(**{name: getattr(row, name) for name in AccessKey.__slots__} | moments)
