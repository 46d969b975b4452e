"""A whole node graph as the body of an `airflow.dataeng` job: what it reads, where it ends, what is wrong with it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.core import data_grants, jobs
from headrace.core.jobs import JobFilter
from headrace.core.paging import Page
from tests.support.jobs import Json, node, source, target
from tests.support.nexus import Nexus
from tests.support.proving import proves
from tests.support.uses import ALICE

NODES: list[str | int] = ["body", "properties_json", "nodes"]


@pytest.fixture
def nexus(tmp_path: Path) -> Iterator[Nexus]:
    started = Nexus.start(tmp_path)
    started.made()
    yield started
    started.server.database.dispose()


def table(name: str = "orders", node_id: int = 1, **more: Any) -> Json:
    return node("SOURCE_CATALOG", node_id, (), database="sales", table=name, **more)


def where(node_id: int = 2, parents: tuple[int, ...] = (1,), name: str = "name") -> Json:
    condition = {"name": name, "operator": "EQ", "value": "a"}
    return node("TRANSFORM_FILTER", node_id, parents, filterType="AND", filterConditionList=[condition])


def graph(*nodes: Any, **properties: Any) -> Json:
    """The body of a job that fills `sales.some` by nodes."""
    text = json.dumps({"nodes": nodes, **properties})
    return {"job_type": "airflow.dataeng", "job_name": "Some", "destination": "sales.some", "properties_json": text}


def kept(nexus: Nexus) -> list[Json]:
    """The nodes of the job that was made last."""
    with nexus.server.database.reading() as con:
        rows, _ = jobs.list(con, ALICE, filter=JobFilter(), page=Page())
        definition = next(
            found
            for row in rows
            if (found := jobs.get(con, ALICE, row.job_id).definition) and found["nodes"][-1]["name"] == "sales.some"
        )
    return list(definition["nodes"])


@proves("nexusone.node-graph")
def test_a_graph_reads_tables_and_buckets_and_its_end_is_written(nexus: Nexus) -> None:
    lake = source("id int, name string", node_id=3, prefix="raw")
    union = node("TRANSFORM_UNION", 7, (2, 3), unionType="ALL")
    nexus.told(
        "POST", "/api/jobs", graph(table(schemaVersion="1"), where(), lake, union, mode="merge", merge_keys=["id"])
    )
    first, *_, last = kept(nexus)
    columns = [{"name": "id", "type": "int"}, {"name": "name", "type": "string"}]
    assert first == {
        "type": "SOURCE_OBS",
        "id": 1,
        "name": "node 1",
        "parentNodeIds": [],
        "regionNo": "1",
        "bucketName": "warehouse",
        "prefix": "sales/orders",
        "dataType": "PARQUET",
        "fieldList": columns,
    }
    assert last == {
        "type": "TARGET_OBS",
        "id": 8,
        "name": "sales.some",
        "parentNodeIds": [7],
        "regionNo": "1",
        "bucketName": "warehouse",
        "prefix": "sales/some",
        "dataType": "PARQUET",
        "updateType": "MERGE",
        "mergeKeyList": ["id"],
        "fieldList": columns,
    }
    again = {"sql": "SELECT s.name FROM sales.some s", "mode": "overwrite"}
    nexus.told("POST", "/api/jobs", {**graph(), "destination": "sales.b", "properties_json": json.dumps(again)})


def test_a_table_may_be_read_in_part_and_in_other_types(nexus: Nexus) -> None:
    nexus.told("POST", "/api/jobs", graph(table(fieldList=[{"name": "id", "type": "bigint"}])))
    assert kept(nexus)[-1]["fieldList"] == [{"name": "id", "type": "bigint"}]


ODD = node("TRANSFORM_ODD", 2, (1,))
BAD: list[tuple[Json, list[list[str | int]]]] = [
    (graph(), [NODES]),
    (graph("a"), [[*NODES, 0]]),
    (graph(table(), ODD), [[*NODES, 1, "type"]]),
    (graph(table("gone")), [[*NODES, 0, "table"]]),
    (graph(table("../gone")), [[*NODES, 0, "table"]]),
    (graph(node("SOURCE_CATALOG", 1, (), table="orders")), [[*NODES, 0, "database"]]),
    (graph({**table(), "parentNodeIds": [5]}, where()), [[*NODES, 0, "parentNodeIds"]] * 2),
    (graph(table(), where(name="gone")), [[*NODES, 1, "filterConditionList", 0, "name"]]),
    (graph(table(), where(1)), [[*NODES, 0, "id"]]),
    (graph({**table(), "id": True}), [[*NODES, 0, "id"]]),
    (graph(where(1, (2,)), where(2, (1,))), [[*NODES, 0, "parentNodeIds"], [*NODES, 1, "parentNodeIds"]]),
    (graph(table(), where(), where(3)), [NODES]),
    (graph(table(), target(node_id=2)), [[*NODES, 1, "type"]]),
    (graph(table(password="x")), [[*NODES, 0, "password"]]),
    (graph(source("id int", bucketName="..")), [[*NODES, 0, "bucketName"]]),
    (graph({"id": 1}), [[*NODES, 0, "type"]]),
    (graph(table(), sql="SELECT o.id FROM sales.orders o"), [NODES]),
    (graph(table(), mode="merge"), [["body", "properties_json", "merge_keys"]]),
    (graph(table(), mode="merge", merge_keys=["no"]), [["body", "properties_json", "merge_keys"]]),
    ({**graph(), "properties_json": "{}"}, [["body", "properties_json", "sql"]]),
    ({**graph(table()), "destination": None}, [["body", "destination"]]),
    ({**graph(), "properties_json": '{"nodes": [], "nodes": []}'}, [["body", "properties_json"]]),
]


@proves("nexusone.node-graph")
@pytest.mark.parametrize(("sent", "places"), BAD)
def test_what_is_wrong_with_a_graph_is_told_with_its_place_and_makes_no_job(
    nexus: Nexus, sent: Json, places: list[list[str | int]]
) -> None:
    faults = nexus.refused(422, "POST", "/api/jobs", sent)
    assert [fault["loc"] for fault in faults] == places
    assert all([*fault] == ["loc", "msg", "type"] for fault in faults)
    assert len(nexus.told("GET", "/api/jobs")) == 1


def test_a_graph_that_is_as_deep_as_it_may_be_without_its_end_is_told(nexus: Nexus) -> None:
    deep = [where(number, (number - 1,)) for number in range(2, 102)]
    (fault,) = nexus.refused(422, "POST", "/api/jobs", graph(table(), *deep))
    assert fault["loc"][:3] == NODES
    assert "more than 100 nodes" in fault["msg"]


def test_a_graph_reads_only_what_was_granted_to_its_owner(nexus: Nexus) -> None:
    lake = source("id int", node_id=1, prefix="raw")
    with nexus.server.database.transaction() as con:
        for grant in data_grants.list(con, "main"):
            data_grants.take(con, "main", grant.grant_id)
        now = nexus.server.clock.now()
        data_grants.give(con, "main", "ann", use="write", what="*", warehouse="warehouse", now=now)
    assert "no right to read lake/raw" in nexus.refused(403, "POST", "/api/jobs", graph(lake))
    assert "no right to read sales.orders" in nexus.refused(403, "POST", "/api/jobs", graph(table(), where()))
    (fault,) = nexus.refused(422, "POST", "/api/jobs", graph(source("id int", bucketName="uploads", prefix="x/a")))
    assert fault["loc"] == [*NODES, 0, "prefix"]
    with nexus.server.database.transaction() as con:
        data_grants.give(con, "main", "ann", use="read", what="lake/raw", warehouse="warehouse", now=now)
    nexus.told("POST", "/api/jobs", graph(lake))
