"""Results are read again and counted, however large their records are."""

import gzip
import json
from pathlib import Path

import pytest

from tests.support.jobs import source, target
from tests.support.lake import Lake

MB = 1_000_000


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


@pytest.mark.parametrize("last", [False, True], ids=["in the middle", "at the end"])
@pytest.mark.parametrize(
    ("kind", "size", "options"),
    [
        ("CSV", 3 * MB, {}),
        ("CSV", 20 * MB, {}),
        ("CSV", 20 * MB, {"quote": "'"}),
        ("JSON", 3 * MB, {}),
        ("JSON", 20 * MB, {}),
        ("JSON", 20 * MB, {"compression": "GZIP"}),
        ("CSV", 20 * MB, {"compression": "GZIP"}),
    ],
)
def test_a_large_record_is_read_back(kind: str, size: int, options: dict[str, str], last: bool, lake: Lake) -> None:
    large, small = {"id": 1, "name": "'" + "x" * size}, {"id": 2, "name": "a"}
    records = (small, large) if last else (large, small)
    lake.put("in/a.json", "".join(json.dumps(record) + "\n" for record in records))
    out = target(kind=kind, options=options)
    done = lake.run(source(kind="JSON"), out, engine=lake.engine(read_back=True, memory="2GB"))
    assert done.writes[9].rows == 2
    (path,) = (lake.root / "9").iterdir()
    data = gzip.decompress(path.read_bytes()) if "compression" in options else path.read_bytes()
    assert data.count(b"\n") == (3 if kind == "CSV" else 2)
    assert len(data) > size
