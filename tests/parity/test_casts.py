"""Every cast gives the same value, or null, on both engines: see tests/support/casts.py for the table."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from headrace.plan.expr import Constant
from headrace.plan.types import STRING, Type
from tests.parity.running import WHY_SKIPPED, Spark, sail_fault
from tests.parity.sail_faults import text_fault, value_fault
from tests.support import casts
from tests.support.plans import collected

pytest.importorskip("pysail", reason=WHY_SKIPPED)


@cache
def _answers(spark: Spark, values: tuple[Constant, ...], source: Type, target: Type) -> dict[int, Any]:
    """What became of each value, by its number; an error stands for the value when the whole question fails."""
    try:
        return dict(spark.run(casts.cast(values, source, target)).rows)
    except Exception as error:  # noqa: BLE001  # whatever one value does must not hide the others
        if len(values) == 1:
            return {0: error}
        return {i: _answers(spark, (value,), source, target)[0] for i, value in enumerate(values)}


def _text_params() -> list[Any]:
    return [
        pytest.param(i, t, id=f"{text!a} as {t}", marks=[sail_fault(why)] if (why := text_fault(text, t)) else [])
        for t in casts.TYPES
        for i, text in enumerate(casts.TEXTS)
    ]


def _value_params() -> list[Any]:
    return [
        pytest.param(
            s, t, i, id=f"{v!a} of {s} as {t}", marks=[sail_fault(why)] if (why := value_fault(v, s, t)) else []
        )
        for s, t in casts.value_casts()
        for i, v in enumerate(dict(casts.VALUES)[s])
    ]


@pytest.mark.parametrize(("number", "target"), _text_params())
def test_a_text_is_the_same_value_as_in_plain_python(number: int, target: Type, spark: Spark) -> None:
    got = _answers(spark, casts.TEXTS, STRING, target)[number]
    assert casts.same(got, casts.expected(casts.TEXTS[number], target)), got


@pytest.mark.parametrize(("source", "target", "number"), _value_params())
def test_a_value_casts_to_the_same_on_both_engines(
    source: Type, target: Type, number: int, spark: Spark, embedded: Path
) -> None:
    values = dict(casts.VALUES)[source]
    ours = _embedded(values, source, target, embedded)[number]
    theirs = _answers(spark, values, source, target)[number]
    assert casts.same(ours, theirs), (ours, theirs)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@cache
def _embedded(values: tuple[Constant, ...], source: Type, target: Type, folder: Path) -> dict[int, Any]:
    return dict(collected(casts.cast(values, source, target), folder))
