"""`headrace serve`, `worker` and `db`: the server, and what is done to it from its own machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.db import Database
from headrace.service import doctor, keeping
from headrace.service import serve as service
from headrace.service.findings import Finding
from headrace.service.keeping import Restored
from headrace.settings import Settings


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


def findings(settings: Settings) -> tuple[Finding, ...]:
    """What the doctor finds."""
    return tuple(doctor.findings(settings))


def backup(settings: Settings, to: Path) -> Path:
    """Write a backup; gives its file."""
    return keeping.backup(settings, to)


def restore(settings: Settings, file: Path, *, force: bool) -> Restored:
    """Bring a backup back."""
    return keeping.restore(settings, file, force=force)


@contextmanager
def ready(settings: Settings) -> Iterator[Database]:
    """The server's database, which has this program's tables."""
    with service.database_of(settings) as database:
        database.check_version()
        yield database
