"""`headrace serve`, `worker`, `keys` and `db`: the server, and what is done to it from its own machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from headrace.auth.principal import Role
from headrace.clock import SystemClock
from headrace.core import keys
from headrace.core.keys import AccessKey
from headrace.db import Database
from headrace.service import serve as service
from headrace.service.issuing import ACCOUNT, Issued, issue
from headrace.settings import Settings

ROLES: tuple[Role, ...] = ("manager", "viewer")
State = Literal["active", "revoked"]


def serve(settings: Settings) -> None:
    """Answer and run until a signal ends it."""
    from headrace.api.app import create_app

    service.serve(settings, create_app)


def work(settings: Settings) -> None:
    """Run until a signal ends it."""
    service.work(settings)


def upgrade(settings: Settings) -> None:
    """Bring the database to this program's version."""
    with service.database_of(settings) as database:
        database.upgrade()


def create_key(settings: Settings, name: str, role: Role) -> Issued:
    """A new key."""
    secrets = service.opened_secrets(settings)
    with _ready(settings) as database, database.transaction() as con:
        return issue(con, secrets, name=name, role=role, now=SystemClock().now())


def list_keys(settings: Settings) -> tuple[AccessKey, ...]:
    """All keys, without their secrets."""
    with _ready(settings) as database, database.reading() as con:
        return keys.list(con, ACCOUNT)


def revoke_key(settings: Settings, access_key: str) -> None:
    """Let a key open nothing from now on."""
    with _ready(settings) as database, database.transaction() as con:
        keys.revoke(con, access_key, account_id=ACCOUNT, now=SystemClock().now())


def state(key: AccessKey) -> State:
    """Whether a key opens anything."""
    return "active" if key.revoked_at is None else "revoked"


@contextmanager
def _ready(settings: Settings) -> Iterator[Database]:
    with service.database_of(settings) as database:
        database.check_version()
        yield database
