"""`/api/jobs` of NexusOne's dialect: the fields of its answers, what it refuses, who may do what."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.core import audit, ticks
from headrace.core.audit import AuditFilter
from headrace.core.paging import Page
from tests.support.nexus import Nexus, ingest, query
from tests.support.proving import proves

NOW = "2025-03-21T01:02:02.345678Z"


@pytest.fixture
def nexus(tmp_path: Path) -> Iterator[Nexus]:
    started = Nexus.start(tmp_path)
    yield started
    started.server.database.dispose()


@proves("nexusone.code-of-create")
def test_create_answers_with_the_nine_documented_fields(nexus: Nexus) -> None:
    text = '{"mode":  "overwrite"}'
    answer = nexus.told("POST", "/api/jobs", ingest(properties_json=text, schedule="0 6 * * *"))
    assert len(answer.pop("id")) == 36
    assert answer == {
        "job_type": "airflow.ingest",
        "job_name": "Orders",
        "status": "new",
        "created_at": NOW,
        "source": "lake/raw",
        "destination": "sales.orders",
        "properties_json": text,
        "schedule": "0 6 * * *",
    }


@proves("nexusone.what-runs")
def test_a_job_is_read_with_its_owner_and_what_its_runs_did(nexus: Nexus) -> None:
    job = nexus.made()
    run = nexus.told("POST", f"/api/jobs/{job}/trigger")
    nexus.server.clock.move(1)
    assert nexus.told("GET", f"/api/jobs/{job}")["status"] == "running"
    nexus.ran()
    told = nexus.told("GET", f"/api/jobs/{job}")
    assert told == {
        "job_name": "Orders",
        "id": job,
        "owner_id": "ann",
        "job_type": "airflow.ingest",
        "source": "lake/raw",
        "destination": "sales.orders",
        "schedule": None,
        "properties_json": None,
        "status": "completed",
        "status_message": None,
        "created_at": NOW,
        "last_started_at": told["last_started_at"],
        "last_completed_at": told["last_completed_at"],
        "last_failed_at": None,
        "is_deleted": False,
        "deleted_at": None,
    }
    assert told["last_started_at"] is not None
    assert told["last_completed_at"] is not None
    (ran,) = nexus.told("GET", f"/api/jobs/{job}/runs")
    assert (ran["id"], ran["status"]) == (run, "completed")
    assert nexus.told("GET", f"/api/jobs/{job}/runs/{run}/log")["ended"] is True


def test_a_run_that_fails_tells_why(nexus: Nexus) -> None:
    job = nexus.made()
    nexus.told("POST", f"/api/jobs/{job}/trigger")
    nexus.ran({"code": "bad-data", "message": "the file is cut off"})
    told = nexus.told("GET", f"/api/jobs/{job}")
    assert (told["status"], told["status_message"]) == ("failed", "the file is cut off")
    assert told["last_failed_at"] is not None


@proves("nexusone.order-of-the-list")
def test_the_list_is_a_bare_array_of_the_callers_own_jobs_the_newest_first(nexus: Nexus) -> None:
    first = nexus.made(job_name="first")
    nexus.server.clock.move(1)
    second = nexus.made(job_name="second", destination="sales.other")
    nexus.made(by="bob", destination="sales.bobs")
    nexus.join("chief", "nx1_monitor_admin")
    assert [job["id"] for job in nexus.told("GET", "/api/jobs")] == [second, first]
    assert [job["id"] for job in nexus.told("GET", "/api/jobs?limit=1&offset=1")] == [first]
    assert len(nexus.told("GET", "/api/jobs", by="chief")) == 3


@proves("nexusone.deleted-job")
def test_a_deleted_job_is_gone_from_the_list_and_says_so_to_its_owner(nexus: Nexus) -> None:
    job = nexus.made(schedule="@daily")
    assert nexus.told("DELETE", f"/api/jobs/{job}") == "deleted"
    assert nexus.told("GET", "/api/jobs") == []
    told = nexus.told("GET", f"/api/jobs/{job}")
    assert (told["is_deleted"], told["deleted_at"]) == (True, NOW)
    nexus.refused(404, "POST", f"/api/jobs/{job}/trigger")
    nexus.refused(404, "DELETE", f"/api/jobs/{job}")


@proves("nexusone.trigger-while-running")
def test_a_job_that_runs_is_neither_triggered_nor_deleted(nexus: Nexus) -> None:
    job = nexus.made()
    nexus.told("POST", f"/api/jobs/{job}/trigger")
    told = nexus.refused(409, "POST", f"/api/jobs/{job}/trigger")
    assert told == "the job runs already; wait for its end, or cancel it"
    nexus.refused(409, "DELETE", f"/api/jobs/{job}")
    assert nexus.told("POST", f"/api/jobs/{job}/cancel") == "cancelled"
    assert nexus.told("GET", f"/api/jobs/{job}")["status"] == "failed"
    nexus.refused(409, "POST", f"/api/jobs/{job}/cancel")
    nexus.told("DELETE", f"/api/jobs/{job}")


@proves("nexusone.somebody-elses-job", "nexusone-access.rights-of-roles")
def test_others_neither_see_nor_touch_a_job(nexus: Nexus) -> None:
    job = nexus.made()
    nexus.join("maker", "nx1_ingest")
    for by in ("bob", "maker"):
        nexus.refused(403, "GET", f"/api/jobs/{job}", by=by)
        nexus.refused(403, "POST", f"/api/jobs/{job}/trigger", by=by)
        nexus.refused(403, "DELETE", f"/api/jobs/{job}", by=by)
        nexus.refused(403, "PUT", f"/api/jobs/{job}/status", {"status": "completed"}, by=by)
    nexus.refused(403, "POST", "/api/jobs", query("SELECT id FROM sales.orders"), by="maker")
    nexus.refused(403, "GET", "/api/jobs", by="maker")


@proves("nexusone.statuses")
@pytest.mark.parametrize(
    ("sent", "shown", "message"),
    [
        ("PENDING", "new", None),
        ("Running", "running", None),
        ("success", "completed", None),
        ("error", "failed", None),
        ("CANCELLED", "failed", "cancelled"),
    ],
)
def test_a_status_from_outside_is_shown_in_the_documented_words(
    nexus: Nexus, sent: str, shown: str, message: str | None
) -> None:
    job = nexus.made()
    told = nexus.told("PUT", f"/api/jobs/{job}/status", {"status": sent})
    assert (told["status"], told["status_message"]) == (shown, message)


@proves("nexusone.status-from-outside")
def test_a_status_from_outside_does_not_hide_what_runs_here(nexus: Nexus) -> None:
    job = nexus.made()
    nexus.told("PUT", f"/api/jobs/{job}/status", {"status": "failed", "status_message": "elsewhere"})
    assert nexus.told("GET", f"/api/jobs/{job}")["status_message"] == "elsewhere"
    nexus.server.clock.move(1)
    nexus.told("POST", f"/api/jobs/{job}/trigger")
    assert nexus.told("PUT", f"/api/jobs/{job}/status", {"status": "failed"})["status"] == "running"


def test_an_unknown_status_is_refused_with_its_place(nexus: Nexus) -> None:
    job = nexus.made()
    (fault,) = nexus.refused(422, "PUT", f"/api/jobs/{job}/status", {"status": "done"})
    assert (fault["loc"], [*fault]) == (["body", "status"], ["loc", "msg", "type"])


@proves("nexusone-access.keys-of-jobs")
def test_the_key_of_a_job_writes_its_status_and_nothing_else(nexus: Nexus) -> None:
    job, other = nexus.made(), nexus.made(destination="sales.other")
    key = nexus.told("POST", f"/api/jobs/{job}/psk")["psk"]
    assert nexus.ask("PUT", f"/api/jobs/{job}/status", {"status": "completed"}, psk=key).status_code == 200
    assert nexus.ask("PUT", f"/api/jobs/{other}/status", {"status": "completed"}, psk=key).status_code == 403
    assert nexus.ask("GET", f"/api/jobs/{job}", psk=key).status_code == 403
    nexus.told("DELETE", f"/api/jobs/{job}")
    assert nexus.ask("PUT", f"/api/jobs/{job}/status", {"status": "completed"}, psk=key).status_code == 401


@proves("nexusone.source-and-destination")
def test_source_and_destination_may_stand_among_the_properties_as_the_sdk_must_send_them(nexus: Nexus) -> None:
    properties = {"source": "s3://lake/raw", "destination": "sales.orders", "mode": "overwrite"}
    sent = ingest(properties, source=None, destination=None, schedule=None)
    answer = nexus.told("POST", "/api/jobs", sent)
    assert (answer["source"], answer["destination"], json.loads(answer["properties_json"])) == (None, None, properties)
    nexus.told("POST", "/api/jobs", query("SELECT id FROM sales.orders"))
    gone = ingest({**properties, "source": "lake/gone"}, source=None, destination=None)
    (fault,) = nexus.refused(422, "POST", "/api/jobs", gone)
    assert fault["loc"] == ["body", "properties_json", "source"]


BAD: list[tuple[dict[str, Any], list[list[str | int]]]] = [
    ({"job_type": "airflow.other"}, [["body", "job_type"]]),
    ({"job_name": ""}, [["body", "job_name"]]),
    ({"job_name": "a\0"}, [["body", "job_name"]]),
    ({"source": None}, [["body", "source"]]),
    ({"source": "lake/gone"}, [["body", "source"]]),
    ({"source": "lake/../x"}, [["body", "source"]]),
    ({"destination": None}, [["body", "destination"]]),
    ({"destination": "orders"}, [["body", "destination"]]),
    ({"destination": "../a.b"}, [["body", "destination"]]),
    ({"schedule": "every day"}, [["body", "schedule"]]),
    ({"schedule": "61 * * * *"}, [["body", "schedule"]]),
    ({"properties_json": "{"}, [["body", "properties_json"]]),
    ({"properties_json": "[]"}, [["body", "properties_json"]]),
    ({"properties": {"mode": "upsert"}}, [["body", "properties_json", "mode"]]),
    ({"properties": {"jdbc_password": "x"}}, [["body", "properties_json", "jdbc_password"]]),
    ({"properties": {"mode": "merge"}}, [["body", "properties_json", "merge_keys"]]),
    ({"properties": {"mode": "merge", "merge_keys": ["idd"]}}, [["body", "properties_json", "merge_keys"]]),
    ({"properties": {"merge_keys": ["id"]}}, [["body", "properties_json", "merge_keys"]]),
    (
        {"properties": {"column_transformations": [{"column": "id", "transformation_type": "cast"}]}},
        [["body", "properties_json", "column_transformations", 0, "target_type"]],
    ),
    (
        {"properties": {"column_transformations": [{"column": "no", "transformation_type": "drop"}]}},
        [["body", "properties_json", "column_transformations", 0, "column"]],
    ),
    (
        {"properties": {"column_transformations": [{"column": "id", "transformation_type": "hash"}]}},
        [["body", "properties_json", "column_transformations", 0, "transformation_type"]],
    ),
    (
        {"properties": {"column_transformations": [{"column": "id", "transformation_type": "encrypt"}]}},
        [["body", "properties_json", "column_transformations", 0, "encryption_key_name"]],
    ),
    ({"schedule": "@daily", "properties": {"time_zone": "Mars"}}, [["body", "schedule"]]),
]


@proves("nexusone.properties")
@pytest.mark.parametrize(("changes", "places"), BAD)
def test_what_is_wrong_is_told_with_its_place_and_makes_no_job(
    nexus: Nexus, changes: dict[str, Any], places: list[list[str | int]]
) -> None:
    faults = nexus.refused(422, "POST", "/api/jobs", ingest(**changes))
    assert [fault["loc"] for fault in faults] == places
    assert all([*fault] == ["loc", "msg", "type"] for fault in faults)
    assert nexus.told("GET", "/api/jobs") == []


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1 AS a", "SELECT a FROM no.such", "SELECT no FROM sales.orders", "DROP TABLE sales.orders", "SELECT"],
)
def test_a_query_that_can_not_be_is_told_with_its_place(nexus: Nexus, sql: str) -> None:
    nexus.made()
    faults = nexus.refused(422, "POST", "/api/jobs", query(sql))
    assert [fault["loc"] for fault in faults] == [["body", "properties_json", "sql"]]


def test_a_query_reads_a_table_that_another_job_will_fill(nexus: Nexus) -> None:
    nexus.made()
    answer = nexus.told("POST", "/api/jobs", query("SELECT o.name, count(*) AS n FROM sales.orders o GROUP BY o.name"))
    assert answer["status"] == "new"


@proves("nexusone.unknown-type")
@pytest.mark.parametrize("job_type", ["mirror", "airflow.airbyte"])
def test_job_types_that_are_not_built_answer_with_their_name(nexus: Nexus, job_type: str) -> None:
    assert job_type in nexus.refused(501, "POST", "/api/jobs", ingest(job_type=job_type))


@pytest.mark.parametrize("path", ["/api/datamirroring", "/api/metastore/domains", "/api/files/url"])
def test_what_else_the_vendor_has_answers_501_to_who_was_let_in(nexus: Nexus, path: str) -> None:
    assert path.split("/")[2] in nexus.refused(501, "POST", path, {})
    assert nexus.server.send("POST", path).status_code == 401


@proves("nexusone.additions")
def test_a_question_is_a_query_and_its_result_is_read_through_the_job(nexus: Nexus) -> None:
    nexus.made()
    text = json.dumps({"sql": "SELECT name FROM sales.orders"})
    asked = {"job_type": "airflow.nlp", "job_name": "Names", "properties_json": text}
    job = nexus.told("POST", "/api/jobs", asked)["id"]
    assert nexus.refused(404, "GET", f"/api/jobs/{job}/result") == "the job has no result yet"
    nexus.refused(403, "GET", f"/api/jobs/{job}/result", by="bob")
    (fault,) = nexus.refused(422, "POST", "/api/jobs", {**asked, "properties_json": "{}"})
    assert fault["loc"] == ["body", "properties_json", "sql"]


@proves("nexusone.additions")
def test_an_update_makes_the_job_another_one_and_keeps_it_paused(nexus: Nexus) -> None:
    job = nexus.made(schedule="0 6 * * *")
    nexus.told("POST", f"/api/jobs/{job}/pause")
    changed = ingest({"mode": "overwrite"}, job_name="Again", schedule="0 7 * * *")
    told = nexus.told("PUT", f"/api/jobs/{job}", changed)
    assert (told["job_name"], told["schedule"], json.loads(told["properties_json"])) == (
        "Again", "0 7 * * *", {"mode": "overwrite"}
    )  # fmt: skip
    assert fired(nexus, hours=7) == []
    nexus.told("POST", f"/api/jobs/{job}/resume")
    assert fired(nexus, hours=24) == ["running"]


@proves("nexusone.schedule")
def test_a_schedule_starts_the_job_in_utc_unless_it_runs_already(nexus: Nexus) -> None:
    job = nexus.made(schedule="0 6 * * *")
    assert fired(nexus, hours=5) == ["running"]
    assert len(nexus.told("GET", f"/api/jobs/{job}/runs")) == 1
    assert fired(nexus, hours=24) == ["running"]
    assert len(nexus.told("GET", f"/api/jobs/{job}/runs")) == 1


def test_pausing_a_job_without_a_schedule_is_refused(nexus: Nexus) -> None:
    job = nexus.made()
    assert nexus.refused(409, "POST", f"/api/jobs/{job}/pause") == "the job has no schedule"


def test_what_changes_a_job_stands_in_the_audit_log(nexus: Nexus) -> None:
    job = nexus.made(schedule="@daily")
    nexus.told("POST", f"/api/jobs/{job}/pause")
    nexus.told("PUT", f"/api/jobs/{job}/status", {"status": "failed"})
    nexus.told("DELETE", f"/api/jobs/{job}")
    with nexus.server.database.reading() as con:
        rows, _ = audit.list(con, "main", filter=AuditFilter(resource=f"feeds/{job}"), page=Page())
    actions = [row.action for row in reversed(rows)]
    assert actions == ["createJob", "pauseJob", "writeJobStatus", "deleteJob"]
    assert {(row.principal, row.result) for row in rows} == {("ann", "done")}
    assert all(row.trace_id and row.source for row in rows)


def test_the_service_says_that_it_is_there_to_everybody(nexus: Nexus) -> None:
    answer = nexus.server.send("GET", "/api/health/ping")
    assert (answer.status_code, [*answer.json()]) == (200, ["version", "build_number"])


def test_a_body_that_is_too_large_is_refused(nexus: Nexus) -> None:
    assert nexus.refused(413, "POST", "/api/jobs", ingest(source="x" * 6_000_000)) == "a body has at most 5242880 bytes"


def fired(nexus: Nexus, *, hours: int) -> list[str]:
    """What jobs say after the clock has moved and a scheduler has looked; tokens live for less, so they are new."""
    nexus.server.clock.move(hours * 3600)
    with nexus.server.database.transaction() as con:
        ticks.fire(con, now=nexus.server.database.now(con), limit=10)
    nexus.join("watch", "nx1_monitor_admin")
    nexus.tokens["ann"] = nexus.tokens["watch"]
    return [job["status"] for job in nexus.told("GET", "/api/jobs", by="watch") if job["status"] != "new"]
