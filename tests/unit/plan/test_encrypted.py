import pytest

from headrace.plan.encrypted import is_encrypted
from tests.support.jobs import Json, node, plan, source, target

ENCRYPT = node("TRANSFORM_ENCRYPT", 2, (1,), encryptFieldList=[{"name": "name", "keyName": "k"}])
RENAME = node(
    "TRANSFORM_RENAME", 3, (2,), renameFieldList=[{"name": "name", "newName": "id"}, {"name": "id", "newName": "n"}]
)
COUNT = node(
    "TRANSFORM_AGGREGATE", 3, (2,), groupByList=[],
    aggregateFieldList=[{"name": "name", "ResultName": "name", "function": "COUNT"}],
)  # fmt: skip
KEPT = node("TRANSFORM_DROP_DUPLICATION", 3, (2,), dropFieldList=["id"])


@pytest.mark.parametrize(
    ("nodes", "name", "wanted"),
    [
        ((ENCRYPT,), "NAME", True),
        ((ENCRYPT,), "id", False),
        ((ENCRYPT, RENAME), "id", True),
        ((ENCRYPT, RENAME), "n", False),
        ((ENCRYPT, KEPT), "name", True),
        ((ENCRYPT, COUNT), "name", False),
        ((ENCRYPT,), "gone", False),
    ],
)
def test_a_column_is_followed_back_to_where_it_was_encrypted(nodes: tuple[Json, ...], name: str, wanted: bool) -> None:
    last = nodes[-1]["id"]
    columns = {"TRANSFORM_RENAME": "id string", "TRANSFORM_AGGREGATE": "name bigint"}.get(
        nodes[-1]["type"], "id bigint"
    )
    found = plan(source(), *nodes, target(columns, parents=(last,))).by_node[last]
    assert is_encrypted(found, name) is wanted
