"""What `properties_json` holds, by type of job: as described, as the examples show, and what never comes back."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from headrace.api.nx1.models import PROPERTIES
from headrace.core import jobs
from headrace.core.jobs import JobFilter
from headrace.core.paging import Page
from tests.support.nexus import Nexus, ingest
from tests.support.proving import proves
from tests.support.uses import ALICE

KEY = base64.b64encode(bytes(32)).decode()
EXAMPLES = [
    (job_type, example)
    for job_type, kind in PROPERTIES.items()
    for example in kind.model_json_schema().get("examples", ())
]
FILES = {
    "csv": b"id;name\n1;a\n",
    "json": b'[{"id": 1, "name": "a"}]',
    "ndjson": b'{"id": 1, "name": "a"}\n{"id": 2, "name": "b"}\n',
}


@pytest.fixture
def nexus(tmp_path: Path) -> Iterator[Nexus]:
    started = Nexus.start(tmp_path, {"HEADRACE_ENCRYPTION_KEYS": f"people:{KEY}"})
    yield started
    started.server.database.dispose()


def source_of(nexus: Nexus) -> dict[str, Any]:
    """The source of the only job, as it runs."""
    with nexus.server.database.reading() as con:
        (row,), _ = jobs.list(con, ALICE, filter=JobFilter(), page=Page())
        definition = jobs.get(con, ALICE, row.job_id).definition
    assert definition is not None
    return dict(definition["nodes"][0])


def put(nexus: Nexus, key: str, content: bytes) -> None:
    path = nexus.folder / "buckets" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@proves("nexusone.properties")
@pytest.mark.parametrize(("job_type", "properties"), EXAMPLES)
def test_every_example_makes_a_job(nexus: Nexus, job_type: str, properties: dict[str, Any]) -> None:
    nexus.made()
    sent = ingest(properties, job_type=job_type, destination="sales.other", source="lake/raw")
    assert json.loads(nexus.told("POST", "/api/jobs", sent)["properties_json"]) == properties


def test_every_type_that_runs_is_described_with_an_example(nexus: Nexus) -> None:
    schemas = nexus.server.send("GET", "/docs/nexusone.json").json()["components"]["schemas"]
    assert {job_type for job_type, _ in EXAMPLES} == set(PROPERTIES)
    for kind in PROPERTIES.values():
        assert schemas[kind.__name__]["additionalProperties"] is False
        assert set(schemas[kind.__name__]["properties"]) == set(kind.model_fields)
    assert schemas["NewJob"]["properties"]["properties_json"]["contentMediaType"] == "application/json"


@pytest.mark.parametrize("kind", FILES)
def test_files_of_each_kind_are_seen_for_what_they_are(nexus: Nexus, kind: str) -> None:
    put(nexus, f"lake/other/a.{kind}", FILES[kind])
    nexus.told("POST", "/api/jobs", ingest(source="s3://lake/other"))
    found = source_of(nexus)
    assert (found["dataType"], [c["name"] for c in found["fieldList"]]) == (kind.upper(), ["id", "name"])
    assert found.get("options", {}).get("delimiter") == (";" if kind == "csv" else None)


def test_what_is_said_of_files_comes_before_what_is_seen(nexus: Nexus) -> None:
    columns = [{"name": "id", "type": "bigint"}]
    options = {"header": False, "delimiter": "|", "nullValue": "-", "encoding": "CP949", "compression": "GZIP"}
    sent = ingest({"format": "csv", "columns": columns, "read_options": options}, source="lake/not-yet")
    nexus.told("POST", "/api/jobs", sent)
    found = source_of(nexus)
    assert (found["dataType"], found["fieldList"], found["options"]) == ("CSV", columns, options)


@proves("nexusone.changed-columns")
@pytest.mark.parametrize("mode", ["append", "merge", "overwrite"])
def test_rows_with_other_columns_only_take_the_place_of_those_that_are_there(nexus: Nexus, mode: str) -> None:
    nexus.made()
    table = nexus.folder / "buckets" / "warehouse" / "sales" / "orders"
    table.mkdir(parents=True)
    pyarrow.parquet.write_table(pyarrow.table({"id": pyarrow.array([1], "int32"), "name": ["a"]}), table / "a.parquet")
    keys = {"merge_keys": ["id"]} if mode == "merge" else {}
    drop = {"column": "name", "transformation_type": "drop"}
    changed = ingest({"mode": mode, "column_transformations": [drop], **keys})
    if mode == "overwrite":
        nexus.told("POST", "/api/jobs", changed)
    else:
        (fault,) = nexus.refused(422, "POST", "/api/jobs", changed)
        assert (fault["loc"], fault["type"]) == (["body", "destination"], "other-columns")
    nexus.told("POST", "/api/jobs", ingest({"mode": mode, **keys}, job_name="same"))


@proves("nexusone.secrets")
@pytest.mark.parametrize(
    "properties",
    [
        {"jdbc_password": "hunter2"},
        {"read_options": {"password": "hunter2"}},
        {"column_transformations": [{"column": "id", "transformation_type": "drop", "key": "hunter2"}]},
        {"mode": {"secret": "hunter2"}},
    ],
)
def test_a_secret_where_none_belongs_is_refused_and_not_repeated(nexus: Nexus, properties: dict[str, Any]) -> None:
    sent = ingest(properties)
    answer = nexus.ask("POST", "/api/jobs", sent)
    assert (answer.status_code, "hunter2" in answer.text) == (422, False)
    job = nexus.made(destination="sales.b")
    answer = nexus.ask("PUT", f"/api/jobs/{job}", sent)
    assert (answer.status_code, "hunter2" in answer.text) == (422, False)
    assert "hunter2" not in nexus.ask("GET", f"/api/jobs/{job}").text
