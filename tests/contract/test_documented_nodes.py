"""Every documented node type, field and value is taken; what is missing or wrong is told at its field."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.jobs import Json
from tests.support.proving import facts_of, proves
from tests.support.server import Server
from tools.reference.facts import Fact

VERIFY = "/api/v1/jobs/verify"
ID, NAME = {"name": "id", "type": "bigint"}, {"name": "name", "type": "string"}
OBJECTS = {"regionNo": "1", "bucketName": "lake", "dataType": "CSV", "fieldList": [ID, NAME]}
CATALOG = {"database": "sales", "table": "orders", "schemaVersion": "1", "fieldList": [ID, NAME]}
TABLE = {"connectionId": "con1", "table": "orders", "fieldList": [ID, NAME]}
TESTED = 3
WRONG = {"string": 5, "integer": "x", "array": {}, "object": [], "boolean": "yes"}

# The parents, the fields and a column that comes out.
SAMPLES: dict[str, tuple[list[int], Json, Json]] = {
    "SOURCE_OBS": ([], {**OBJECTS, "prefix": "third"}, ID),
    "SOURCE_CATALOG": ([], CATALOG, ID),
    "SOURCE_CDB_MYSQL": ([], TABLE, ID),
    "SOURCE_CDB_POSTGRESQL": ([], TABLE, ID),
    "TRANSFORM_DEFINE": ([1], {"defineFieldList": [{"name": "id", "newType": "int", "newName": "code"}]}, NAME),
    "TRANSFORM_SELECT": ([1], {"fieldList": [ID]}, ID),
    "TRANSFORM_JOIN": (
        [1, 2],
        {
            "joinType": "INNER",
            "leftNodeId": 1,
            "rightNodeId": 2,
            "joinConditionList": [
                {"leftField": "id", "rightField": "id", "joinOperator": "EQ", "conditionOperator": "HEAD"},
                {"leftField": "name", "rightField": "name", "joinOperator": "EQ", "conditionOperator": "AND"},
            ],
            "prefix": "right_",
        },
        ID,
    ),
    "TRANSFORM_FILTER": (
        [1],
        {"filterType": "AND", "filterConditionList": [{"name": "name", "operator": "EQ", "value": "A"}]},
        ID,
    ),
    "TRANSFORM_UNION": ([1, 2], {"unionType": "ALL"}, ID),
    "TRANSFORM_AGGREGATE": (
        [1],
        {"groupByList": ["name"], "aggregateFieldList": [{"name": "id", "ResultName": "total", "function": "SUM"}]},
        NAME,
    ),
    "TRANSFORM_RENAME": ([1], {"renameFieldList": [{"name": "name", "newName": "title"}]}, ID),
    "TRANSFORM_DROP_DUPLICATION": ([1], {"dropFieldList": ["id"]}, ID),
    "TRANSFORM_FILL_MISSING_VALUES": ([1], {"missingValueFieldList": [{"name": "name", "defaultValue": "none"}]}, ID),
    "TRANSFORM_SQL": ([1], {"sourceNameList": [{"parentId": 1, "newName": "t"}], "sql": "SELECT id FROM t"}, ID),
    "TRANSFORM_DROP_NULL": ([1], {"dropFieldList": ["id"]}, ID),
    "TRANSFORM_SPLIT_FIELD": ([1], {"fieldName": "name", "delimiter": "-", "newFieldList": ["first", "second"]}, ID),
    "TARGET_OBS": ([1], {**OBJECTS, "prefix": "third", "updateType": "APPEND", "coalesce": 1}, ID),
    "TARGET_CATALOG": ([1], {**CATALOG, "updateType": "APPEND", "coalesce": 1}, ID),
    "TARGET_CDB_MYSQL": ([1], {**TABLE, "updateType": "APPEND"}, ID),
    "TARGET_CDB_POSTGRESQL": ([1], {**TABLE, "updateType": "APPEND"}, ID),
}
FIELDS = [fact for fact in facts_of("") if fact.id.partition(".")[0] in SAMPLES and fact.type]
VALUES = [fact for fact in facts_of("") if fact.id.partition(".")[0] in SAMPLES and "=" in fact.id]
OF_EVERY_NODE = facts_of("Node.")
TYPES = facts_of("Field.type=")


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all: nothing here is kept."""
    started = Server.start(tmp_path_factory.mktemp("server"), rate_limit="0")
    yield started
    started.database.dispose()


def job(kind: str) -> Json:
    parents, own, column = SAMPLES[kind]
    sources = [source(node_id, f"in{node_id}") for node_id in (1, 2)]
    tested = {"type": kind, "id": TESTED, "name": "tested", "parentNodeIds": parents, **copy.deepcopy(own)}
    reads = 1 if kind.startswith("TARGET_") else TESTED
    place = {**OBJECTS, "prefix": "out", "fieldList": [column]}
    last = {"type": "TARGET_OBS", "id": 9, "name": "last", "parentNodeIds": [reads], **place}
    return {"name": "job001", "nodes": [*sources, tested, last]}


def source(node_id: int, prefix: str) -> Json:
    place = {**OBJECTS, "prefix": prefix}
    return {"type": "SOURCE_OBS", "id": node_id, "name": f"in {node_id}", "parentNodeIds": [], **place}


def holder(sent: Json, path: str) -> tuple[Any, str]:
    """The object in the tested node that holds the last part of a path, and that part."""
    *inner, last = re.findall(r"\w+", path)
    found: Any = sent["nodes"][2]
    for part in inner:
        found = found[int(part) if part.isdecimal() else part]
    return found, last


def told(server: Server, sent: Json) -> list[str]:
    """The fields of the tested node that have problems; empty when it is taken."""
    answer = server.ask("POST", VERIFY, sent)
    if answer.status_code == 200:
        assert answer.text == "true"
        return []
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad-parameter"), answer.text
    problems = answer.json()["problems"]
    assert all(problem.get("field", "nodes") in answer.json()["detail"] for problem in problems[:20])
    return [problem.get("field", "") for problem in problems]


def path_of(fact: Fact) -> str:
    return fact.id.partition(".")[2].partition("=")[0]


@proves("TRANSFORM_DROP_NULL", "TRANSFORM_SPLIT_FIELD", "Node.type")
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_documented_node_type_is_taken(verifier: Server, kind: str) -> None:
    assert told(verifier, job(kind)) == []


@proves("SOURCE_*", "TRANSFORM_*", "TARGET_*")
@pytest.mark.parametrize("fact", FIELDS, ids=lambda fact: fact.id)
def test_a_field_of_a_node_is_told_when_it_is_missing_or_of_another_kind(verifier: Server, fact: Fact) -> None:
    kind, path = fact.id.partition(".")[0], path_of(fact)
    without = job(kind)
    inside, last = holder(without, path)
    assert inside[last] is not None
    del inside[last]
    # What an operator needs beside it is told at the condition as a whole.
    assert bool({path, path.rpartition(".")[0]} & set(told(verifier, without))) == fact.required
    for value in (WRONG[fact.type], *([None] if fact.required else [])):
        wrong = job(kind)
        inside, last = holder(wrong, path)
        inside[last] = value
        assert any(place in told(verifier, wrong) for place in (path, path.rpartition(".")[0]))


@proves("SOURCE_*=*", "TRANSFORM_*=*", "TARGET_*=*", "requests.condition-operators", "requests.filter-fields")
@pytest.mark.parametrize("fact", VALUES, ids=lambda fact: fact.id)
def test_every_documented_value_of_a_field_is_taken_and_no_other(verifier: Server, fact: Fact) -> None:
    kind, value, path = fact.id.partition(".")[0], fact.id.partition("=")[2], path_of(fact)
    if value in ("AND", "OR"):  # only HEAD stands at the first condition of a join
        path = path.replace("joinConditionList[0]", "joinConditionList[1]")
    for sent, problems in ((value, []), (value.lower(), [path]), (f"{value}X", [path]), ("x" * 10_000, [path])):
        changed = job(kind)
        inside, last = holder(changed, path)
        inside[last] = sent
        assert told(verifier, changed) == problems


@proves("Node.*")
@pytest.mark.parametrize("fact", OF_EVERY_NODE, ids=lambda fact: fact.id)
def test_what_every_node_has_is_told_when_it_is_missing_or_wrong(verifier: Server, fact: Fact) -> None:
    for value in ("missing", WRONG[fact.type], None, {}, [[]], "", -1.5, True):
        sent = job("TRANSFORM_FILTER")
        sent["nodes"][2][path_of(fact)] = value
        if value == "missing":
            del sent["nodes"][2][path_of(fact)]
        assert any(path_of(fact) in field for field in told(verifier, sent))


@proves("Node.name", "requests.names-of-nodes")
@pytest.mark.parametrize("name", ["x", "작업 1", "a b", "Object Storage", "x" * 100])
def test_a_node_has_any_name(verifier: Server, name: str) -> None:
    sent = job("TRANSFORM_FILTER")
    sent["nodes"][2]["name"] = name
    assert told(verifier, sent) == []
    sent["nodes"][2]["name"] = "x" * 101
    assert told(verifier, sent) == ["name"]


PARTS = {
    "Array": [{"name": "element", "type": "int"}],
    "Map": [{"name": "key", "type": "string"}, {"name": "value", "type": "int"}],
    "Struct": [{"name": "a", "type": "int"}],
}
LENGTHS = {"Char": "(10)", "Varchar": "(10)", "Decimal": "(10,2)"}


@proves("Field.type=*", "requests.case-of-types", "requests.form-of-decimal")
@pytest.mark.parametrize("fact", TYPES, ids=lambda fact: fact.id)
def test_every_documented_type_of_a_column_is_taken_in_any_case(verifier: Server, fact: Fact) -> None:
    name = fact.id.partition("=")[2]
    for written in (name, name.lower(), name.upper()):
        sent = job("SOURCE_OBS")
        column = {"name": "c", "type": f"{written}{LENGTHS.get(name, '')}", "properties": PARTS.get(name, [])}
        sent["nodes"][2] |= {"dataType": "PARQUET", "fieldList": [ID, column]}
        assert told(verifier, sent) == []


@proves("Field.name", "Field.type", "Field.properties")
@pytest.mark.parametrize(
    ("column", "field"),
    [
        ({"type": "int"}, "fieldList[0].name"),
        ({"name": "", "type": "int"}, "fieldList[0].name"),
        ({"name": "x" * 256, "type": "int"}, "fieldList[0].name"),
        ({"name": "c"}, "fieldList[0].type"),
        ({"name": "c", "type": None}, "fieldList[0].type"),
        ({"name": "c", "type": "uniontype"}, "fieldList[0]"),
        ({"name": "c", "type": "decimal(99,2)"}, "fieldList[0]"),
        ({"name": "c", "type": "int", "properties": {}}, "fieldList[0].properties"),
        ({"name": "c", "type": "array", "properties": [5]}, "fieldList[0].properties[0]"),
        (5, "fieldList[0]"),
    ],
)
def test_a_column_that_can_not_be_is_told_with_its_place(verifier: Server, column: object, field: str) -> None:
    sent = job("SOURCE_OBS")
    sent["nodes"][2]["fieldList"] = [column]
    assert field in told(verifier, sent)
