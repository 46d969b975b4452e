"""`/api/dataingest` of NexusOne's dialect: what a body means as a job, what is refused, and that it runs at once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.nexus import Nexus, ingest


@pytest.fixture
def nexus(tmp_path: Path) -> Iterator[Nexus]:
    started = Nexus.start(tmp_path)
    yield started
    started.server.database.dispose()


def body(**changes: object) -> dict[str, Any]:
    """What reads `lake/raw` into `sales.orders`."""
    sent = {"name": "Orders", "ingesttype": "file", "schema_name": "sales", "table": "orders", "mode": "append"}
    return {**sent, "file_path": "s3://lake/raw/a.csv", **changes}


def nodes(nexus: Nexus) -> list[dict[str, Any]]:
    """What the run that waits first would do."""
    claimed = nexus.server.claim()
    sent = nexus.server.ask("GET", f"/api/v1/jobs/{claimed.job_id}").json()
    return list(sent["nodes"])


def test_an_uploaded_file_is_ingested_at_once(nexus: Nexus) -> None:
    file = nexus.upload("orders.csv", b"id;name\n1;a\n").json()
    told = nexus.told("POST", "/api/dataingest/submit", body(file_id=file["id"], file_path=file["s3_url"]))
    job = told.pop("job_id")
    assert told == {"flow_url": f"http://test/api/jobs/{job}", "error": None}
    shown = nexus.told("GET", f"/api/jobs/{job}")
    assert (shown["job_type"], shown["status"], shown["destination"]) == ("airflow.ingest", "running", "sales.orders")
    source = nodes(nexus)[0]
    assert (source["bucketName"], source["prefix"]) == ("uploads", f"{file['id']}/orders.csv")
    assert (source["options"], len(source["fieldList"])) == ({"delimiter": ";"}, 2)


def test_the_options_of_a_body_are_those_of_the_job(nexus: Nexus) -> None:
    sent = body(
        mode="merge",
        merge="id, name",
        file_format="csv",
        file_read_options={"header": "true", "inferSchema": "false", "dateFormat": "yyyy-MM-dd"},
        column_transformations=[{"column": "name", "transformation_type": "rename", "new_name": "called"}],
        schedule="@daily",
        domain="urn:li:domain:sales",
        tags=["pii"],
        owner_id="ann",
    )
    nexus.refused(422, "POST", "/api/dataingest/submit", sent)  # the key is no column any more
    job = nexus.told("POST", "/api/dataingest/submit", {**sent, "merge": "id"})["job_id"]
    shown = nexus.told("GET", f"/api/jobs/{job}")
    assert (shown["schedule"], shown["status"]) == ("@daily", "running")
    assert json.loads(shown["properties_json"])["merge_keys"] == ["id"]
    source, rename, target = nodes(nexus)
    assert {column["type"] for column in source["fieldList"]} == {"string"}
    assert rename["renameFieldList"] == [{"name": "name", "newName": "called"}]
    assert (target["updateType"], target["mergeKeyList"]) == ("MERGE", ["id"])


def test_rows_of_a_table_are_ingested_into_another(nexus: Nexus) -> None:
    nexus.made()
    sent = body(
        ingesttype="lakehouse",
        file_path=None,
        table="few",
        lakehouse_sourceschema="sales",
        lakehouse_sourcetable="orders",
    )
    nexus.told("POST", "/api/dataingest/submit", sent)
    assert [node["type"] for node in nodes(nexus)] == ["SOURCE_OBS", "TARGET_OBS"]
    nexus.told("POST", "/api/dataingest/submit", {**sent, "table": "fewer", "lakehouse_conditions": "id > 1 -- two"})
    source, query, target = nodes(nexus)
    assert (source["prefix"], query["type"], target["prefix"]) == ("sales/orders", "TRANSFORM_SQL", "sales/fewer")


@pytest.mark.parametrize(
    "condition", ["1=1) UNION SELECT * FROM sales.others WHERE (1=1", "nothing > 1", "1=1); x (", ""]
)
def test_a_condition_is_about_the_rows_of_its_own_table(nexus: Nexus, condition: str) -> None:
    nexus.made()
    nexus.made(destination="sales.others")
    job = ingest({"where": condition}, source="sales.orders", destination="sales.few")
    (fault,) = nexus.refused(422, "POST", "/api/jobs", job)
    assert fault["loc"] == ["body", "properties_json", "where"]


def test_what_is_wrong_with_a_body_is_told_where_it_stands(nexus: Nexus) -> None:
    somebodys = nexus.upload("b.csv", b"id\n1\n", by="bob").json()
    table = {"ingesttype": "lakehouse", "lakehouse_sourceschema": "sales"}
    for changes, loc in (
        ({"mode": "merge"}, ["merge"]),
        ({"file_path": None}, ["file_id"]),
        ({"file_path": "lake/nothing"}, ["file_path"]),
        ({"file_id": somebodys["id"], "file_path": None}, ["file_id"]),
        ({"file_path": somebodys["s3_url"]}, ["file_path"]),
        ({"file_path": "uploads/" + somebodys["id"]}, ["file_path"]),
        ({"file_format": "pdf"}, ["file_format"]),
        ({"file_read_options": {"sheet": "1"}}, ["file_read_options", "sheet"]),
        ({"table": "or/ders"}, ["table"]),
        ({"schedule": "when it rains"}, ["schedule"]),
        ({"column_transformations": [{"column": "no", "transformation_type": "drop"}]},
         ["column_transformations", 0, "column"]),
        (table, ["lakehouse_sourcetable"]),
        ({**table, "lakehouse_sourcetable": "nothing"}, ["lakehouse_sourcetable"]),
        ({"ingesttype": "other"}, ["ingesttype"]),
    ):  # fmt: skip
        told = nexus.refused(422, "POST", "/api/dataingest/submit", body(**changes))
        assert told[0]["loc"] == ["body", *loc], (changes, told)
    assert nexus.told("GET", "/api/jobs") == []


def test_what_can_not_be_ingested_yet_is_named(nexus: Nexus) -> None:
    for changes, word in (
        ({"ingesttype": "jdbc", "jdbc_url": "jdbc:postgresql://db/x", "jdbc_password": "s3cret"}, "jdbc"),
        ({"file_format": "xls"}, "xls"),
        ({"file_read_options": {"dateFormat": "dd.MM.yyyy"}}, "dateFormat"),
        ({"ingesttype": "lakehouse", "lakehouse_catalog": "other"}, "lakehouse_catalog"),
    ):
        told = nexus.refused(501, "POST", "/api/dataingest/submit", body(**changes))
        assert word in told
        assert "s3cret" not in told
    assert "dataingest" in nexus.refused(501, "GET", "/api/dataingest/jdbc_options")


def test_only_who_may_ingest_submits_and_for_themselves(nexus: Nexus) -> None:
    nexus.join("asker", "nx1_ask", "nx1_monitor")
    nexus.refused(403, "POST", "/api/dataingest/submit", body(), by="asker")
    nexus.refused(403, "POST", "/api/dataingest/submit", body(owner_id="bob"))


def test_others_files_are_no_source_of_a_job(nexus: Nexus) -> None:
    file = nexus.upload("b.csv", b"id\n1\n", by="bob").json()
    fields = [{"name": "id", "type": "bigint"}]
    for source in (file["s3_url"], f"uploads/{file['id']}", "uploads/x"):
        for properties in ({}, {"format": "csv", "columns": fields}):
            told = nexus.refused(422, "POST", "/api/jobs", ingest(properties, source=source))
            assert "no such file of yours" in told[0]["msg"]
    nexus.told("POST", "/api/jobs", ingest({}, source=file["s3_url"]), by="bob")
    two = nexus.refused(422, "POST", "/api/jobs", ingest({"file_id": file["id"]}, source="lake/raw"), by="bob")
    assert two[0]["loc"] == ["body", "source"]
    nexus.told("POST", "/api/jobs", ingest({"file_id": file["id"]}, source=None), by="bob")


def test_what_is_for_files_is_refused_of_a_table(nexus: Nexus) -> None:
    nexus.made()
    told = nexus.refused(422, "POST", "/api/jobs", ingest({"format": "csv"}, source="sales.orders"))
    assert told[0]["loc"] == ["body", "properties_json", "format"]
    told = nexus.refused(422, "POST", "/api/jobs", ingest({"where": "id > 1"}))
    assert told[0]["loc"] == ["body", "properties_json", "where"]
    told = nexus.refused(422, "POST", "/api/jobs", ingest(source="lake"))
    assert told[0]["loc"] == ["body", "source"]


def test_the_options_of_each_format_are_told(nexus: Nexus) -> None:
    told = nexus.told("GET", "/api/dataingest/file_ingestion_options")
    assert [*told] == ["csv", "json", "ndjson", "parquet"]
    assert (told["csv"]["header"], told["csv"]["delimiter"], told["parquet"]) == ("true", ",", {})
    # Each of them can be sent as it is told.
    sent = {name: value for name, value in told["csv"].items() if value is not None}
    nexus.told("POST", "/api/dataingest/submit", body(file_format="csv", file_read_options=sent))
