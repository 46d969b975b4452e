"""A part of `make demo`: a job of NexusOne's dialect, by a token of the server's own, that fills a table."""

import json
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from tools.demo_server import said

TABLE = "flights.airlines"
_LIMIT = 60.0


@dataclass(frozen=True)
class Bearer:
    """A server, and a token that opens NexusOne's dialect there."""

    url: str
    token: str

    def ask(self, method: str, target: str, body: object = None) -> Any:
        """What the server answers; the request is shown."""
        print(f"$ {method} {target}", flush=True)
        return self.send(method, target, body)

    def send(self, method: str, target: str, body: object = None) -> Any:
        """The same, and nothing is shown."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        return _answer(urllib.request.Request(self.url + target, method=method, data=data, headers=headers))


def shown(url: str) -> int:
    """Make a client, get a token, create the job, run it twice and read its table."""
    roles = ("--role", "nx1_ingest", "--role", "nx1_monitor")
    made = json.loads(said("clients", "create", "--name", "demo", *roles, "--json"))
    try:
        client = Bearer(url, _token(url, made["clientId"], made["clientSecret"]))
        for old in client.ask("GET", "/api/jobs"):
            client.ask("DELETE", f"/api/jobs/{old['id']}")
        return _ran(client)
    finally:
        said("clients", "revoke", made["clientId"])


def _ran(client: Bearer) -> int:
    properties = {"mode": "merge", "merge_keys": ["carrier"]}
    job = client.ask(
        "POST",
        "/api/jobs",
        {
            "job_type": "airflow.ingest",
            "job_name": "Airlines",
            "source": "s3://nycflights13/airlines",
            "destination": TABLE,
            "properties_json": json.dumps(properties),
            "schedule": "0 6 * * *",
        },
    )
    for _ in range(2):
        client.ask("POST", f"/api/jobs/{job['id']}/trigger")
        if (status := _ended(client, job["id"])) != "completed":
            print(f"  {status}")
            return 1
    result = client.ask("GET", f"/api/jobs/{job['id']}/result?limit=5")
    print(f"  {TABLE} after two merges of the same rows, its first {result['row_count']}:")
    for row in result["data"]:
        print(f"  {' | '.join(map(str, row))}")
    return 0


def _token(url: str, client_id: str, secret: str) -> str:
    """By the client-credentials grant."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    print("$ POST /oauth/token", flush=True)
    return str(
        _answer(urllib.request.Request(f"{url}/oauth/token", urllib.parse.urlencode(form).encode()))["access_token"]
    )


def _ended(client: Bearer, job_id: str) -> str:
    until = time.monotonic() + _LIMIT
    while (status := str(client.send("GET", f"/api/jobs/{job_id}")["status"])) == "running":
        if time.monotonic() > until:
            raise SystemExit(f"the run did not end within {_LIMIT:g} s")
        time.sleep(0.1)
    return status


def _answer(request: urllib.request.Request) -> Any:
    with urllib.request.urlopen(request, timeout=_LIMIT) as answer:
        return json.load(answer)
