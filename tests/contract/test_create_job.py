"""The documented createJob body is read, and given back as it was sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.definition import load
from headrace.nodes import registry
from tests.support.proving import proves

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "examples" / "createJob.json").read_text(encoding="utf-8")
SENT = json.loads(TEXT)


def test_the_documented_job_is_kept_byte_for_byte() -> None:
    assert json.dumps(load(TEXT).sent, indent=2, ensure_ascii=False) + "\n" == TEXT


def test_the_documented_job_has_nothing_to_tell_but_that_it_reads_what_it_writes() -> None:
    problems, warnings = load(TEXT).checked({})
    assert problems == ()
    assert [(warning.node_id, warning.code) for warning in warnings] == [(1697770000003, "reads-own-target")]


@pytest.mark.parametrize("index", range(len(SENT["nodes"])))
def test_each_documented_node_serialises_as_it_was_sent_in_its_order(index: int) -> None:
    node = load(TEXT).graph.nodes[index]
    dumped = node.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert json.dumps(dumped, indent=2) == json.dumps(SENT["nodes"][index], indent=2)


def test_the_body_serialises_as_it_was_sent() -> None:
    body = load(TEXT).body
    dumped = body.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert json.dumps(dumped, indent=2) + "\n" == TEXT


@proves(
    "requests.result-name",
)
@pytest.mark.parametrize("spelling", ["ResultName", "resultName"])
def test_both_spellings_of_the_result_of_an_aggregate_are_read_and_written_as_documented(spelling: str) -> None:
    sent: dict[str, Any] = {
        "type": "TRANSFORM_AGGREGATE",
        "id": 1697770000002,
        "name": "Aggregate",
        "parentNodeIds": [1697770000001],
        "groupByList": ["name"],
        "aggregateFieldList": [{"name": "id", spelling: "largest", "function": "MAX"}],
    }
    node = registry()["TRANSFORM_AGGREGATE"].model_validate(sent)
    dumped = node.model_dump(by_alias=True, exclude_unset=True, mode="json")
    documented = {**sent, "aggregateFieldList": [{"name": "id", "ResultName": "largest", "function": "MAX"}]}
    assert dumped == documented


def test_fields_that_we_do_not_know_travel_along() -> None:
    node = load(TEXT).graph.nodes[0]
    strange = {**node.model_dump(by_alias=True, exclude_unset=True), "x-color": "red", "deep": {"a": [1, None]}}
    again = type(node).model_validate(strange)
    assert again.model_dump(by_alias=True, exclude_unset=True) == strange
