"""The database kept and brought back: what an operator asks for, with the checks around it."""

from dataclasses import dataclass
from pathlib import Path

from headrace.auth.secrets import KEY_FILE, load_secrets
from headrace.clock import SystemClock
from headrace.core import figures, keys
from headrace.db import Database
from headrace.db.backups import backup as backed_up
from headrace.db.backups import restore as restored
from headrace.errors import DatabaseFailed, HeadraceError, SchemaMismatch
from headrace.service.issuing import ACCOUNT
from headrace.service.serve import database_of
from headrace.settings import Settings


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it: the version of the tables, and whether the keys that it holds can be opened here."""

    version: str
    upgraded: bool
    readable: bool


def backup(settings: Settings, to: Path) -> Path:
    """Write a backup; the file that it is in."""
    with database_of(settings, make=False) as database:
        return backed_up(database, to, now=SystemClock().now())


def restore(settings: Settings, file: Path, *, force: bool) -> Restored:
    """Bring a backup back, and its tables to this program's version."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with database_of(settings, make=False) as database:
        used = _is_used(database)
        database.dispose()  # no connection of ours may keep the old file
        version = restored(database, file, force=force, used=used)
        database.dispose()
    with database_of(settings, make=False) as database:
        current = _is_current(database)
        database.upgrade()
        return Restored(version, upgraded=not current, readable=_are_readable(database, settings))


def _is_used(database: Database) -> bool:
    if database.path is not None and not database.path.exists():
        return False
    try:
        if database.is_empty():
            return False
        with database.reading() as con:
            return figures.is_used(con)
    except DatabaseFailed:
        if database.path is None:
            raise
        return True  # a damaged file may still be all that somebody has


def _is_current(database: Database) -> bool:
    """Whether the tables are those of this program."""
    try:
        database.check_version()
    except SchemaMismatch:
        return False
    return True


def _are_readable(database: Database, settings: Settings) -> bool:
    """Whether the secrets of all keys can be opened with the key that is here."""
    with database.reading() as con:
        held = keys.list(con, ACCOUNT)
    if not settings["secret_key"] and not (settings.data / KEY_FILE).exists():
        return not held
    try:
        secrets = load_secrets(settings.data, settings["secret_key"])
        for key in held:
            secrets.open(key.secret, owner=key.access_key)
    except HeadraceError:
        return False
    return True
