"""A PostgreSQL of the tests' own, from the programs of the machine: on a port of its own, in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from tests.support.services import free_ports

_INSTALL_SECONDS = 100
_USER = "postgres"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. Unless it is `lasting` it keeps nothing over a crash of the machine, and need not."""

    port: int
    folder: Path
    programs: Path
    lasting: bool = False

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{name}"

    def create(self, name: str) -> str:
        """Make an empty database. Gives its address."""
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as con:
            con.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
        engine.dispose()
        return self.url(name)

    def restart(self) -> None:
        """Stop it at once, as a crash does, and start it again."""
        self._control("stop", "-m", "immediate")
        self.start()

    def start(self) -> None:
        options = (
            f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1{'' if self.lasting else ' -c fsync=off'}"
        )
        self._control("start", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        self._control("stop", "-m", "fast")

    def _control(self, *arguments: str) -> None:
        command = [str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), "-w", "-t", "60", *arguments]
        _run(command, self.folder)


def programs() -> Path | None:
    """Where the server's programs are: on the path, where Debian keeps them, or installed now when we may."""
    found = _found()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "postgresql"]):
            _quiet(command)
        found = _found()
    return found


def _found() -> Path | None:
    on_path = shutil.which("pg_ctl")
    kept = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    if on_path is not None:
        return Path(on_path).resolve().parent
    return max(kept, key=lambda folder: float(folder.parent.name), default=None)


def _quiet(command: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, capture_output=True, timeout=_INSTALL_SECONDS, check=False)


@contextmanager
def running(where: Path, *, lasting: bool = False) -> Iterator[Postgres]:
    """A server, gone with its data at the end. It never runs as root: then it runs as the user of its package."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
        server = Postgres(free_ports(1)[0], folder, where, lasting)
        data = str(folder / "data")
        _run([str(where / "initdb"), "-D", data, "-U", _USER, "-A", "trust", "-N", "-E", "UTF8", "--no-locale"], folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    """Run a program of the server. What it prints goes to a file: a pipe would be held open by the server."""
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_USER)
        as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    with (folder / "output").open("ab") as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd=folder, timeout=90, check=False, **as_user)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{(folder / 'output').read_text()[-2000:]}")
