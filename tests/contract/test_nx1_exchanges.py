"""The exchanges of the vendor's public client, request by request, with the exact fields of each answer.

The client sends a key and never a token, no `source` and no `destination`, and `properties_json` as a text; its command
line sends statuses in capitals. It takes any good code, any text for an answer without fields, and polls until the end.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from tests.support.nexus import Nexus
from tests.support.proving import proves

CREATED = {
    "job_type": str,
    "job_name": str,
    "id": str,
    "status": str,
    "created_at": str,
    "source": None,
    "destination": None,
    "properties_json": str,
    "schedule": str,
}
READ = {
    "job_name": str,
    "id": str,
    "owner_id": str,
    "job_type": str,
    "source": None,
    "destination": None,
    "schedule": str,
    "properties_json": str,
    "status": str,
    "status_message": None,
    "created_at": str,
    "last_started_at": None,
    "last_completed_at": None,
    "last_failed_at": None,
    "is_deleted": bool,
    "deleted_at": None,
}
GOOD = ("completed", "success")
BAD = ("failed", "error")


class Client:
    """What the public client sends; `key` is its `api_key`."""

    def __init__(self, nexus: Nexus) -> None:
        self.nexus = nexus
        self.key = nexus.told("POST", "/api/user/psk", {})["psk"]

    def ask(self, method: str, path: str, body: object = None) -> Any:
        answer: Response = self.nexus.ask(method, path, body, psk=self.key)
        assert answer.is_success, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def create(self, job_name: str, job_type: str, schedule: str | None, properties: object) -> Any:
        text = json.dumps(properties)
        body = {"job_name": job_name, "job_type": job_type, "schedule": schedule, "properties_json": text}
        return self.ask("POST", "/api/jobs", body)

    def wait(self, job_id: str) -> str:
        """One look of `wait_for_completion`: what it makes of the status."""
        status = self.ask("GET", f"/api/jobs/{job_id}")["status"].lower()
        return "done" if status in GOOD else "failed" if status in BAD else "wait"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    nexus = Nexus.start(tmp_path)
    yield Client(nexus)
    nexus.server.database.dispose()


def made(client: Client, **changes: object) -> Any:
    properties = {"source": "s3://lake/raw", "destination": "sales.orders", "mode": "overwrite", **changes}
    return client.create("Orders", "airflow.ingest", "0 6 * * *", properties)


def shape(answer: dict[str, Any]) -> dict[str, Any]:
    """Each field with the type of its value, in order."""
    return {name: None if value is None else type(value) for name, value in answer.items()}


def test_create_has_its_nine_fields_and_the_job_is_new(client: Client) -> None:
    answer = made(client)
    assert list(shape(answer).items()) == list(CREATED.items())
    assert (answer["status"], answer["created_at"][-1]) == ("new", "Z")
    assert json.loads(answer["properties_json"])["mode"] == "overwrite"


def test_get_and_get_all_have_the_sixteen_fields_of_the_read_model(client: Client) -> None:
    job = made(client)
    one, several = client.ask("GET", f"/api/jobs/{job['id']}"), client.ask("GET", "/api/jobs")
    assert list(shape(one).items()) == list(READ.items())
    assert several == [one]
    assert {name: one[name] for name in CREATED} == job


@proves("nexusone.short-answers")
def test_trigger_and_delete_answer_a_text(client: Client) -> None:
    job = made(client)["id"]
    run = client.ask("POST", f"/api/jobs/{job}/trigger")
    assert isinstance(run, str)
    assert [each["id"] for each in client.ask("GET", f"/api/jobs/{job}/runs")] == [run]
    assert client.ask("POST", f"/api/jobs/{job}/cancel") == "cancelled"
    assert client.ask("DELETE", f"/api/jobs/{job}") == "deleted"
    assert client.ask("GET", "/api/jobs") == []


def test_waiting_ends_with_the_run_and_not_before(client: Client) -> None:
    job = made(client)["id"]
    looks = [client.wait(job)]
    for failure in (None, {"code": "bad-data", "message": "it is bad"}):
        client.ask("POST", f"/api/jobs/{job}/trigger")
        looks.append(client.wait(job))
        client.nexus.ran(failure)
        looks.append(client.wait(job))
    assert looks == ["wait", "wait", "done", "wait", "failed"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("PENDING", "new"),
        ("RUNNING", "running"),
        ("COMPLETED", "completed"),
        ("FAILED", "failed"),
        ("CANCELLED", "failed"),
    ],
)
def test_the_statuses_of_its_command_line_are_taken_and_the_job_answered(client: Client, sent: str, shown: str) -> None:
    job = made(client)["id"]
    answer = client.ask("PUT", f"/api/jobs/{job}/status", {"status": sent, "status_message": "so it is"})
    assert list(answer) == list(READ)
    assert (answer["status"], answer["status_message"]) == (shown, "so it is")


@proves("nexusone.errors")
@pytest.mark.parametrize(
    ("status", "method", "path", "body"),
    [
        (404, "GET", "/api/jobs/00000000-0000-4000-8000-000000000000", None),
        (404, "DELETE", "/api/jobs/00000000-0000-4000-8000-000000000000", None),
        (405, "PATCH", "/api/jobs", {}),
        (422, "GET", "/api/jobs/no-uuid", None),
        (422, "POST", "/api/jobs", {"job_name": "a"}),
        (422, "POST", "/api/jobs", []),
        (501, "POST", "/api/jobs", {"job_name": "a", "job_type": "mirror"}),
    ],
)
def test_every_error_has_a_top_level_detail(client: Client, status: int, method: str, path: str, body: object) -> None:
    answer = client.nexus.ask(method, path, body, psk=client.key)
    detail = answer.json().pop("detail")
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    if status == 422:
        assert all(list(fault) == ["loc", "msg", "type"] for fault in detail)
    else:
        assert isinstance(detail, str)


def test_health_has_its_two_keys(client: Client) -> None:
    assert list(client.ask("GET", "/api/health/ping")) == ["version", "build_number"]
