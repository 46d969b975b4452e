"""Every example of every node type gives what it says, on the embedded engine."""

from pathlib import Path

import pytest

from headrace.engines.duckdb import DuckDbEngine
from headrace.nodes import registry
from headrace.nodes.base import Node
from headrace.nodes.examples import Example
from tests.support import examples


@pytest.mark.parametrize(
    ("kind", "example"), [pytest.param(k, e, id=f"{k.type_word()}: {e.title}") for k, e in examples.all_examples()]
)
def test_an_example_gives_the_rows_it_promises(kind: type[Node], example: Example, tmp_path: Path) -> None:
    outcome = examples.run(DuckDbEngine(examples.limits(tmp_path)), kind, example, tmp_path)
    if example.gives is not None:
        assert examples.rows_equal(outcome.collected[examples.NODE_ID], example.gives.rows)
    if example.writes:
        written = "".join(p.read_text(encoding="utf-8") for p in sorted((tmp_path / "out").iterdir()))
        assert sorted(written.splitlines()) == sorted(example.writes.splitlines())
    counted = {name: n for counts in outcome.bad_values.values() for name, n in counts.items() if n}
    assert counted == dict(example.bad_values)


@pytest.mark.parametrize(
    ("kind", "example"), [pytest.param(k, e, id=f"{k.type_word()}: {e.title}") for k, e in examples.all_examples()]
)
def test_the_columns_of_an_example_are_known_without_running(kind: type[Node], example: Example) -> None:
    if example.gives is not None:
        assert examples.meaning(kind, example).schema.fields == example.gives.schema.fields


def test_every_node_type_has_an_example() -> None:
    assert [word for word, kind in registry().items() if kind.runs and not kind.examples] == []
