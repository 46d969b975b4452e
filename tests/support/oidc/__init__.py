"""A real, independent OpenID Connect issuer beside the tests: npm's `oidc-provider`, where Node.js is there."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.services import absent, free_ports

_HERE = Path(__file__).parent
_INSTALL_SECONDS = 100


@dataclass
class Issuer:
    """The issuer at its port. It can be stopped, and started anew with other keys."""

    folder: Path
    port: int
    algorithm: str = "RS256"
    process: "subprocess.Popen[str] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        variables = {"PATH": os.environ["PATH"], "PORT": str(self.port), "ALG": self.algorithm}
        command = [str(shutil.which("node")), "issuer.mjs"]
        self.process = subprocess.Popen(command, cwd=self.folder, env=variables, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert any(line.strip() == "ready" for line in self.process.stdout)

    def stop(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def token(self, client: str = "alice", *, audience: str = "headrace") -> str:
        """What it gives to one of its clients."""
        form = {"grant_type": "client_credentials", "resource": f"urn:{audience}"}
        answer = httpx.post(f"{self.url}/token", data=form, auth=(client, f"secret%20of%20{client}"), timeout=10)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@contextmanager
def issuing(folder: Path, *, algorithm: str = "RS256") -> Iterator[Issuer]:
    """A running issuer; the packages that it is made of are installed into the folder, as the lock says."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        absent("the OpenID Connect issuer", "Node.js and npm are not on the PATH")
    if not (folder / "node_modules").exists():
        for name in ("package.json", "package-lock.json", "issuer.mjs"):
            shutil.copy(_HERE / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
        if done.returncode:
            absent("the OpenID Connect issuer", f"npm can't install it: {done.stderr[-300:]}")
    issuer = Issuer(folder, free_ports(1)[0], algorithm)
    try:
        issuer.start()
        yield issuer
    finally:
        issuer.stop()
