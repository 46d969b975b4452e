"""About how many rows a source has, as a progress tells before they are read."""

from pathlib import Path

import pytest

from headrace.engines.duckdb import expected
from headrace.engines.duckdb.expected import expected_rows, together
from headrace.plan.ops import Place
from headrace.stores.base import Snapshot, StoredObject


def snapshot(folder: Path, *texts: str) -> Snapshot:
    objects = []
    for number, text in enumerate(texts):
        file = folder / f"{number}.csv"
        file.write_text(text)
        objects.append(StoredObject("lake", file.name, len(text), "", str(file)))
    return Snapshot(Place("lake", "in"), tuple(objects))


@pytest.fixture(autouse=True)
def everything_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "_LONG", 1)


def lines(count: int) -> str:
    return "id,name\n" + "".join(f"{n % 10},abc\n" for n in range(count))


def test_the_rows_of_all_texts_are_told_by_the_first_lines_of_one(tmp_path: Path) -> None:
    found = expected_rows(snapshot(tmp_path, lines(50_000), "", lines(25_000)), None)
    assert found is not None
    assert 74_000 < found < 76_000


def test_rows_that_are_known_are_told_as_they_are(tmp_path: Path) -> None:
    assert expected_rows(snapshot(tmp_path, lines(500)), 7) == 7


@pytest.mark.parametrize("text", ["", "id,name\n1,a\n", "[" + '{"id": 1},' * 20_000 + '{"id": 2}]'])
def test_of_a_text_with_too_few_lines_nothing_is_told(text: str, tmp_path: Path) -> None:
    assert expected_rows(snapshot(tmp_path, text), None) is None


def test_little_text_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "_LONG", 1_000_000)
    assert expected_rows(snapshot(tmp_path, lines(500)), None) is None


def test_a_text_that_was_unpacked_counts_as_long_as_its_copy(tmp_path: Path) -> None:
    (stored,) = snapshot(tmp_path, lines(50_000)).objects
    packed = StoredObject(stored.bucket, "a.csv.gz", 1_000, "", stored.location)
    found = expected_rows(Snapshot(Place("lake", "in"), (packed,)), None)
    assert found is not None
    assert 49_000 < found < 51_000


def test_of_a_text_that_is_gone_nothing_is_told(tmp_path: Path) -> None:
    found = snapshot(tmp_path, lines(500))
    (tmp_path / "0.csv").unlink()
    assert expected_rows(found, None) is None


def test_all_sources_together_are_known_when_each_is() -> None:
    assert together([3, 4]) == 7
    assert together([3, None]) is None
    assert together([]) is None
