"""The second half of `make demo`: the documented job again, by signed requests to a server of our own.

The server listens on a free port of this machine and ends with the demo, and the key that it is asked with is revoked.
"""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.auth.signature_v2 import ACCESS_KEY, SIGNATURE, TIMESTAMP, sign

HEADRACE = Path(sys.executable).with_name("headrace")
NAME = "documented-example"
_LISTENS = re.compile(r"listens on (http://\S+)")
_LIMIT = 60.0


@dataclass(frozen=True)
class Client:
    """A server, and a key that opens it."""

    url: str
    access_key: str
    secret: str

    def ask(self, method: str, target: str, body: object = None) -> Any:
        """What the server answers to a signed request; the request is shown."""
        print(f"$ {method} {target}", flush=True)
        return self.send(method, target, body)

    def send(self, method: str, target: str, body: object = None) -> Any:
        """The same, and nothing is shown."""
        now = str(int(time.time() * 1000))
        signed = sign(method, target, timestamp=now, access_key=self.access_key, secret=self.secret)
        headers = {TIMESTAMP: now, ACCESS_KEY: self.access_key, SIGNATURE: signed, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + target, method=method, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=_LIMIT) as answer:
            return json.load(answer)


@contextmanager
def served() -> Iterator[Client]:
    """A server with a key for the demo."""
    said("db", "upgrade")  # the folder may be that of an earlier version
    key = json.loads(said("keys", "create", "--name", "demo", "--json"))
    process = subprocess.Popen([HEADRACE, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        told = ""
        while not (found := _LISTENS.search(told)):
            line = process.stderr.readline()
            if not line:
                raise SystemExit(f"the server did not start: {told}")
            told += line
        yield Client(found[1], key["accessKey"], key["secretKey"])
    finally:
        process.terminate()
        process.communicate(timeout=_LIMIT)
        said("keys", "revoke", key["accessKey"])


def shown(client: Client, job: dict[str, Any], storage: Path) -> int:
    """Create the job, run it, show its execution, its log and where its result lies."""
    for old in client.ask("GET", f"/api/v1/jobs?name={NAME}")["list"]:
        client.ask("DELETE", f"/api/v1/jobs/{old['jobId']}")
    made = client.ask("POST", "/api/v1/jobs", {**job, "name": NAME})
    runs = f"/api/v1/jobs/{made['jobId']}/executions"
    one = f"{runs}/{client.ask('POST', runs, {})['jobExecutionId']}"
    execution = _ended(client, one)
    print(json.dumps(execution, indent=2, ensure_ascii=False))
    print(f"\nThe log of the run:\n\n{_log(client.ask('GET', f'{one}/log'))}")
    for file in sorted((storage / "aitems" / "dataflow1").glob("*.csv")):
        with file.open(encoding="utf-8") as text:
            print(f"The result, {file.name}: {sum(1 for _ in text) - 1:,} rows")
    return 0 if execution["status"] == "COMPLETED" else 1


def _ended(client: Client, target: str) -> dict[str, Any]:
    until = time.monotonic() + _LIMIT
    execution: dict[str, Any] = client.ask("GET", target)
    while execution["status"] in ("READY", "RUNNING"):
        if time.monotonic() > until:
            raise SystemExit(f"the run did not end within {_LIMIT:g} s")
        time.sleep(0.1)
        execution = client.send("GET", target)
    return execution


def _log(answer: dict[str, Any]) -> str:
    return "".join(f"  {line}\n" for chunk in answer["list"] for line in str(chunk["text"]).splitlines())


def said(*words: str) -> str:
    """What a command of headrace says."""
    return subprocess.run([HEADRACE, *words], check=True, stdout=subprocess.PIPE, text=True).stdout
