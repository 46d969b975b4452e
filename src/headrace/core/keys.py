"""Access keys: made, found, listed and revoked. The secret comes here encrypted; nothing here could read it."""

import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from headrace.auth.policy import Policy
from headrace.auth.principal import Principal, Role
from headrace.auth.secrets import Secrets
from headrace.core.jobs import moment
from headrace.db.session import changing
from headrace.db.tables import access_keys
from headrace.errors import NotFound
from headrace.stores.grants import Grants

# What `Database.changes` counts, for those who keep keys at hand.
CHANGED = "access keys"
_ALPHABET = string.ascii_uppercase + string.digits
_KEY_LENGTH, _SECRET_LENGTH = 20, 40


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key and whom it stands for. `secret` is encrypted; without policy and grants the role says what it may."""

    access_key: str
    account_id: str
    name: str
    role: Role
    secret: str
    created_at: datetime
    revoked_at: datetime | None
    policy: Policy | None
    grants: Grants | None

    @property
    def principal(self) -> Principal:
        """The one who signs with it."""
        return Principal(self.account_id, self.name, self.access_key, self.role, self.policy, self.grants)


def new_access_key() -> str:
    """The public half of a new key: 20 capital letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_LENGTH))


def new_secret() -> str:
    """The secret half of a new key: 40 letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_SECRET_LENGTH))


def create(
    con: Connection,
    access_key: str,
    *,
    account_id: str,
    name: str,
    role: Role,
    secret: str,
    now: datetime,
    policy: Policy | None = None,
    grants: Grants | None = None,
) -> AccessKey:
    """Keep a new key. `secret` is encrypted by now."""
    made = AccessKey(access_key, account_id, name, role, secret, now, None, policy, grants)
    values = {
        "account_id": account_id,
        "name": name,
        "role": role,
        "secret": secret,
        "created_at": now.timestamp(),
        "policies": None if policy is None else policy.as_json(),
        "grants": None if grants is None else grants.as_json(),
    }
    con.execute(insert(access_keys).values(access_key=access_key, **values))
    return made


def find(con: Connection, access_key: str) -> AccessKey | None:
    """The key of that name, also when it is revoked; None when there is none."""
    found = con.execute(select(access_keys).where(access_keys.c.access_key == access_key)).first()
    return None if found is None else _key(found)


def get(con: Connection, access_key: str, *, account_id: str) -> AccessKey:
    """A key of an account, also a revoked one. Raises NotFound."""
    found = find(con, access_key)
    if found is None or found.account_id != account_id:
        raise NotFound("access key", access_key)
    return found


def list(con: Connection, account_id: str) -> tuple[AccessKey, ...]:
    """All keys of an account, the oldest first, the revoked ones too."""
    c = access_keys.c
    return tuple(map(_key, con.execute(select(access_keys).where(c.account_id == account_id).order_by(c.created_at))))


def revoke(con: Connection, access_key: str, *, account_id: str, now: datetime) -> None:
    """Let a key open nothing from now on. Raises NotFound; a key that is revoked stays so."""
    get(con, access_key, account_id=account_id)
    still = and_(access_keys.c.access_key == access_key, access_keys.c.revoked_at.is_(None))
    con.execute(update(access_keys).where(still).values(revoked_at=now.timestamp()))
    changing(con, CHANGED)


def sealed_again(con: Connection, secrets: Secrets) -> int:
    """Seal every secret under the newest key that is not sealed so; gives how many. Raises SecretUnreadable."""
    c, count = access_keys.c, 0
    for row in con.execute(select(c.access_key, c.secret).with_for_update()).all():
        if not secrets.is_current(row.secret):
            text = secrets.open(row.secret, owner=row.access_key)
            sealed = secrets.seal(text, owner=row.access_key)
            con.execute(update(access_keys).where(c.access_key == row.access_key).values(secret=sealed))
            count += 1
    changing(con, CHANGED)
    return count


def _key(row: Row[Any]) -> AccessKey:
    return AccessKey(
        access_key=row.access_key,
        account_id=row.account_id,
        name=row.name,
        role=row.role,
        secret=row.secret,
        created_at=datetime.fromtimestamp(row.created_at, UTC),
        revoked_at=moment(row.revoked_at),
        policy=None if row.policies is None else Policy.of(row.policies),
        grants=None if row.grants is None else Grants.of(row.grants),
    )
