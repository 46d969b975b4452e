"""`headrace serve` as a process, and a client that signs."""

import json
import re
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from headrace.auth.signature_v2 import ACCESS_KEY, SIGNATURE, TIMESTAMP, sign
from tests.support.command import Place
from tests.support.jobs import Json
from tests.support.server import Key
from tests.support.waiting import until

ENDED = ("COMPLETED", "FAILED", "CANCELED")


@dataclass(frozen=True)
class Client:
    """A caller who signs."""

    url: str
    access_key: str
    secret: str
    ca_file: str = ""
    said: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, url: str, key: Path) -> "Client":
        """A caller with the key that lies in this file."""
        words = key.read_text().split()
        return cls(url, words[2], words[5])

    def ask(self, method: str, target: str, body: object = None) -> httpx.Response:
        """Send a signed request."""
        content = None if body is None else json.dumps(body)
        headers = self.signed(method, target) | ({} if content is None else {"content-type": "application/json"})
        trusted = ssl.create_default_context(cafile=self.ca_file) if self.ca_file else True
        return httpx.request(method, self.url + target, content=content, headers=headers, timeout=30, verify=trusted)

    def signed(self, method: str, target: str) -> dict[str, str]:
        """The three headers."""
        timestamp = str(int(time.time() * 1000))
        signed = sign(method, target, timestamp=timestamp, access_key=self.access_key, secret=self.secret)
        return {TIMESTAMP: timestamp, ACCESS_KEY: self.access_key, SIGNATURE: signed}


@dataclass(frozen=True)
class Served(Client):
    """A server that listens, and the key that opens it."""

    process: "subprocess.Popen[str]" = field(kw_only=True)

    def environment(self) -> dict[str, str]:
        """What `headrace jobs` needs to ask it."""
        known = {"HEADRACE_URL": self.url, "HEADRACE_ACCESS_KEY": self.access_key, "HEADRACE_CA_FILE": self.ca_file}
        return {**known, "HEADRACE_ACCESS_SECRET": self.secret}

    def made(self, nodes: list[Json], name: str = "job", **condition: object) -> str:
        """The id of a new job."""
        how = {"numWorker": 2, "timeout": 60, **condition}
        sent = {"name": name, "nodes": nodes, "type": "DATAFLOW", "jobCondition": how}
        answer = self.ask("POST", "/api/v1/jobs", sent)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["jobId"])

    def executed(self, job_id: str) -> str:
        """The id of a new execution."""
        answer = self.ask("POST", f"/api/v1/jobs/{job_id}/executions", {})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["jobExecutionId"])

    def execution(self, job_id: str, execution_id: str) -> Any:
        """An execution as the API tells it."""
        answer = self.ask("GET", f"/api/v1/jobs/{job_id}/executions/{execution_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def log(self, job_id: str, execution_id: str) -> str:
        """The whole console log."""
        answer = self.ask("GET", f"/api/v1/jobs/{job_id}/executions/{execution_id}/log")
        return "".join(piece["text"] for piece in answer.json()["list"])

    def wait(self, job_id: str, execution_id: str, *status: str) -> str:
        """Wait until an execution has one of these states, or has ended; gives its state."""
        found = ""

        def there() -> bool:
            nonlocal found
            found = self.execution(job_id, execution_id)["status"]
            return found in (status or ENDED)

        until(there, limit=60)
        return found

    def children(self) -> list[int]:
        """The processes that the server has started."""
        done = subprocess.run(["ps", "--ppid", str(self.process.pid), "-o", "pid="], capture_output=True, text=True)
        return [int(word) for word in done.stdout.split()]

    def stop(self) -> int:
        """End the server as a service manager does; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@contextmanager
def served(place: Place, *flags: str, **more: str) -> Iterator[Served]:
    """A server over this place, asked with its first key; killed if it has not ended by itself."""
    with served_to(place, None, *flags, **more) as server:
        yield server


@contextmanager
def served_to(place: Place, key: Key | None, *flags: str, **more: str) -> Iterator[Served]:
    """The same, asked with this key when there is one."""
    variables = {"HEADRACE_PORT": "0", "HEADRACE_WORKERS": "1", "HEADRACE_LEASE_SECONDS": "3", **more}
    process = place.start("serve", *flags, **variables)
    assert process.stderr is not None
    assert process.stdout is not None
    reader: threading.Thread | None = None
    try:
        url, said = "", []
        while not url:
            line = process.stderr.readline()
            assert line, f"the server ended: {process.wait()}"
            said.append(line)
            found = re.search(r'listens on ([^\s"]+)', line)
            url = found[1] if found else ""
        # Nobody else reads what it says: a full pipe would hold it up.
        reader = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
        reader.start()
        if key is None:
            words = (place.root / "first-key.txt").read_text().split()
            key = Key(words[2], words[5])
        own = place.root / "tls" / "cert.pem"
        ca_file = str(own) if own.exists() else ""
        yield Served(url, key.access_key, key.secret, ca_file, said, process=process)
    finally:
        process.kill()
        process.wait()
        if reader is not None:
            reader.join()
        process.stdout.close()
        process.stderr.close()
