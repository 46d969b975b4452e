from collections.abc import Mapping
from pathlib import Path

import pytest

from headrace.engines.base import Progress
from headrace.errors import BadData, Cancelled, TimedOut
from headrace.execution.report import Failure, NodeReport, ObjectRead, SourceReport, TargetReport
from headrace.stores.base import Staged
from headrace.stores.files import FolderStore
from tests.support.jobs import Json, plan, source, target
from tests.support.lake import Lake
from tests.support.runs import PlayedEngine, run_of


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(tmp_path)
    found.put("in/a.csv", "id,name\n1,a\n")
    found.put("out/old.csv", "id,name\n0,old\n")
    return found


def store(lake: Lake) -> FolderStore:
    return FolderStore(lake.root / "buckets")


def left(lake: Lake, prefix: str = "out") -> list[str]:
    """All that lies in the folder of a target."""
    folder = lake.root / "buckets" / "lake" / prefix
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def failed(lake: Lake, engine: PlayedEngine, *nodes: Json) -> Failure:
    report = run_of(plan(*(nodes or (source(), target()))), store(lake), engine).execute()
    assert report.failure is not None
    assert (report.sources, report.targets) == ((), ())
    return report.failure


def test_a_run_reports_what_it_read_and_wrote(lake: Lake) -> None:
    engine = PlayedEngine()
    report = run_of(plan(source(), target()), store(lake), engine).execute()
    (read,) = engine.seen[1].objects
    assert (report.status, report.job, report.engine, report.warnings) == ("COMPLETED", "job", "played", ("mind this",))
    assert report.sources == (
        SourceReport(
            node_id=1, node="node 1", place="lake/in", format="CSV",
            objects=(ObjectRead("lake/in/a.csv", 12, read.etag),),
            bytes=12, rows=3, bad_values={"id": 1}, short_rows=1, long_rows=0,
        ),
    )  # fmt: skip
    assert report.targets == (
        TargetReport(
            node_id=9, node="node 9", place="lake/out", format="CSV", update_type="OVERWRITE",
            files=("lake/out/part-00000-run1.csv",), bytes=20, rows=2, removed=1, skipped=False,
        ),
    )  # fmt: skip
    assert report.nodes == ()
    assert report.failure is None
    assert report.seconds > 0
    assert left(lake) == ["part-00000-run1.csv"]


def test_nodes_that_made_values_null_are_listed_and_others_are_not(lake: Lake) -> None:
    cast = {"type": "TRANSFORM_DEFINE", "id": 5, "name": "cast", "parentNodeIds": [1], "defineFieldList": [
        {"name": "name", "newType": "int", "newName": "x"}
    ]}  # fmt: skip

    class Counting(PlayedEngine):
        def run(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]  # adds to what it gives
            outcome = super().run(*args, **kwargs)  # type: ignore[arg-type]  # the same arguments
            outcome.bad_values[5]["name"] = 4  # type: ignore[index]  # a dict
            return outcome

    nodes = (source(), cast, target("id bigint, x int", parents=(5,)))
    report = run_of(plan(*nodes), store(lake), Counting()).execute()
    assert report.nodes == (NodeReport(5, "cast", {"x": 0, "name": 4}),)


def test_a_failure_of_the_engine_leaves_the_old_data_and_nothing_else(lake: Lake) -> None:
    def fail(targets: Mapping[int, Staged]) -> None:
        raise BadData("it is bad", hint="mend it", node_id=1, node="node 1")

    assert failed(lake, PlayedEngine(fail)) == Failure("bad-data", "it is bad", "mend it", 1, "node 1")
    assert left(lake) == ["old.csv"]


def test_a_cancel_before_the_run_never_calls_the_engine(lake: Lake) -> None:
    engine = PlayedEngine()
    run = run_of(plan(source(), target()), store(lake), engine)
    assert run.cancel(Cancelled("stopped by hand"))
    report = run.execute()
    assert (report.status, report.failure) == ("CANCELED", Failure("cancelled", "stopped by hand", "", None, ""))
    assert engine.seen == {}
    assert left(lake) == ["old.csv"]


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [(Cancelled("stopped"), "CANCELED", "cancelled"), (TimedOut("too long", hint="raise it"), "FAILED", "timed-out")],
)
def test_a_cancel_while_the_engine_works_leaves_the_old_data_and_tells_its_cause(
    lake: Lake, cause: Cancelled | TimedOut, status: str, code: str
) -> None:
    def stop(targets: Mapping[int, Staged]) -> None:
        assert run.cancel(cause)
        assert run.cancel(Cancelled("a later one does not count"))

    engine = PlayedEngine(stop)
    run = run_of(plan(source(), target()), store(lake), engine)
    report = run.execute()
    assert report.failure == Failure(code, cause.message, cause.hint, None, "")
    assert (report.status, engine.cancelled) == (status, 2)
    assert left(lake) == ["old.csv"]


def test_a_cancel_after_the_commit_comes_too_late(lake: Lake) -> None:
    run = run_of(plan(source(), target()), store(lake), PlayedEngine())
    assert run.execute().status == "COMPLETED"
    assert not run.cancel(Cancelled("stopped"))


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_source_that_changes_while_it_is_read_fails_the_run(lake: Lake, how: str) -> None:
    path = lake.root / "buckets" / "lake" / "in" / "a.csv"

    def change(targets: Mapping[int, Staged]) -> None:
        if how == "changed":
            path.write_text("id,name\n1,other\n")
        else:
            path.unlink()

    failure = failed(lake, PlayedEngine(change))
    what = "has changed" if how == "changed" else "is gone"
    assert failure == Failure(
        "source-changed",
        f"'lake/in/a.csv' {what} since the run listed it",
        "run again when nobody writes there",
        1,
        "node 1",
    )
    assert left(lake) == ["old.csv"]


def test_a_source_that_grows_meanwhile_is_read_as_it_was_listed(lake: Lake) -> None:
    def add(targets: Mapping[int, Staged]) -> None:
        lake.put("in/b.csv", "id,name\n")

    engine = PlayedEngine(add)
    report = run_of(plan(source(), target()), store(lake), engine).execute()
    assert [found.name for found in report.sources[0].objects] == ["lake/in/a.csv"]


def test_a_source_may_be_its_own_target(lake: Lake) -> None:
    report = run_of(plan(source(prefix="out"), target()), store(lake), PlayedEngine()).execute()
    assert report.status == "COMPLETED"
    assert left(lake) == ["part-00000-run1.csv"]


def test_a_source_without_data_and_a_bucket_that_is_not_there_name_the_node(lake: Lake) -> None:
    assert failed(lake, PlayedEngine(), source(prefix="none"), target()) == Failure(
        "store-missing",
        "bucket 'lake' has no data under prefix 'none'",
        "a prefix is one object's exact name, or a folder; names that begin with '_' or '.' are not data",
        1,
        "node 1",
    )
    assert failed(lake, PlayedEngine(), source(bucketName="pond"), target()) == Failure(
        "store-missing", "there is no bucket 'pond'", "there are: lake", 1, "node 1"
    )


def test_a_second_writer_is_refused_after_its_wait_and_names_the_first(lake: Lake) -> None:
    with store(lake).claim([("lake", "out")], run="other", wait=0):
        run = run_of(plan(source(), target()), store(lake), PlayedEngine(), wait=3.0)
        failure = run.execute().failure
    assert failure is not None
    assert failure.code == "store-busy"
    assert failure.message.startswith("run other (process ")
    assert left(lake) == ["old.csv"]


def test_a_cancel_is_heard_while_another_run_writes(lake: Lake) -> None:
    engine = PlayedEngine()
    run = run_of(plan(source(), target()), store(lake), engine, wait=1e9)
    assert run.cancel(Cancelled("stopped"))
    with store(lake).claim([("lake", "out")], run="other", wait=0):
        assert run.execute().status == "CANCELED"


def test_progress_names_the_phase_and_then_what_the_engine_is_at(lake: Lake) -> None:
    seen = []
    run = run_of(plan(source(), target()), store(lake), PlayedEngine(lambda targets: seen.append(run.progress())))
    seen.append(run.progress())
    run.execute()
    seen.append(run.progress())
    assert seen == [Progress(0.0, "listing"), Progress(0.5, "at work", 1_000), Progress(1.0, "publishing")]


def test_targets_that_can_not_be_staged_name_their_node(lake: Lake) -> None:
    lake.put("file", "x")
    failure = failed(lake, PlayedEngine(), source(), target(prefix="file/out"))
    assert (failure.code, failure.node_id) == ("store-denied", 9)
    assert "an object lies where a folder must be" in failure.message


def test_ignore_meets_data_and_writes_nothing(lake: Lake) -> None:
    report = run_of(plan(source(), target(updateType="IGNORE")), store(lake), PlayedEngine()).execute()
    (written,) = report.targets
    assert (written.skipped, written.rows, written.files, written.removed) == (True, 0, (), 0)
    assert left(lake) == ["old.csv"]
