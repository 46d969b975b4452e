"""Counts are over all rows, also where the engine sees that no row can come out and would stop early."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import Json, node, source, target
from tests.support.lake import Lake

ROWS = 30_000


def kept(node_id: int, parent: int, *conditions: tuple[str, str, str]) -> Json:
    tests = [{"name": n, "operator": o, "value": v} for n, o, v in conditions]
    return node("TRANSFORM_FILTER", node_id, (parent,), filterType="AND", filterConditionList=tests)


def joined(kind: str, sign: str) -> Json:
    pair = {"leftField": "id", "joinOperator": sign, "rightField": "other", "conditionOperator": "HEAD"}
    sides: dict[str, Any] = {"leftNodeId": 1, "rightNodeId": 3, "joinConditionList": [pair]}
    return node("TRANSFORM_JOIN", 4, (1, 3), joinType=kind, **sides)


def nothing_joined(kind: str, sign: str) -> list[Json]:
    other = source("other int", node_id=2, prefix="few")
    return [
        source("id int"),
        other,
        kept(3, 2, ("other", "LT", "0")),
        joined(kind, sign),
        target("id int", parents=(4,)),
    ]


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param(
            [source("id int"), kept(2, 1, ("id", "EQ", "1"), ("id", "NE", "1")), target("id int", parents=(2,))],
            id="a filter that contradicts itself",
        ),
        pytest.param(nothing_joined("INNER", "EQ"), id="an inner join with nothing"),
        pytest.param(nothing_joined("RIGHT_OUTER", "EQ"), id="a right join with nothing"),
        pytest.param(nothing_joined("INNER", "LT"), id="an inner join on a range with nothing"),
    ],
)
def test_rows_and_bad_values_are_counted_to_the_last_row(nodes: list[Json], tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.put("in/a.csv", "id\n" + "x\n1\n2\n" * (ROWS // 3))
    lake.put("few/a.csv", "other\n5\n")
    outcome = lake.run(*nodes)
    assert outcome.reads[1].rows == ROWS
    assert outcome.bad_values[1] == {"id": ROWS // 3}
    assert lake.rows() == []
