from datetime import UTC, datetime

import pytest

from headrace.cli import show
from headrace.execution.report import NodeReport, Report, SourceReport, TargetReport


def test_columns_stand_under_their_headers() -> None:
    assert show.table(("name", "rows"), [("a", 5), ("long name", 1_000)], right=("rows",)) == (
        "name       rows\n"
        "─────────  ────\n"
        "a             5\n"
        "long name  1000"
    )  # fmt: skip


def test_wide_letters_count_as_two() -> None:
    assert show.table(("이름", "n"), [("가나다", 1), ("abc", 22)]) == (
        "이름    n\n"
        "──────  ──\n"
        "가나다  1\n"
        "abc     22"
    )  # fmt: skip


def test_a_table_without_rows_is_its_headers() -> None:
    assert show.table(("a", "bb"), []) == "a  bb\n─  ──"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (1_234_567, "1.2 MB"), (5e9, "5.0 GB"), (5e15, "5000.0 TB")],
)
def test_sizes_are_said_as_people_say_them(count: float, text: str) -> None:
    assert show.size(count) == text


def test_a_number_agrees_with_its_noun() -> None:
    found = [show.counted(n, "row") for n in (0, 1, 2_000)] + [show.counted(2, "entry", "entries")]
    assert found == ["0 rows", "1 row", "2,000 rows", "2 entries"]


def test_a_report_shows_what_did_not_fit() -> None:
    report = Report(
        "abc", "job", "COMPLETED", "duckdb", datetime(2024, 1, 5, tzinfo=UTC), 1.5, 2_000_000,
        sources=(SourceReport(1, "원본", "lake/in", "CSV", (), 5, 1234, {"id": 2, "x": 0}, 1, 0),),
        nodes=(NodeReport(2, "cast", {"price": 3}),),
        targets=(TargetReport(3, "t", "lake/out", "CSV", "IGNORE", (), 0, 0, 0, True),),
        warnings=("mind this",),
    )  # fmt: skip
    assert show.report(report) == (
        "read  from     as   objects  bytes   rows  did not fit\n"
        "────  ───────  ───  ───────  ─────  ─────  ─────────────────\n"
        "원본  lake/in  CSV        0    5 B  1,234  id 2; 1 short row\n"
        "\n"
        "wrote  to        as   how      files  bytes  rows\n"
        "─────  ────────  ───  ───────  ─────  ─────  ────\n"
        "t      lake/out  CSV  skipped      0    0 B     0\n"
        "\n"
        "cast: price 3 became null\n"
        "\n"
        "warning: mind this\n"
        "\n"
        "COMPLETED  job  execution abc  1.50 s, 2.0 MB of memory at most"
    )
