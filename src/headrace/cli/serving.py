"""`headrace serve`, `worker` and `db`: the server, and what is done to it from its own machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from headrace.db import Database
from headrace.service import serve as service
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


@contextmanager
def ready(settings: Settings) -> Iterator[Database]:
    """The server's database, which has this program's tables."""
    with service.database_of(settings) as database:
        database.check_version()
        yield database
