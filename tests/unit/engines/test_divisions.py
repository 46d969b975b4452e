"""Divisions by zero: null wherever they stand, and counted as often as the text computes them."""

from pathlib import Path

import pytest

from headrace.engines.duckdb import DuckDbEngine
from headrace.plan.ops import Collect
from headrace.plan.prune import prune
from tests.support import examples
from tests.support.divisions import CASES, asked


@pytest.mark.parametrize(("text", "rows", "counts"), CASES)
def test_what_is_divided_by_zero_is_null_and_counted(
    text: str, rows: list[tuple[object, ...]] | None, counts: dict[str, int], tmp_path: Path
) -> None:
    (sink,) = prune([Collect(node_id=0, node="result", parent=asked(text))])
    outcome = DuckDbEngine(examples.limits(tmp_path)).run([sink], sources={}, targets={})
    assert {name: count for name, count in outcome.bad_values.get(10, {}).items() if count} == counts
    if rows is not None:
        assert sorted(outcome.collected[0], key=repr) == sorted(rows, key=repr)
