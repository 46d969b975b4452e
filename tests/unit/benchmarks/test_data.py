"""The inputs are the same wherever they are made, and made again when they are not whole."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import data
from benchmarks.data import SETS, Input, connected, make, prepared

# Of a thousand rows. A change here means that old and new results can't be compared.
CHECKSUMS = {
    "w1/orders.csv": "7cd71b1848990e80",
    "w2/readings.csv": "d2938c5e4074fb08",
    "facts/facts.parquet": "9c21a7912aff38f6",
    "products/products.parquet": "a201fea8f041ca01",
    "visits/visits.parquet": "780d2583753fe0a2",
    "big/orders-00.csv": "7cd71b1848990e80",
}


GENERATED = [given for name in SETS if name != "tpch" for given in SETS[name]]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = {name: tuple(replace(given, rows=1000) for given in inputs) for name, inputs in SETS.items()}
    monkeypatch.setattr(data, "SETS", fewer)


@pytest.mark.parametrize("given", GENERATED, ids=lambda given: str(given.key))
def test_the_bytes_of_an_input_are_known(given: Input, tmp_path: Path) -> None:
    make(tmp_path / "made", replace(given, rows=1000), connected(str(tmp_path)))

    assert hashlib.sha256((tmp_path / "made").read_bytes()).hexdigest()[:16] == CHECKSUMS[given.key]


def test_inputs_are_made_once(tmp_path: Path) -> None:
    storage, stamps = prepared(tmp_path, 1)
    made = {file: file.stat().st_mtime_ns for file in storage.rglob("*") if file.is_file()}

    assert prepared(tmp_path, 1) == (storage, stamps)
    assert {file: file.stat().st_mtime_ns for file in made} == made
    assert [stamp.rows for stamp in stamps] == [1000] * len(SETS["embedded"])


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
    assert [stamp.rows for stamp in stamps] == [1000] * len(SETS["embedded"])


def test_a_file_under_many_names_takes_the_room_of_one(tmp_path: Path) -> None:
    storage, stamps = prepared(tmp_path, 0.1, "big")
    names = sorted((storage / data.BUCKET / "big").iterdir())

    assert [name.name for name in names] == ["orders-00.csv", "orders-01.csv", "orders-02.csv"]
    assert {name.stat().st_ino for name in names} == {names[0].stat().st_ino}
    assert [stamp.rows for stamp in stamps] == [1000]
    assert prepared(tmp_path, 0.1, "big") == (storage, stamps)


def test_below_one_name_a_smaller_scale_has_fewer_rows() -> None:
    whole = Input("a-00.csv", 1000, "", "", names=30)

    assert [(given.names, given.rows) for given in (whole.scaled(1), whole.scaled(0.5), whole.scaled(0.01))] == [
        (30, 1000),
        (15, 1000),
        (1, 300),
    ]


def test_the_tables_of_tpch_have_their_rows(tmp_path: Path) -> None:
    import duckdb

    storage, stamps = prepared(tmp_path, 0.001, "tpch")
    counted = {
        stamp.key: duckdb.execute(f"SELECT count(*) FROM '{storage / data.BUCKET / stamp.key}'").fetchone()
        for stamp in stamps
    }

    assert counted == {
        "customer/customer.parquet": (150,),
        "lineitem/lineitem.parquet": (6005,),
        "nation/nation.parquet": (25,),
        "orders/orders.parquet": (1500,),
        "region/region.parquet": (5,),
        "supplier/supplier.parquet": (10,),
    }
