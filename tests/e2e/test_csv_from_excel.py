"""What the page on Excel says: its encodings, its table of cells, its query."""

import re
from pathlib import Path

import pytest

from tests.support.command import Place
from tests.support.jobs import node, source, target

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "csv-from-excel.md").read_text(encoding="utf-8")
ROWS = [("품목", "수량"), ('"배, 큰 것"', "1234"), ('"한\n글"', "")]


def excel(separator: str, encoding: str) -> bytes:
    """A file as Excel saves it."""
    return "".join(f"{separator.join(row)}\r\n" for row in ROWS).encode(encoding)


@pytest.mark.parametrize(
    ("separator", "encoding", "options"),
    [
        (",", "cp949", {"encoding": "CP949"}),
        ("\t", "utf-16", {"encoding": "UTF-16", "delimiter": "\t"}),
        (",", "utf-8-sig", {}),
    ],
)
def test_the_three_kinds_are_read(tmp_path: Path, separator: str, encoding: str, options: dict[str, str]) -> None:
    place = Place(tmp_path)
    place.put("in/a.csv", excel(separator, encoding))
    columns = "품목 string, 수량 int"
    done = place.call("run", place.job(source(columns, options=options), target(columns)), "--json")

    assert (done.code, done.json["sources"][0]["badValues"]) == (0, {"수량": 0})
    (written,) = place.left().values()
    assert sorted(written.decode().splitlines()) == sorted(["품목,수량", '"배, 큰 것",1234', '"한', '글",'])


def test_a_file_of_another_encoding_is_named(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.put("in/a.csv", excel(",", "utf-8"))
    columns = "품목 string, 수량 int"
    done = place.call("run", place.job(source(columns, options={"encoding": "CP949"}), target(columns)))

    assert done.code == 1
    assert "lake/in/a.csv, line 1: 0xED is not CP949" in done.error


@pytest.mark.parametrize(
    ("cell", "type_", "gives"),
    [
        ("1.20E+06", "double", "1200000.0"),
        ("1.20E+06", "decimal(18,2)", "1200000.00"),
        ("1.20E+06", "int", None),
        ("TRUE", "boolean", "true"),
        ("2026-11-27", "date", "2026-11-27"),
        ("2026-11-27 15:05", "timestamp", "2026-11-27T15:05:00"),
        ('"1,234"', "int", None),
        ('"₩4,500"', "double", None),
        ("(500)", "decimal(18,2)", None),
        ("12%", "double", None),
        ("2026. 11. 27.", "date", None),
        ("11/27/2026", "date", None),
        ("2026-11-27 오후 3:05", "timestamp", None),
    ],
)
def test_what_comes_of_a_cell(tmp_path: Path, cell: str, type_: str, gives: str | None) -> None:
    place = Place(tmp_path)
    place.put("in/a.csv", f"id,cell\r\n1,{cell}\r\n")
    columns = f"id int, cell {type_}"
    done = place.call("run", place.job(source(columns), target(columns)), "--json")

    (written,) = place.left().values()
    assert written.decode().splitlines()[1] == f"1,{gives or ''}"
    assert done.json["sources"][0]["badValues"]["cell"] == (gives is None)


def test_the_query_of_the_page_reads_what_excel_shows(tmp_path: Path) -> None:
    found = re.search(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert found
    place = Place(tmp_path)
    place.put(
        "in/a.csv",
        '금액,비율,날짜,시각\r\n"1,200",12%,2026. 11. 5.,2026-11-27 오후 3:05\r\n'
        "(500),0.5%,2026. 1. 15.,2026-11-27 오전 12:30\r\n모름,,,\r\n",
    )
    names = [{"parentId": 1, "newName": "excel"}]
    query = node("TRANSFORM_SQL", 2, (1,), sourceNameList=names, sql=found[1])
    given = source("금액 string, 비율 string, 날짜 string, 시각 string")
    wanted = target("amount decimal(18,2), share double, day date, at timestamp", parents=(2,))
    done = place.call("run", place.job(given, query, wanted))

    assert done.code == 0, done.err
    (written,) = place.left().values()
    assert sorted(written.decode().splitlines()[1:]) == [
        ",,,",
        "-500.00,0.005,2026-01-15,2026-11-27T00:30:00",
        "1200.00,0.12,2026-11-05,2026-11-27T15:05:00",
    ]
