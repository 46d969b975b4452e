"""The embedded engine's casts: every text is what it is in plain Python."""

from decimal import Decimal as Number
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.plan.types import BIGINT, BINARY, BOOLEAN, DOUBLE, FLOAT, INT, STRING, TIMESTAMP, Decimal, Type
from tests.support import casts
from tests.support.plans import collected

_SIGNS = st.text("0123456789+-.eE_ :TZ\t\x0bx\x00\uff15", max_size=12)


@cache
def _answers(target: Type, folder: Path) -> dict[int, Any]:
    return dict(collected(casts.cast(casts.TEXTS, STRING, target), folder))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("casts")


@pytest.mark.parametrize("target", casts.TYPES, ids=str)
@pytest.mark.parametrize("number", range(len(casts.TEXTS)), ids=lambda i: ascii(casts.TEXTS[i]))
def test_a_text_is_the_same_value_as_in_plain_python(number: int, target: Type, folder: Path) -> None:
    got = _answers(target, folder)[number]
    assert casts.same(got, casts.expected(casts.TEXTS[number], target)), got


@pytest.mark.parametrize("target", [INT, FLOAT, DOUBLE, Decimal(10, 2), Decimal(3, 3), TIMESTAMP], ids=str)
@given(texts=st.lists(_SIGNS, min_size=100, max_size=200))
@settings(max_examples=5, deadline=None)
def test_any_text_is_the_same_value_as_in_plain_python(texts: list[str], target: Type, folder: Path) -> None:
    got: dict[int, Any] = dict(collected(casts.cast(texts, STRING, target), folder))
    for number, text in enumerate(texts):
        assert casts.same(got[number], casts.expected(text, target)), (text, got[number])


@pytest.mark.parametrize(("source", "target"), list(casts.value_casts()), ids=str)
def test_every_value_casts_or_is_null(source: Type, target: Type, folder: Path) -> None:
    values = dict(casts.VALUES)[source]
    assert len(collected(casts.cast(values, source, target), folder)) == len(values)


@pytest.mark.parametrize(
    ("value", "source", "target", "becomes"),
    [
        (2.9, DOUBLE, INT, 2),
        (-2.9, DOUBLE, INT, -2),
        (1.005, DOUBLE, Decimal(10, 2), Number("1.01")),
        (6.1e-15, DOUBLE, Decimal(3, 3), Number("0.000")),
        (1e300, DOUBLE, FLOAT, float("inf")),
        (True, BOOLEAN, Decimal(1, 1), None),
        (2.0**63, DOUBLE, BIGINT, None),
        (b"\xff\x41", BINARY, STRING, None),
        (Number("1E-7"), Decimal(20, 10), STRING, "0.0000001000"),
    ],
    ids=str,
)
def test_a_value_is_cut_rounded_or_refused(value: Any, source: Type, target: Type, becomes: Any, folder: Path) -> None:
    ((_, got),) = collected(casts.cast([value], source, target), folder)
    assert casts.same(got, becomes), got
