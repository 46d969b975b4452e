"""Access keys as they are handed out: the secret is seen once, then only sealed."""

import os
import re
import sys
from dataclasses import dataclass
from datetime import datetime

from headrace.auth.policy import Policy
from headrace.auth.principal import Principal, Role
from headrace.auth.secrets import Secrets
from headrace.core import audit, keys
from headrace.core.audit import Deed, Origin
from headrace.db import Connection, Database
from headrace.errors import SettingInvalid
from headrace.settings import Settings
from headrace.stores.grants import Grants

ACCOUNT = "main"
FIRST_KEY = "first-key.txt"
_ACCESS_KEY = re.compile(r"[A-Za-z0-9]{16,64}")
_SECRET = re.compile(r"[!-~]{20,128}")


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key with its secret, which nobody can read again."""

    access_key: str
    secret: str

    def __repr__(self) -> str:
        return f"Issued({self.access_key})"


def issue(
    con: Connection,
    secrets: Secrets,
    *,
    name: str,
    role: Role,
    now: datetime,
    policy: Policy | None = None,
    grants: Grants | None = None,
    by: tuple[Principal, Origin],
    given: Issued | None = None,
) -> Issued:
    """Make a key, or keep the one that is given; `by` tells who does it, and from where."""
    issued = given or Issued(keys.new_access_key(), keys.new_secret())
    sealed = secrets.seal(issued.secret, owner=issued.access_key)
    keys.create(
        con,
        issued.access_key,
        account_id=ACCOUNT,
        name=name,
        role=role,
        secret=sealed,
        now=now,
        policy=policy,
        grants=grants,
    )
    who, origin = by
    rights = {"policy": policy.as_json() if policy else None, "grants": grants.as_json() if grants else None}
    deed = Deed("Change/createKey", f"keys/{issued.access_key}", "done", {"name": name, "role": role, **rights})
    audit.write(con, who, deed, origin=origin, now=now)
    return issued


def issue_first(database: Database, secrets: Secrets, settings: Settings, *, now: datetime) -> str:
    """At the first start make a key, and give what to tell about it: the key itself on a terminal, else its file.

    A key that the settings give is kept, and nothing is told. Raises SettingInvalid when it can't be one.
    """
    given = _given(settings)
    by = (Principal(ACCOUNT, "headrace", "", "manager"), Origin("first start"))
    with database.transaction() as con:
        if keys.list(con, ACCOUNT):
            return ""
        issued = issue(con, secrets, name="first", role="manager", now=now, by=by, given=given)
        if given is not None:
            return ""
        text = f"access key: {issued.access_key}\nsecret key: {issued.secret}\n"
        if sys.stderr.isatty():
            return f"The first access key; its secret is shown only now:\n{text}"
        path = settings.data / FIRST_KEY
        path.unlink(missing_ok=True)  # of a start that did not come to its end
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        return f"The first access key is in {path}: take it from there, and remove the file.\n"


def _given(settings: Settings) -> Issued | None:
    """The first key as the settings give it."""
    access_key, secret = settings["first_access_key"], settings["first_secret_key"]
    if bool(access_key) != bool(secret):
        raise SettingInvalid("one of first_access_key and first_secret_key is not set", hint="set both, or neither")
    if not access_key:
        return None
    if not _ACCESS_KEY.fullmatch(access_key):
        raise SettingInvalid("first_access_key: its value can't be", hint="it is 16 to 64 letters and digits")
    if not _SECRET.fullmatch(secret):
        raise SettingInvalid("first_secret_key: its value can't be", hint="it is 20 to 128 signs of ASCII, no spaces")
    return Issued(access_key, secret)
