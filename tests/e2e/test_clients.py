"""The server as other people's clients find it: curl, a client made from the description, the page in a browser."""

import http.client
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from headrace.auth.signature_v2 import ACCESS_KEY, SIGNATURE, TIMESTAMP, sign
from tests.support.browser import browsing, program
from tests.support.command import Place
from tests.support.services import absent
from tests.support.serving import Served, served

GENERATOR = "openapi-python-client@0.29.1"
EXAMPLE = Path(__file__).parents[2] / "examples" / "createJob.json"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def signature(server: Served, method: str, target: str) -> dict[str, str]:
    timestamp = str(int(time.time() * 1000))
    signed = sign(method, target, timestamp=timestamp, access_key=server.access_key, secret=server.secret)
    return {TIMESTAMP: timestamp, ACCESS_KEY: server.access_key, SIGNATURE: signed}


def curl(server: Served, method: str, target: str, *data: str) -> Any:
    """The documented command, signed anew: it names no type of its body, so curl calls it a form."""
    headers = [
        word for name, value in signature(server, method, target).items() for word in ("--header", f"{name}: {value}")
    ]
    command = [
        "curl",
        "--silent",
        "--show-error",
        "--location",
        "--request",
        method,
        server.url + target,
        *headers,
        *data,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout)


def test_the_documented_curl_commands_work_when_they_are_signed_anew(place: Place) -> None:
    with served(place) as server:
        made = curl(server, "POST", "/api/v1/jobs", "--data", EXAMPLE.read_text("utf-8"))
        assert (made["name"], made["type"], made["status"]) == ("job001", "DATAFLOW", "RUNNABLE")
        listed = curl(server, "GET", "/api/v1/jobs?page=0&limit=1000")
        assert [row["jobId"] for row in listed["list"]] == [made["jobId"]]
        assert (listed["count"], listed["page"], listed["limit"]) == (1, 0, 1000)
        assert curl(server, "DELETE", f"/api/v1/jobs/{made['jobId']}") is True
        assert curl(server, "GET", f"/api/v1/jobs/{made['jobId']}")["errorType"] == "resource-not-found/JOB"


def test_who_sends_a_body_that_is_too_large_is_told_so_and_may_go_on(place: Place) -> None:
    target = "/api/v1/jobs"
    with served(place) as server:
        at = httpx.URL(server.url)
        # It sends all of the body before it looks for an answer, as many clients do.
        connection = http.client.HTTPConnection(at.host, at.port, timeout=60)
        for size, status in ((6_000_000, 413), (20_000_000, 413), (10, 400)):
            connection.request("POST", target, b"a" * size, signature(server, "POST", target))
            answer = connection.getresponse()
            assert (answer.status, bool(json.loads(answer.read()))) == (status, True)
        # Who asks before sending is told at once.
        body = place.root / "large"
        body.write_bytes(b"a" * 6_000_000)
        told = curl(server, "POST", target, "--data-binary", f"@{body}", "--header", "Expect: 100-continue")
        assert told["error"]["errorCode"] == "430"
        connection.close()


def generate_client(folder: Path) -> None:
    """Make a client from the description. The generator is not in our environment: it wants an older typer."""
    command = [sys.executable, "-m", "uv", "tool", "run"]
    known = subprocess.run([*command, GENERATOR, "--version"], capture_output=True, text=True, timeout=120, check=False)
    if known.returncode:
        absent("openapi-python-client", known.stderr[-300:])
    words = ["generate", "--path", "openapi.json", "--meta", "none", "--output-path", "made_client"]
    done = subprocess.run(
        [*command, GENERATOR, *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Unable to" not in done.stdout + done.stderr


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.timeout(300)  # the generator may have to be fetched
def test_a_client_that_is_generated_from_the_description_can_call_every_job_operation(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(place) as server:
        (place.root / "openapi.json").write_text(httpx.get(f"{server.url}/openapi.json").text)
        generate_client(place.root)
        monkeypatch.syspath_prepend(str(place.root))

        def signed(request: httpx.Request) -> None:
            request.headers.update(signature(server, request.method, request.url.raw_path.decode()))

        made: Any = importlib.import_module("made_client")
        models: Any = importlib.import_module("made_client.models")
        with made.Client(base_url=server.url, httpx_args={"event_hooks": {"request": [signed]}}) as client:

            def call(operation: str, *ids: str, **more: Any) -> Any:
                return importlib.import_module(f"made_client.api.jobs.{operation}").sync_detailed(
                    *ids, client=client, **more
                )

            body = models.JobBody.from_dict(json.loads(EXAMPLE.read_text("utf-8")))
            assert [type(node).__name__ for node in body.nodes] == [
                "SourceObjectStorage",
                "FilterNode",
                "TargetObjectStorage",
            ]
            assert call("verify_job", body=models.JobToVerify.from_dict(body.to_dict())).parsed is True
            job = call("create_job", body=body)
            assert (job.status_code, job.parsed.status.value) == (201, "RUNNABLE")
            at = job.parsed.job_id
            assert call("create_job", body=body).parsed.error_type == "bad-parameter"
            assert call("patch_job", at, body=models.JobChange(name="job002")).parsed.name == "job002"
            whole = models.JobUpdate.from_dict({**body.to_dict(), "type": "DATAFLOW", "description": "more"})
            assert call("update_job", at, body=whole).parsed.description == "more"
            change = models.ConditionBody.from_dict({"jobCondition": {"numWorker": 3}})
            assert call("update_job_execution_config", at, body=change).parsed.run_condition.num_worker == 3
            assert [row.job_id for row in call("get_jobs", name="job", limit=10).parsed.list_] == [at]
            assert call("get_job", at).parsed.to_dict()["nodes"][0]["fieldList"][0]["properties"] == []
            run = call("create_job_execution", at, body=models.ExecuteBody()).parsed.job_execution_id
            assert server.wait(at, run) == "FAILED"  # the documented job's bucket is not there
            told = call("get_job_execution", at, run).parsed
            assert (told.status.value, told.failure.to_dict()["code"]) == ("FAILED", "store-missing")
            assert call("get_job_executions", at).parsed.count == 1
            assert call("get_job_execution_log", at, run).parsed.ended is True
            assert call("get_job_execution_report", at, run).parsed.job_revision == 4
            assert call("cancel_job_execution", at, run).parsed.error_type == "bad-state"
            assert call("delete_job", at).parsed is True
            assert call("get_job", at).parsed.detail == f"{{jobId={at}}}: Unable to find."


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.timeout(500)  # it may have to be installed
def test_a_request_from_the_page_is_signed_in_the_browser_with_the_key_that_was_pasted(place: Place) -> None:
    driver = program()
    if driver is None:
        absent("Chromium", "there is no program chromedriver; Debian's package chromium-driver has it")
    operation = "#operations-jobs-getJobs"
    with served(place) as server, browsing(driver, place.root / "profile") as browser:
        browser.open(f"{server.url}/docs")
        browser.type("#access-key", server.access_key)
        browser.type("#secret-key", f"{server.secret}\n")  # Enter sends nothing anywhere
        for press in (".opblock-summary-control", ".try-out__btn", ".execute"):
            browser.click(f"{operation} {press}")
        answered = f"{operation} .live-responses-table tbody"
        assert browser.text(f"{answered} .response-col_status").split() == ["200"]
        assert '"count": 0' in browser.text(f"{answered} .response-col_description")
        assert server.secret not in browser.text("body")
        assert browser.complaints() == []
