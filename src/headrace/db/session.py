"""A database and its transactions. What differs between SQLite and PostgreSQL stands here.

On SQLite a transaction takes the write lock at its beginning: one that begins as a reader and then writes would fail
at once when another writer came between. Readers are not held up by it.
"""

import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    create_engine,
    event,
    extract,
    func,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.pool import ConnectionPoolEntry

from headrace import mounts
from headrace.clock import Clock, SystemClock
from headrace.db.tables import VERSION
from headrace.errors import DatabaseFailed, DatabaseFull, DatabaseReadOnly, SchemaMismatch, SettingInvalid

SERVER_NAME = "headrace server"
_BEGIN = "headrace_begin"
_CHANGED = "headrace_changed"
_IDLE_SINCE = "headrace_idle_since"
# On PostgreSQL a reader sees what is committed whether its statements are one transaction or not, and to begin and end
# one takes as long as to read. Outside of transactions a connection of ours can't write there: `_prepared`.
_READING: Mapping[str, dict[str, str]] = {
    "sqlite": {_BEGIN: "BEGIN DEFERRED"},
    "postgresql": {"isolation_level": "AUTOCOMMIT"},
}
_STEADY = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_NOW = select(extract("epoch", func.clock_timestamp()))
_BUSY_SECONDS = 10
_FRESH_SECONDS = 1.0
"""A connection to PostgreSQL that was used so lately is not asked whether it is still there."""
_CONNECTIONS = {"pool_size": 10, "max_overflow": 30}
_UPGRADE_LOCK = 4_372_170_441  # any number, the same in all programs that upgrade


class Database:
    """The server's own data. Safe to share among threads; a transaction belongs to one."""

    def __init__(self, engine: Engine, *, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._base = clock.now().timestamp() - clock.seconds()
        self._changes: Counter[str] = Counter()
        self._writing = _Turns() if engine.dialect.name == "sqlite" else nullcontext()

    @classmethod
    def open(cls, url: str, *, clock: Clock | None = None, serves: bool = False) -> "Database":
        """A database by its address: `sqlite:///path`, or `postgresql+psycopg://…`. Connects when it is first used.

        `serves` says that a server opens it, and not somebody who asks and goes.
        """
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise SettingInvalid("the address of the database can't be read", hint=_ADDRESSES) from None
        engine = _ENGINES.get(parsed.drivername)
        if engine is None or (parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:")):
            raise SettingInvalid(f"no database can be opened by {parsed.drivername}://", hint=_ADDRESSES)
        if parsed.drivername == "sqlite" and mounts.on_network(os.path.realpath(str(parsed.database))):
            hint = "put it on a local disk (data, or database), or use PostgreSQL"
            raise SettingInvalid(
                f"{parsed.database} lies on a network file system, where SQLite's locks fail", hint=hint
            )
        clock = clock or SystemClock()
        return cls(engine(url, clock, serves), clock=clock)

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database."""
        file = self._engine.url.database
        return Path(file) if self._engine.dialect.name == "sqlite" and file else None

    @property
    def url(self) -> URL:
        """Its address. Printed, it hides the password."""
        return self._engine.url

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done in it is kept when it ends, and nothing when it raises. Raises DatabaseFailed."""
        with _told(), self._writing, self._engine.connect() as con:
            changed: list[str] = []
            con.info[_CHANGED] = changed
            with con.begin():
                yield con
            # A reader that counted before the commit reads again; one that counts too late has read what is new.
            self._changes.update(changed)

    def changes(self, what: str) -> int:
        """How often transactions of this process have changed what `changing` names; it never goes back."""
        return self._changes[what]

    @contextmanager
    def reading(self, *, steady: bool = False) -> Iterator[Connection]:
        """A view of one moment on SQLite, of what is committed on PostgreSQL; `steady`: of one moment on both.

        It writes nothing.
        """
        with _told(), self._engine.connect() as con:
            steadily = steady and con.dialect.name == "postgresql"
            con.execution_options(**(_STEADY if steadily else _READING[con.dialect.name]))
            with con.begin():
                yield con

    def now(self, con: Connection) -> float:
        """Seconds since 1970 by the clock of leases: PostgreSQL's own, so that workers need not agree on theirs.

        On SQLite it is the time at which this process opened the database and what has passed since, so that a step
        of the machine's clock ends no lease.
        """
        if con.dialect.name == "sqlite":
            return self._base + self._clock.seconds()
        return float(con.scalar(_NOW) or 0)

    def upgrade(self) -> None:
        """Bring the tables to this program's version, all or nothing; a database that has it is left as it is."""
        from headrace.db.upgrading import upgrade

        with self.transaction() as con:
            if con.dialect.name == "postgresql":
                con.execute(select(func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
            found = version_of(con)
            if found is not None and found > VERSION:
                raise mismatch(found)
            if found != VERSION:
                upgrade(con)

    def is_empty(self) -> bool:
        """Whether it has no tables yet, also after an upgrade that was cut short."""
        with self.reading() as con:
            return version_of(con) is None

    def check_version(self) -> None:
        """Raises SchemaMismatch, which says what to do, unless the tables are those of this program."""
        with self.reading() as con:
            found = version_of(con)
        if found != VERSION:
            raise mismatch(found)

    def dispose(self) -> None:
        """Close the connections that nobody uses."""
        self._engine.dispose()


class News:
    """Whether this process has changed something since the last time that this was asked."""

    def __init__(self, database: Database, what: str) -> None:
        self._database = database
        self._what = what
        self._seen = database.changes(what)

    def came(self) -> bool:
        """Whether it has; costs no look at the database."""
        before, self._seen = self._seen, self._database.changes(self._what)
        return self._seen != before


class _Turns:
    """The writers of this process one after another, in the order in which they came.

    SQLite has one writer at a time and lets others look again after pauses of up to 100 ms; here each goes on at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=_BUSY_SECONDS):
            return
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                raise DatabaseFailed("the database says: it was busy for too long")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


def changing(con: Connection, what: str) -> None:
    """Say that this transaction changes something that others keep copies of."""
    con.info[_CHANGED].append(what)


def version_of(con: Connection) -> str | None:
    """The version of the tables, None when there are none."""
    if not inspect(con).has_table("alembic_version"):
        return None
    found = con.scalar(select(text("version_num")).select_from(table("alembic_version")))
    return None if found is None else str(found)


def mismatch(found: str | None) -> SchemaMismatch:
    """What to do about a database of another version, or of none."""
    if found is None:
        return SchemaMismatch("the database has no tables yet", hint="make them: headrace db upgrade")
    if found > VERSION:
        told = f"the database has schema {found}, and this program knows {VERSION} at most"
        return SchemaMismatch(told, hint="use the newer Headrace that upgraded it, or restore a backup from before")
    told = f"the database has schema {found}, and this program needs {VERSION}"
    return SchemaMismatch(told, hint="stop all of its servers, make a backup, then: headrace db upgrade")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # a rule of the tables was broken: the caller knows which
    except DBAPIError as error:
        raise _kind(error.orig)(f"the database says: {str(error.orig).strip()}") from error
    except PoolExhausted as error:
        raise DatabaseFailed("no connection to the database became free in time") from error


def _kind(said: BaseException | None) -> type[DatabaseFailed]:
    """What went wrong, by the word of sqlite3 or the number of PostgreSQL."""
    word = str(getattr(said, "sqlite_errorname", None) or getattr(said, "sqlstate", None))
    if word in ("SQLITE_FULL", "53100"):
        return DatabaseFull
    return DatabaseReadOnly if word.startswith("SQLITE_READONLY") or word == "25006" else DatabaseFailed


def _sqlite(url: str, clock: Clock, serves: bool) -> Engine:
    del clock, serves  # a lock beside the file tells that
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS}, **_CONNECTIONS)
    event.listen(engine, "do_connect", _connecting)
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begun)
    return engine


def _connecting(_dialect: object, _record: object, arguments: list[str], _keywords: object) -> None:
    """Make the file its owner's alone, as its journals are then: it has jobs, the audit log, encrypted secrets."""
    with suppress(OSError):  # it is there, or it can't be made, which SQLite tells better
        os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _connected(connection: Any, _: object) -> None:
    """Prepare a connection of sqlite3 (the Any is its type, which no other module may name)."""
    connection.isolation_level = None  # or the driver would begin transactions when it sees fit
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begun(con: Connection) -> None:
    con.exec_driver_sql(str(con.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE")))


def _postgresql(url: str, clock: Clock, serves: bool) -> Engine:
    name = {"application_name": SERVER_NAME if serves else "headrace"}
    engine = create_engine(url, hide_parameters=True, connect_args=name, **_CONNECTIONS)
    event.listen(engine, "connect", _prepared)
    event.listen(engine, "checkin", partial(_put_away, clock))
    event.listen(engine, "checkout", partial(_taken_out, engine.dialect, clock))
    return engine


def _prepared(connection: Any, _: object) -> None:
    """Let a connection of psycopg write in transactions alone, which say so (the Any is its type, as above).

    And let the server undo a transaction whose process stands still: nobody else could have its rows.
    """
    connection.autocommit = True
    connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").close()
    connection.execute(f"SET idle_in_transaction_session_timeout = '{_BUSY_SECONDS}s'").close()
    connection.autocommit = False
    connection.read_only = False


def _put_away(clock: Clock, _: object, record: ConnectionPoolEntry) -> None:
    record.info[_IDLE_SINCE] = clock.seconds()


def _taken_out(dialect: Dialect, clock: Clock, connection: Any, record: ConnectionPoolEntry, _: object) -> None:
    """Ask a connection that had nothing to do for a while whether it is still there; if not, all are made anew."""
    if clock.seconds() - record.info.get(_IDLE_SINCE, clock.seconds()) < _FRESH_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError("the database has ended a connection") from error


_ENGINES: Mapping[str, Callable[[str, Clock, bool], Engine]] = {"sqlite": _sqlite, "postgresql+psycopg": _postgresql}
_ADDRESSES = "use sqlite:///path/to/file or postgresql+psycopg://user@host/database"
