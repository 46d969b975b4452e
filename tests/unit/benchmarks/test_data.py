"""The inputs are the same wherever they are made, and made again when they are not whole."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import data
from benchmarks.data import INPUTS, Input, make, prepared

# Of a thousand rows. A change here means that old and new results can't be compared.
CHECKSUMS = {
    "w1/orders.csv": "7cd71b1848990e80",
    "w2/readings.csv": "d2938c5e4074fb08",
    "facts/facts.parquet": "9c21a7912aff38f6",
    "products/products.parquet": "a201fea8f041ca01",
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "INPUTS", tuple(replace(given, rows=1000) for given in INPUTS))


@pytest.mark.parametrize("given", INPUTS, ids=lambda given: str(given.key))
def test_the_bytes_of_an_input_are_known(given: Input, tmp_path: Path) -> None:
    make(tmp_path / "made", given, 1000)

    assert hashlib.sha256((tmp_path / "made").read_bytes()).hexdigest()[:16] == CHECKSUMS[given.key]


def test_inputs_are_made_once(tmp_path: Path) -> None:
    storage, stamps = prepared(tmp_path, 1)
    made = {file: file.stat().st_mtime_ns for file in storage.rglob("*") if file.is_file()}

    assert prepared(tmp_path, 1) == (storage, stamps)
    assert {file: file.stat().st_mtime_ns for file in made} == made
    assert [stamp.rows for stamp in stamps] == [1000] * len(INPUTS)


def test_a_changed_input_is_made_again(tmp_path: Path) -> None:
    storage, stamps = prepared(tmp_path, 1)
    file = storage / data.BUCKET / stamps[0].key
    whole = file.read_bytes()
    file.write_bytes(b"x" + whole[1:])

    assert prepared(tmp_path, 1) == (storage, stamps)
    assert file.read_bytes() == whole


def test_scales_lie_side_by_side(tmp_path: Path) -> None:
    small, _ = prepared(tmp_path, 0.01)
    large, stamps = prepared(tmp_path, 1)

    assert (small.name, large.name) == ("scale-0.01", "scale-1")
    assert [stamp.rows for stamp in stamps] == [1000] * len(INPUTS)
