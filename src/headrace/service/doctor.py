"""What is configured, what answers, what is wrong, and what would do. Looks, and changes nothing of ours.

The one thing that it writes is a small object into each bucket of object storage that the settings name, which it
removes again: nothing else tells whether we may write there.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from headrace import mounts
from headrace.auth.secrets import KEY_FILE, Secrets, load_secrets
from headrace.clock import Clock, SystemClock
from headrace.core import figures, keys
from headrace.db import Database
from headrace.db.condition import Condition, condition
from headrace.db.holding import is_held
from headrace.errors import HeadraceError
from headrace.execution.machine import available_memory, slots
from headrace.service.findings import Finding, bad, good, poor
from headrace.service.issuing import ACCOUNT, FIRST_KEY
from headrace.service.serve import database_of
from headrace.service.surroundings import issuer, packages, port, storages, tls
from headrace.settings import Settings

_SCARCE_BYTES = 1024**3
_MOST_SKEW = 5.0
_LITTLE_MEMORY = 256 * 1024**2


def findings(settings: Settings) -> Iterator[Finding]:
    """Everything, part by part. A part that can't be looked at is a finding, too."""
    clock = SystemClock()
    parts: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _settings(settings),
        lambda: _data(settings),
        lambda: _machine(settings),
        lambda: packages(settings),
        lambda: _secrets(settings),
        lambda: _database(settings, clock),
        lambda: storages(settings),
        lambda: tls(settings, now=clock.now()),
        lambda: issuer(settings, clock=clock),
        lambda: port(settings),
    )
    for part in parts:
        try:
            yield from part()
        except HeadraceError as error:
            yield Finding(error.code, "wrong", error.message, error.hint)
        except OSError as error:
            yield bad("file system", f"{error.filename}: {error.strerror}", "let this user read it")


def _settings(settings: Settings) -> Iterator[Finding]:
    given = [each for each in settings.resolved if each.origin != "default"]
    for each in given:
        yield good("setting", f"{each.setting.name} = {each.shown} ({each.origin})")
    if not given:
        yield good("setting", "all settings have their defaults")


def _data(settings: Settings) -> Iterator[Finding]:
    data = settings.data
    there = next(folder for folder in (data, *data.parents) if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield bad("data folder", f"this user may not write in {there}", "change its owner or its mode, or set data")
        return
    if there != data:
        yield poor("data folder", f"{data} is not there yet", "the first start makes it")
        return
    if mounts.on_network(os.path.realpath(data)):
        hint = "put it on a local disk, or use PostgreSQL and object storage"
        yield poor("data folder", f"{data} lies on a network file system", hint)
    if data.stat().st_mode & stat.S_IWOTH:
        yield bad("data folder", f"everybody may write in {data}", f"chmod o-w {data}")
    yield _room("data folder", data)
    if settings.temp_directory.exists():
        yield _room("temporary folder", settings.temp_directory)


def _room(part: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    told = f"{folder}, {_size(free)} free"
    return good(part, told) if free >= _SCARCE_BYTES else poor(part, told, "make room: runs spill and write there")


def _machine(settings: Settings) -> Iterator[Finding]:
    cores, memory, runs = len(os.sched_getaffinity(0)), available_memory(), slots(settings)
    told = f"{cores} cores, {_size(memory)} of memory; {runs} runs at once"
    if memory * 0.6 / runs < _LITTLE_MEMORY and not settings["memory_limit"]:
        yield poor("machine", told, "each run has little memory: set workers lower")
    else:
        yield good("machine", told)


def _secrets(settings: Settings) -> Iterator[Finding]:
    path = settings.data / KEY_FILE
    if settings["secret_key"]:
        yield good("secret key", "given by the settings")
    elif not path.exists():
        yield poor("secret key", f"{path} is not there yet", "the first start makes it")
    else:
        load_secrets(settings.data)
        yield good("secret key", f"{path}, for its owner alone")
    first = settings.data / FIRST_KEY
    if first.exists():
        yield poor("first key", f"{first} still has its secret", "take it from there, and remove the file")


def _database(settings: Settings, clock: Clock) -> Iterator[Finding]:
    if not settings["database"] and not (settings.data / "headrace.db").exists():
        yield poor("database", f"{settings.data / 'headrace.db'} is not there yet", "the first start makes it")
        return
    with database_of(settings, make=False) as database:
        found = condition(database, clock)
        yield from _condition(found)
        yield from _mode(database.path)
        database.check_version()
        yield good("schema", f"{found.schema}, that of this program")
        yield from _keys(settings, database)
        yield from _queue(database)


def _mode(path: Path | None) -> Iterator[Finding]:
    """Whether others may read the file: it has definitions, the audit log and encrypted secrets."""
    if path is not None and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield poor("database", f"others than its owner may open {path}", f"chmod go= {path}*")


def _condition(found: Condition) -> Iterator[Finding]:
    yield good("database", f"{found.product} {found.version} at {found.place}")
    for name, (value, wanted) in found.pragmas.items():
        if value == wanted:
            yield good("database", f"{name} = {value}")
        else:
            yield bad("database", f"{name} is {value}, not {wanted}", "the file may lie where SQLite can't do this")
    if abs(found.skew) > _MOST_SKEW:
        hint = "set both clocks by NTP: signatures hold for five minutes"
        yield poor("clock", f"the database's clock is {found.skew:+.1f} s from this machine's", hint)
    elif found.pragmas == {}:
        yield good("clock", f"the database's clock is {found.skew:+.1f} s from this machine's")


def _keys(settings: Settings, database: Database) -> Iterator[Finding]:
    with database.reading() as con:
        active = [key for key in keys.list(con, ACCOUNT) if key.revoked_at is None]
    if not active:
        yield poor("access keys", "there is none", "headrace keys create --name NAME")
        return
    there = settings["secret_key"] or (settings.data / KEY_FILE).exists()
    secrets = load_secrets(settings.data, settings["secret_key"]) if there else None
    shut = [key.access_key for key in active if not _opens(secrets, key)]
    if shut:
        hint = f"bring back the {KEY_FILE} that they were made with, or make new ones"
        yield bad("access keys", f"the secrets of {len(shut)} of {len(active)} can't be opened", hint)
    else:
        yield good("access keys", f"{len(active)} active")


def _opens(secrets: Secrets | None, key: keys.AccessKey) -> bool:
    if secrets is None:
        return False
    try:
        secrets.open(key.secret, owner=key.access_key)
    except HeadraceError:
        return False
    return True


def _queue(database: Database) -> Iterator[Finding]:
    with database.reading() as con:
        waiting, running = figures.waiting(con), figures.running(con)
        holders = figures.holders(con, now=database.now(con))
    served = is_held(database)
    told = f"{waiting} wait, {running} run"
    if waiting and not served:
        yield poor("queue", f"{told}, and no server or worker is there", "headrace serve")
    else:
        yield good("queue", f"{told}, {'a server or worker is there' if served else 'no server or worker is there'}")
    for holder in holders:
        told = f"{holder.worker} holds {holder.runs}"
        if holder.late:
            hint = "a server takes them back within seconds; is one running?"
            yield poor("worker", f"{told}, of which {holder.late} leases have ended", hint)
        else:
            yield good("worker", told)


def _size(count: float) -> str:
    return f"{count / 1024**3:.1f} GB"
