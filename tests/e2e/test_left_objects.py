"""What an execution leaves in object storage, as users find it, on a folder and on S3, also after a kill."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.errors import StoreMissing
from tests.support.command import Place
from tests.support.seaweed import FULL, LIMITED, Seaweed
from tests.support.serving import Served, served
from tests.support.waiting import until
from tests.support.work import copying, endless, put_rows


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def under(place: Place, name: str) -> str:
    """The text of an object by bucket and key; empty when it is not there."""
    path = place.root / "buckets" / name
    return path.read_text() if path.exists() else ""


def names(execution: dict[str, Any]) -> tuple[str, str, str]:
    """Where script, log and report of an execution lie."""
    condition = execution["jobCondition"]
    log = condition["consoleLogPath"]
    script = f"{condition['scriptPath']}{execution['jobId']}/{execution['jobExecutionId']}.sql"
    return script, log, log.removesuffix(".log") + ".report.json"


def is_whole(server: Served, read: Callable[[str], str], job_id: str, execution_id: str) -> None:
    """Wait until log and report are those of the end."""
    script, log, report = names(server.execution(job_id, execution_id))
    until(lambda: bool(read(report)))
    assert read(log) == server.log(job_id, execution_id)
    told = server.ask("GET", f"/api/v1/jobs/{job_id}/executions/{execution_id}/report").json()
    assert json.loads(read(report))["status"] == told["status"]
    ran = server.ask("GET", f"/api/v1/jobs/{job_id}/executions/{execution_id}/script").json()["script"]
    assert read(script).partition("\n\n")[2].strip() == (ran or "").strip()


def test_script_log_and_report_lie_in_the_bucket_of_the_account(place: Place) -> None:
    with served(place) as server:
        job_id = server.made(copying())
        execution_id = server.executed(job_id)
        assert server.wait(job_id, execution_id) == "COMPLETED"
        is_whole(server, lambda name: under(place, name), job_id, execution_id)
        execution = server.execution(job_id, execution_id)
        script, log, report = (under(place, name) for name in names(execution))
    assert script.startswith(f"-- job job, execution {execution_id}, attempt 1, engine duckdb\n\n")
    assert "FROM read_csv('lake/in/**'" in script
    assert "COMPLETED after" in log.splitlines()[-1]
    assert json.loads(report)["targets"][0]["rows"] == 2
    assert "warnings" not in execution
    assert execution["jobCondition"]["consoleLogPath"].startswith("dataflow-main-")


def test_a_bucket_that_is_not_there_is_a_warning_and_no_failure(place: Place) -> None:
    with served(place) as server:
        job_id = server.made(copying(), logPath="nowhere/logs", scriptPath="elsewhere/scripts")
        execution_id = server.executed(job_id)
        assert server.wait(job_id, execution_id) == "COMPLETED"
        until(lambda: len(server.execution(job_id, execution_id).get("warnings", ())) == 3)
        script, log, report = server.execution(job_id, execution_id)["warnings"]
        told = server.log(job_id, execution_id)
    assert script.startswith(f"the script is not at elsewhere/scripts/{job_id}/{execution_id}.sql: ")
    assert "the console log is not at nowhere/logs/console/" in log
    assert "there is no bucket 'nowhere'" in log
    assert "the report is not at nowhere/logs/console/" in report
    assert told.count("headrace: warning: ") == 3
    assert list(place.left().values()) == [b"id,name\n1,a\n2,b\n"]
    assert not (place.root / "buckets" / "nowhere").exists()


def test_the_log_grows_while_the_run_goes_on_and_is_whole_when_it_is_cancelled(place: Place) -> None:
    put_rows(place)
    with served(place) as server:
        job_id = server.made(endless(), logPath="lake/logs", scriptPath="lake/scripts")
        execution_id = server.executed(job_id)
        server.wait(job_id, execution_id, "RUNNING")
        script, log, report = names(server.execution(job_id, execution_id))
        until(lambda: "attempt 1 of job" in under(place, log))
        assert "CROSS JOIN" in under(place, script)
        assert not under(place, report)
        waiting = server.executed(server.made(copying(), "other"))
        of_other = server.ask("GET", "/api/v1/jobs?name=other").json()["list"][0]["jobId"]
        for run in (f"{of_other}/executions/{waiting}", f"{job_id}/executions/{execution_id}"):
            assert server.ask("POST", f"/api/v1/jobs/{run}/cancel").status_code == 200
        assert server.wait(job_id, execution_id) == "CANCELED"
        is_whole(server, lambda name: under(place, name), job_id, execution_id)
        is_whole(server, lambda name: under(place, name), of_other, waiting)
        assert "it was cancelled while it waited" in under(place, names(server.execution(of_other, waiting))[1])


@pytest.mark.fault
def test_the_log_is_whole_in_the_end_when_the_server_is_killed_meanwhile(place: Place) -> None:
    put_rows(place)
    with served(place) as server:
        job_id = server.made(endless())
        execution_id = server.executed(job_id)
        server.wait(job_id, execution_id, "RUNNING")
        log = names(server.execution(job_id, execution_id))[1]
        until(lambda: "attempt 1 of job" in under(place, log))
        server.process.kill()
        server.process.wait()
    with served(place) as server:
        until(lambda: "attempt 2 of job" in server.log(job_id, execution_id))
        assert server.ask("POST", f"/api/v1/jobs/{job_id}/executions/{execution_id}/cancel").status_code == 200
        assert server.wait(job_id, execution_id) == "CANCELED"
        is_whole(server, lambda name: under(place, name), job_id, execution_id)
        told = under(place, log)
    assert "the lease of worker" in told
    assert told.index("attempt 1 of job") < told.index("attempt 2 of job") < told.index("CANCELED after")


@pytest.mark.fault
def test_what_ended_right_before_the_server_was_killed_is_written_by_the_next_one(place: Place) -> None:
    with served(place) as server:
        job_id = server.made(copying())
        runs = [server.executed(job_id) for _ in range(20)]
        server.wait(job_id, runs[3])
        server.process.kill()
        server.process.wait()
    with served(place) as server:
        for run in runs:
            assert server.wait(job_id, run) == "COMPLETED"
            is_whole(server, lambda name: under(place, name), job_id, run)


def storage(seaweed: Seaweed, keys: tuple[str, str]) -> dict[str, str]:
    return {
        "HEADRACE_S3_ENDPOINT": f"http://{seaweed.host}",
        "HEADRACE_S3_ACCESS_KEY": keys[0],
        "HEADRACE_S3_SECRET_KEY": keys[1],
    }


def in_storage(seaweed: Seaweed) -> Callable[[str], str]:
    def read(name: str) -> str:
        bucket, _, key = name.partition("/")
        try:
            found = seaweed.client().get(bucket, key)
        except StoreMissing:
            return ""
        return found[0].decode() if found else ""

    return read


@pytest.mark.services
def test_on_object_storage_the_bucket_of_the_account_is_made(place: Place, seaweed: Seaweed) -> None:
    seaweed.put("lake", "in/a.csv", b"id,name\n1,a\n2,b\n")
    with served(place, **storage(seaweed, FULL)) as server:
        job_id = server.made(copying())
        runs = [server.executed(job_id) for _ in range(3)]
        for run in runs:
            assert server.wait(job_id, run) == "COMPLETED"
            is_whole(server, in_storage(seaweed), job_id, run)
        assert "warnings" not in server.execution(job_id, runs[0])


@pytest.mark.services
def test_keys_that_may_not_write_the_log_are_a_warning(place: Place, seaweed: Seaweed) -> None:
    seaweed.put("lake", "in/a.csv", b"id,name\n1,a\n2,b\n")
    with served(place, **storage(seaweed, LIMITED)) as server:
        job_id = server.made(copying(), logPath="other/logs", scriptPath="lake/scripts")
        run = server.executed(job_id)
        assert server.wait(job_id, run) == "COMPLETED"
        until(lambda: len(server.execution(job_id, run).get("warnings", ())) == 2)
        log, report = server.execution(job_id, run)["warnings"]
        assert "the console log is not at other/logs/console/" in log
        assert "the keys do not allow it" in log
        assert "the report is not at" in report
        assert "FROM read_csv(" in in_storage(seaweed)(names(server.execution(job_id, run))[0])
        assert LIMITED[1] not in server.log(job_id, run)


@pytest.mark.services
def test_the_keys_are_those_of_the_jobs_nrn(place: Place, seaweed: Seaweed) -> None:
    seaweed.put("lake", "in/a.csv", b"id,name\n1,a\n2,b\n")
    table = {"endpoint": f"http://{seaweed.host}", "access_key": FULL[0], "secret_key": FULL[1], "nrn": "nrn:full"}
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    (place.root / "headrace.toml").write_text("[storages.full]\n" + "\n".join(lines) + "\n")
    with served(place, **storage(seaweed, LIMITED)) as server:
        places = {"logPath": "other/logs", "scriptPath": "other/scripts"}
        runs: list[tuple[str, str]] = []
        for nrn in ("nrn:full", ""):
            job_id = server.made(copying(), f"job-{len(runs)}", nrn=nrn, **places)
            runs.append((job_id, server.executed(job_id)))
            assert server.wait(*runs[-1]) == "COMPLETED"
        is_whole(server, in_storage(seaweed), *runs[0])
        assert "warnings" not in server.execution(*runs[0])
        until(lambda: len(server.execution(*runs[1]).get("warnings", ())) == 3)
