"""Backups of a database, while it is in use, and their way back. What encrypts its secrets is in none of them."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL

from headrace.db.holding import alone
from headrace.db.moving import is_sqlite, move
from headrace.db.session import Database, mismatch, version_of
from headrace.db.tables import METADATA, VERSION
from headrace.errors import HeadraceError

_TOOLS_HINT = "install PostgreSQL's client programs, of the server's version or newer"
_MARK = "COPY public.alembic_version"


class BackupFailed(HeadraceError):
    """A backup could not be made, or not be restored; what was there before stands."""

    code = "backup-failed"


def backup(database: Database, to: Path, *, now: datetime) -> Path:
    """Write a backup into a new file, or into a folder under a name that tells the time. Gives the file.

    The tables may be those of an older program: a backup is what one makes before an upgrade.
    """
    if database.path is not None and not database.path.exists():
        raise BackupFailed(f"there is no database {database.path}", hint="name the data folder by data")
    _refuse_unknown(database)
    path = to / f"headrace-{now:%Y%m%dT%H%M%SZ}.{'dump' if database.path is None else 'db'}" if to.is_dir() else to
    if path.exists():
        raise BackupFailed(f"{path} exists", hint="name another file, or a folder")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # Nobody else may read it, not even before it is whole.
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        if database.path is None:
            _dump(database.url, draft)
        else:
            _copy(database.path, draft)
        _sync(draft)
        os.link(draft, path)
        _sync(path.parent)
    except OSError as error:
        raise BackupFailed(f"{path}: {error.strerror}", hint="name a file in a folder that you may write") from None
    finally:
        draft.unlink(missing_ok=True)
    return path


def restore(database: Database, file: Path, *, force: bool, used: bool) -> str:
    """Bring back what a backup holds, all or nothing. Gives the version of its tables.

    A backup of SQLite can be brought into PostgreSQL, too; then its tables are those of this program at once.
    Raises DatabaseHeld while a server works, BackupFailed when the file is no backup, when the database is `used` and
    `force` does not say that it may be replaced; SchemaMismatch when a newer program made the backup.
    """
    if not file.is_file():
        raise BackupFailed(f"there is no file {file}")
    if used and not force:
        hint = "restore into an empty one, or say --force: what is in it now is replaced"
        raise BackupFailed("the database has jobs or keys, or can't be read", hint=hint)
    moves = database.path is None and is_sqlite(file)
    version = _dumped_version(file) if database.path is None and not moves else _copied_version(file)
    if version > VERSION:
        raise mismatch(version)
    with alone(database):
        if moves:
            move(file, database)
        elif database.path is None:
            _load(database.url, file)
        else:
            _replace(database.path, file)
    return version


def _refuse_unknown(database: Database) -> None:
    """Raises SchemaMismatch for a database without tables, and for one of a newer program."""
    with database.reading() as con:
        found = version_of(con)
    if found is None or found > VERSION:
        raise mismatch(found)


def _copy(source: Path, target: Path) -> None:
    """One moment of a database that others write meanwhile, as a single file."""
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as write:
            read.backup(write)
            write.execute("PRAGMA journal_mode = DELETE").close()
            _check(write, source)
    except sqlite3.Error as error:
        raise BackupFailed(f"{source}: {error}") from None


def _check(connection: sqlite3.Connection, source: Path) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise BackupFailed(f"{source} is damaged: {found}", hint="use an earlier backup")


def _copied_version(file: Path) -> str:
    """Raises BackupFailed when the file is not a whole database of ours."""
    try:
        # Read as it lies there: without its journal, and without making one.
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as read:
            _check(read, file)
            return str(read.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.Error, TypeError) as error:
        raise BackupFailed(f"{file} is no backup of a SQLite database of Headrace: {error}") from None


def _replace(path: Path, file: Path) -> None:
    """Put a copy in the place of the database, which keeps its name with `.before` until the next time."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        shutil.copyfile(file, draft)
        _sync(draft)
        if path.exists():
            _settle(path)
            os.replace(path, path.with_name(f"{path.name}.before"))
        os.replace(draft, path)
        _sync(path.parent)
    except OSError as error:
        raise BackupFailed(f"{path}: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Bring the journal into its database: left beside another database it would damage that."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as last:
        last.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        last.execute("PRAGMA journal_mode = DELETE").close()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _dump(url: URL, to: Path) -> None:
    _tool(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}")


def _dumped_version(file: Path) -> str:
    told = _tool(None, "pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file))
    lines = told.splitlines()
    begin = next((number for number, line in enumerate(lines) if line.startswith(_MARK)), None)
    if begin is None:
        raise BackupFailed(f"{file} is no backup of a PostgreSQL database of Headrace")
    return lines[begin + 1].strip()


def _load(url: URL, file: Path) -> None:
    """Drop our tables, also those that came after the backup, and make them anew, in one transaction."""
    ours = ", ".join(f"public.{name}" for name in (*METADATA.tables, "alembic_version"))
    with TemporaryDirectory(prefix="headrace-") as folder:
        script = Path(folder, "backup.sql")
        # Whole before the first statement of it is carried out: what ends too early is not restored in part.
        _tool(None, "pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(file))
        drop = f"--command=DROP TABLE IF EXISTS {ours} CASCADE"
        options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
        _tool(url, "psql", *options, drop, f"--file={script}")


def _tool(url: URL | None, program: str, *options: str) -> str:
    """Run one of PostgreSQL's programs. The password goes by the environment: command lines are seen by others."""
    if shutil.which(program) is None:
        raise BackupFailed(f"the program {program} is not on the PATH", hint=_TOOLS_HINT)
    variables = {**os.environ, **({} if url is None else _variables(url))}
    done = subprocess.run([program, *options], env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise BackupFailed(f"{program}: {last}", hint=_TOOLS_HINT if "version mismatch" in done.stderr else "")
    return done.stdout


def _variables(url: URL) -> Mapping[str, str]:
    """An address as libpq reads it from the environment."""
    query = {name: value if isinstance(value, str) else value[0] for name, value in url.query.items()}
    known = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("sslmode"),
        "PGSSLROOTCERT": query.get("sslrootcert"),
    }
    return {name: str(value) for name, value in known.items() if value}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
