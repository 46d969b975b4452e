import json
from datetime import UTC, datetime

from headrace.errors import BadData
from headrace.execution.report import Failure, NodeReport, ObjectRead, Report, SourceReport, TargetReport, rows_of

REPORT = Report(
    execution_id="abc",
    job="job",
    status="COMPLETED",
    engine="duckdb",
    started=datetime(2024, 1, 5, 12, 30, 15, 123456, tzinfo=UTC),
    seconds=1.23456,
    peak_memory=1000,
    sources=(SourceReport(1, "s", "lake/in", "CSV", (ObjectRead("lake/in/a", 5, "e"),), 5, 2, {"Some Name": 1}, 3, 4),),
    nodes=(NodeReport(2, "n", {"x": 7}),),
    targets=(TargetReport(3, "t", "lake/out", "CSV", "APPEND", ("lake/out/p",), 6, 2, 0, False),),
    warnings=("mind",),
    failure=Failure.of(BadData("bad", hint="mend", node_id=1, node="s")),
)


def test_the_report_as_json_has_every_figure_under_its_name() -> None:
    assert json.loads(json.dumps(REPORT.as_dict())) == {
        "executionId": "abc",
        "job": "job",
        "status": "COMPLETED",
        "engine": "duckdb",
        "started": "2024-01-05T12:30:15.123Z",
        "seconds": 1.235,
        "peakMemory": 1000,
        "threads": 0,
        "sources": [
            {
                "nodeId": 1,
                "node": "s",
                "place": "lake/in",
                "format": "CSV",
                "objects": [{"name": "lake/in/a", "size": 5, "etag": "e"}],
                "bytes": 5,
                "rows": 2,
                "badValues": {"Some Name": 1},
                "shortRows": 3,
                "longRows": 4,
            }
        ],
        "nodes": [{"nodeId": 2, "node": "n", "badValues": {"x": 7}}],
        "targets": [
            {
                "nodeId": 3,
                "node": "t",
                "place": "lake/out",
                "format": "CSV",
                "updateType": "APPEND",
                "files": ["lake/out/p"],
                "bytes": 6,
                "rows": 2,
                "removed": 0,
                "skipped": False,
            }
        ],
        "warnings": ["mind"],
        "failure": {"code": "bad-data", "message": "bad", "hint": "mend", "nodeId": 1, "node": "s"},
    }


def test_a_report_of_nothing_has_empty_lists() -> None:
    plain = Report("abc", "job", "FAILED", "duckdb", datetime(2024, 1, 5, tzinfo=UTC), 0.0, 0).as_dict()
    assert (plain["sources"], plain["nodes"], plain["targets"], plain["warnings"], plain["failure"]) == (
        [], [], [], [], None,
    )  # fmt: skip
    assert plain["started"] == "2024-01-05T00:00:00.000Z"


def test_the_rows_of_a_report_are_those_of_all_its_sources_and_of_all_its_targets() -> None:
    told = REPORT.as_dict()
    assert rows_of(told) == {"rows_read": 2, "rows_written": 2}
    twice = {**told, "sources": told["sources"] * 2, "targets": told["targets"] * 3}
    assert rows_of(twice) == {"rows_read": 4, "rows_written": 6}
    assert rows_of({}) == {"rows_read": 0, "rows_written": 0}
