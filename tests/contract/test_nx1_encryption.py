"""`encrypt` among the column transformations of NexusOne's dialect: a key is named, known, and never shown."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.core import jobs
from headrace.core.jobs import JobFilter
from headrace.core.paging import Page
from tests.support.nexus import Nexus, ingest
from tests.support.proving import proves
from tests.support.uses import ALICE

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(1, 33))).decode()
PLACE = ["body", "properties_json", "column_transformations"]


@pytest.fixture
def nexus(tmp_path: Path) -> Iterator[Nexus]:
    started = Nexus.start(tmp_path, {"HEADRACE_ENCRYPTION_KEYS": f"people:{KEY} cards:{OTHER}"})
    yield started
    started.server.database.dispose()


def encrypt(column: str = "name", **more: Any) -> dict[str, Any]:
    return {"column": column, "transformation_type": "encrypt", **more}


@proves("nexusone.encrypt")
def test_an_encrypted_column_is_a_node_that_names_its_key(nexus: Nexus) -> None:
    changes = [{"column": "name", "transformation_type": "rename", "new_name": "who"}]
    sent = ingest({"column_transformations": [*changes, encrypt("who", encryption_key_name="people")]})
    answer = nexus.told("POST", "/api/jobs", sent)
    assert answer["properties_json"] == sent["properties_json"]
    with nexus.server.database.reading() as con:
        (row,), _ = jobs.list(con, ALICE, filter=JobFilter(), page=Page())
        kept = jobs.get(con, ALICE, row.job_id).definition
    assert kept is not None
    assert kept["nodes"][2] == {
        "name": "step 3",
        "type": "TRANSFORM_ENCRYPT",
        "encryptFieldList": [{"name": "who", "keyName": "people"}],
        "id": 3,
        "parentNodeIds": [2],
    }
    assert kept["nodes"][3]["fieldList"] == [{"name": "id", "type": "int"}, {"name": "who", "type": "string"}]
    assert KEY not in json.dumps([answer, kept])


@proves("nexusone.encrypt")
@pytest.mark.parametrize(
    ("changes", "loc", "told"),
    [
        ([encrypt()], [*PLACE, 0, "encryption_key_name"], "is needed by this transformation"),
        ([encrypt(encryption_key_name="peopel")], [*PLACE, 0, "encryption_key_name"], "did you mean 'people'?"),
        ([encrypt(encryption_key_name="a key")], [*PLACE, 0, "encryption_key_name"], "there is no key 'a key'"),
        ([encrypt("gone", encryption_key_name="people")], [*PLACE, 0], "no column 'gone'"),
        ([encrypt(encryption_key_name="people", key=KEY)], [*PLACE, 0, "key"], "Extra inputs are not permitted"),
    ],
)
def test_a_key_that_is_missing_or_unknown_is_told_with_its_place(
    nexus: Nexus, changes: list[Any], loc: list[Any], told: str
) -> None:
    (fault,) = nexus.refused(422, "POST", "/api/jobs", ingest({"column_transformations": changes}))
    assert (fault["loc"], told in fault["msg"]) == (loc, True)
    assert KEY not in json.dumps(fault)


def test_a_merge_by_an_encrypted_column_is_refused_as_no_two_values_are_equal(nexus: Nexus) -> None:
    changes = [
        encrypt("id", encryption_key_name="people"),
        {"column": "id", "transformation_type": "rename", "new_name": "key"},
    ]
    sent = {"mode": "merge", "merge_keys": ["key"], "column_transformations": changes}
    (fault,) = nexus.refused(422, "POST", "/api/jobs", ingest(sent))
    assert fault["loc"] == ["body", "properties_json", "merge_keys"]
    assert fault["msg"] == "'key' is encrypted, and no two such values are equal; merge by other columns"


def test_an_ingest_by_its_own_endpoint_encrypts_too(nexus: Nexus) -> None:
    sent = {"name": "a", "ingesttype": "file", "schema_name": "sales", "table": "people", "mode": "overwrite"}
    body = {**sent, "file_path": "s3://lake/raw", "column_transformations": [encrypt(encryption_key_name="peopel")]}
    (fault,) = nexus.refused(422, "POST", "/api/dataingest/submit", body)
    assert fault["loc"] == ["body", "column_transformations", 0, "encryption_key_name"]
    body["column_transformations"] = [encrypt(encryption_key_name="people")]
    assert nexus.told("POST", "/api/dataingest/submit", body)["error"] is None
