import pytest

from headrace.plan.expr import Column, Encrypted, Named
from headrace.plan.ops import Project
from headrace.plan.types import STRING
from tests.support.jobs import Json, fields, node, plan, problems, source, target


def encrypt(*entries: tuple[str, str]) -> Json:
    listed = [{"name": name, "keyName": key} for name, key in entries]
    return node("TRANSFORM_ENCRYPT", 2, (1,), encryptFieldList=listed)


def told(*entries: tuple[str, str], columns: str = "a int, b string, c binary") -> list[str]:
    found = source(kind="PARQUET", fieldList=fields(columns))
    return [
        each.removeprefix("node 'node 2' (2), ")
        for each in problems(found, encrypt(*entries), target("a string", parents=(2,)))
    ]


def test_columns_become_text_in_their_places() -> None:
    op = plan(source("a int, b string"), encrypt(("B", "k"), ("a", "k")), target("a string", parents=(2,))).by_node[2]
    assert isinstance(op, Project)
    assert (op.schema.names, {f.type for f in op.schema}) == (("a", "b"), {STRING})
    assert op.columns[1] == Named("b", Encrypted(Column("b", STRING), "k"))


def test_what_has_no_text_of_its_own_can_not_be_encrypted() -> None:
    (fault,) = told(("c", "k"))
    assert fault == (
        "encryptFieldList[0].name: 'c' is binary, which has no text; choose a column of numbers, moments or texts"
    )


def test_an_unknown_column_and_one_that_stands_twice_are_told() -> None:
    assert told(("d", "k")) == ["encryptFieldList[0].name: no column 'd'; there is a, b, c"]
    assert told(("a", "k"), ("A", "k")) == ["encryptFieldList: 'A' stands twice; encrypt each column once"]


@pytest.mark.parametrize("key", ["", "a key", "-k", "k" * 64, "k'; --"])
def test_a_name_that_no_key_can_have_is_told(key: str) -> None:
    (fault,) = told(("a", key))
    assert fault.startswith("encryptFieldList[0].keyName: ")
