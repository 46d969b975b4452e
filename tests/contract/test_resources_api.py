"""`checkResources`: whether what a job names outside is there."""

from pathlib import Path
from typing import Any

import pytest

from headrace.auth.policy import Policy
from headrace.stores.grants import Grants
from tests.support.jobs import job, node, source, target
from tests.support.proving import proves
from tests.support.server import Server

JOBS = "/api/v1/jobs"
VERIFY = f"{JOBS}/verify?checkResources=true"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A bucket with an object for the source."""
    bucket = tmp_path / "buckets" / "lake"
    (bucket / "in").mkdir(parents=True)
    (bucket / "in" / "a.csv").write_text("id,name\n1,a\n")
    return bucket


def copying(**more: Any) -> dict[str, Any]:
    """A job that is sound."""
    return job(source(), target(), **more)


@proves("refusals.linked-products")
def test_a_job_whose_resources_are_there_is_taken(server: Server, lake: Path) -> None:
    assert server.ask("POST", VERIFY, copying()).text == "true"
    made = server.ask("POST", f"{JOBS}?checkResources=true", copying())
    assert made.status_code == 201, made.text
    assert "x-headrace-warnings" not in made.headers
    at = f"{JOBS}/{made.json()['jobId']}?checkResources=true"
    assert server.ask("PATCH", at, {"jobCondition": {"logPath": "lake/logs"}}).status_code == 200


ENCRYPTING = node("TRANSFORM_ENCRYPT", 2, (1,), encryptFieldList=[{"name": "name", "keyName": "gone"}])


@proves("ServiceError.errors.client-resource-not-found", "refusals.linked-products")
@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (job(source(prefix="none"), target()), "Node 'node 1' (1): bucket 'lake' has no data"),
        (job(source(bucketName="none"), target()), "Node 'node 1' (1): there is no bucket 'none'"),
        (job(source(), target(bucketName="none")), "Node 'node 9' (9): there is no bucket 'none'"),
        (job(source(), ENCRYPTING, target(parents=(2,))), "Node 'node 2' (2): there is no key 'gone' to encrypt with"),
        (copying(jobCondition={"logPath": "none/logs"}), "JobCondition.logPath: there is no bucket 'none'"),
    ],
)
def test_what_is_not_there_is_told_with_its_node(server: Server, lake: Path, sent: dict[str, Any], told: str) -> None:
    for path in (VERIFY, f"{JOBS}?checkResources=true"):
        answer = server.ask("POST", path, sent)
        assert (answer.status_code, answer.json()["errorType"]) == (400, "client-resource-not-found")
        assert told in answer.json()["detail"]
    assert server.ask("GET", JOBS).json()["count"] == 0
    assert server.ask("POST", JOBS, sent).status_code == 201


def test_an_update_is_looked_at_as_the_job_would_be(server: Server, lake: Path) -> None:
    at = f"{JOBS}/{server.ask('POST', JOBS, copying()).json()['jobId']}"
    change = {"nodes": [source(bucketName="none"), target()]}
    answer = server.ask("PATCH", f"{at}?checkResources=true", change)
    assert answer.json()["errorType"] == "client-resource-not-found"
    assert server.ask("GET", at).headers["etag"] == '"1"'


@proves("ServiceError.errors.client-unauthorized")
def test_a_link_out_of_the_bucket_is_unauthorized(server: Server, lake: Path) -> None:
    (lake / "in" / "b.csv").symlink_to("/etc/hostname")
    (lake / "out").symlink_to("/etc")
    answer = server.ask("POST", VERIFY, copying())
    assert (answer.status_code, answer.json()["errorType"]) == (400, "client-unauthorized")


def test_without_a_folder_of_buckets_nothing_is_there(server: Server) -> None:
    answer = server.ask("POST", VERIFY, copying())
    assert answer.json()["errorType"] == "client-resource-not-found"
    assert "There is no folder" in answer.json()["detail"]


@proves("ServiceError.errors.client-request-failed")
def test_a_storage_that_does_not_answer_is_a_failed_request(tmp_path: Path) -> None:
    server = Server.start(tmp_path, s3_endpoint="http://127.0.0.1:1")
    answer = server.ask("POST", VERIFY, copying())
    assert (answer.status_code, answer.json()["errorType"]) == (400, "client-request-failed")
    assert "Node 'node 1' (1): " in answer.json()["detail"]
    server.database.dispose()


def test_problems_of_the_job_come_first(server: Server, lake: Path) -> None:
    answer = server.ask("POST", VERIFY, job(source(bucketName="none"), target(parents=(5,))))
    assert answer.json()["errorType"] == "bad-parameter"
    assert server.ask("POST", VERIFY.replace("true", "maybe"), copying()).json()["errorType"] == "bad-parameter"


def test_nobody_learns_what_lies_where_they_may_not_read(server: Server, lake: Path) -> None:
    server.held["own"] = server.new_key("manager", policy=Policy(), grants=Grants(("lake/in",), ("lake/out",)))
    answer = server.ask("POST", VERIFY, job(source(bucketName="none"), target()), role="own")
    assert answer.json()["errorType"] == "client-unauthorized"
    assert server.ask("POST", VERIFY, copying(), role="own").text == "true"
    assert server.ask("POST", VERIFY, copying(), role="viewer").json()["errorType"] == "client-unauthorized"


def test_where_a_parameter_leads_is_left_to_the_run(server: Server, lake: Path) -> None:
    day = [{"name": "day", "type": "segment"}]
    assert server.ask("POST", VERIFY, job(source(prefix="in/${day}"), target(), parameters=day)).text == "true"
    missing = job(source(bucketName="none", prefix="in/${day}"), target(), parameters=day)
    assert server.ask("POST", VERIFY, missing).json()["errorType"] == "client-resource-not-found"


def test_a_job_that_is_there_is_verified_by_its_id_with_changes(server: Server) -> None:
    job_id = server.ask("POST", JOBS, copying()).json()["jobId"]
    assert server.ask("POST", f"{JOBS}/verify", {"jobId": job_id}).text == "true"
    wrong = server.ask("POST", f"{JOBS}/verify", {"jobId": job_id, "nodes": [source()]})
    assert wrong.json()["errorType"] == "bad-parameter"
    assert server.ask("POST", f"{JOBS}/verify", {"jobId": "none"}).json()["errorType"] == "resource-not-found/JOB"
    assert server.ask("POST", f"{JOBS}/verify", {"jobId": 5}).json()["errorType"] == "bad-parameter"


def test_a_job_that_was_being_edited_and_is_sound_runs_again_once_it_is_verified(server: Server) -> None:
    job_id = server.ask("POST", JOBS, copying()).json()["jobId"]
    with server.database.transaction() as con:  # as an older program, that knew less, left it
        con.exec_driver_sql("UPDATE jobs SET status = 'EDITING'")
    at = f"{JOBS}/{job_id}"
    assert server.ask("POST", f"{JOBS}/verify", {"jobId": job_id, "description": "other"}).text == "true"
    assert server.ask("POST", f"{JOBS}/verify", {"jobId": job_id}, role="viewer").text == "true"
    assert server.ask("GET", at).json()["status"] == "EDITING"
    assert server.ask("POST", f"{JOBS}/verify", {"jobId": job_id}).text == "true"
    assert server.ask("GET", at).json()["status"] == "RUNNABLE"
    assert server.ask("GET", "/api/v1/audit").json()["list"][0]["detail"] == {"status": "RUNNABLE"}
