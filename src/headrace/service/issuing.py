"""Access keys as they are handed out: the secret is seen once, then only sealed."""

import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from headrace.auth.principal import Role
from headrace.auth.secrets import Secrets
from headrace.core import keys
from headrace.db import Connection, Database

ACCOUNT = "main"
FIRST_KEY = "first-key.txt"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key with its secret, which nobody can read again."""

    access_key: str
    secret: str

    def __repr__(self) -> str:
        return f"Issued({self.access_key})"


def issue(con: Connection, secrets: Secrets, *, name: str, role: Role, now: datetime) -> Issued:
    """Make a key."""
    issued = Issued(keys.new_access_key(), keys.new_secret())
    sealed = secrets.seal(issued.secret, owner=issued.access_key)
    keys.create(con, issued.access_key, account_id=ACCOUNT, name=name, role=role, secret=sealed, now=now)
    return issued


def issue_first(database: Database, secrets: Secrets, *, data: Path, now: datetime) -> str:
    """At the first start make a key, and give what to tell about it: the key itself on a terminal, else its file."""
    with database.transaction() as con:
        if keys.list(con, ACCOUNT):
            return ""
        issued = issue(con, secrets, name="first", role="manager", now=now)
        text = f"access key: {issued.access_key}\nsecret key: {issued.secret}\n"
        if sys.stderr.isatty():
            return f"The first access key; its secret is shown only now:\n{text}"
        path = data / FIRST_KEY
        path.unlink(missing_ok=True)  # of a start that did not come to its end
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        return f"The first access key is in {path}: take it from there, and remove the file.\n"
