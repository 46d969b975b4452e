import threading
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import cast

import duckdb
import pytest

from headrace.engines.base import Limits, Progress, ReadResult, WriteResult
from headrace.engines.duckdb import DuckDbEngine
from headrace.engines.duckdb.sources import listed
from headrace.errors import BadData, Cancelled, OutOfMemory, RunFailed, StoreFull
from tests.support.jobs import Json, fields, node, plan, source, target
from tests.support.lake import Lake
from tests.support.waiting import until
from tests.support.work import in_groups, lengthy


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def where(node_id: int, parent: int, name: str, value: str, operator: str = "EQ") -> Json:
    condition = {"name": name, "operator": operator, "value": value}
    return node("TRANSFORM_FILTER", node_id, (parent,), filterType="AND", filterConditionList=[condition])


def join(left: int, right: int, column: str = "id") -> Json:
    same = [{"leftField": column, "joinOperator": "EQ", "rightField": column, "conditionOperator": "HEAD"}]
    return node("TRANSFORM_JOIN", 3, (left, right), joinType="INNER", leftNodeId=left, rightNodeId=right,
                joinConditionList=same)  # fmt: skip


def test_values_that_do_not_parse_are_null_and_counted_by_field(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\nx,b\n,c\ny,d\n")
    outcome = lake.run(source("id bigint, name string"), target())
    assert lake.rows() == [["", "b"], ["", "c"], ["", "d"], ["1", "a"]]
    assert outcome.bad_values == {1: {"id": 2}}
    assert outcome.reads == {1: ReadResult(4)}
    assert outcome.writes == {9: WriteResult(4)}


def test_counts_are_over_all_rows_although_a_filter_follows(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n" + "".join(f"{'x' if i % 2 else i},n{i % 10}\n" for i in range(10_000)))
    outcome = lake.run(source(), where(2, 1, "name", "n2"), target(parents=(2,)))
    assert outcome.bad_values == {1: {"id": 5_000}}
    assert (outcome.reads[1].rows, outcome.writes[9].rows) == (10_000, 1_000)


def test_casts_of_a_node_are_counted_over_all_its_rows_although_a_join_follows(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,5\n2,x\n3,y\n")
    lake.put("b/b.csv", "id,name\n1,one\n")
    cast = node("TRANSFORM_DEFINE", 4, (1,), defineFieldList=[{"name": "name", "newType": "int", "newName": "n"}])
    outcome = lake.run(
        source(), source("id bigint", node_id=2, prefix="b"), cast, join(4, 2), target("n int", parents=(3,))
    )
    assert outcome.bad_values[4] == {"name": 2}
    assert lake.rows() == [["5"]]


def test_a_node_that_two_targets_read_is_computed_once_and_its_counts_are_true(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\nx,b\n")
    outcome = lake.run(source(), target(), target(node_id=8, prefix="b"))
    assert outcome.bad_values == {1: {"id": 1}}
    assert outcome.reads == {1: ReadResult(2)}
    assert lake.rows(8) == lake.rows(9) == [["", "b"], ["1", "a"]]


def test_columns_that_nothing_uses_are_not_counted(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name,qty\nx,a,y\n")
    outcome = lake.run(source("id int, name string, qty int"), target("id int"))
    assert outcome.bad_values == {1: {"id": 1}}


COUNT_ROWS = node(
    "TRANSFORM_AGGREGATE", 2, (1,), groupByList=[],
    aggregateFieldList=[{"name": "*", "ResultName": "n", "function": "COUNT"}],
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("CSV", "id,name\nx,a\ny,b\n1,c\n"),
        ("CSV", "id,name\nx,a\ny\n1,c,d\n"),
        ("JSON", '{"id":"x"}\n{"id":"y"}\n{"id":1}\n'),
        ("JSON", '[{"id":"x"},{},{"id":1}]'),
    ],
)
def test_a_count_of_rows_uses_no_column_and_counts_no_bad_value(lake: Lake, kind: str, text: str) -> None:
    lake.put("in/a", text)
    outcome = lake.run(source(kind=kind), COUNT_ROWS, target("n bigint", parents=(2,)))
    assert lake.rows() == [["3"]]
    assert (outcome.reads[1].rows, outcome.bad_values) == (3, {})


def test_two_sources_of_one_place_count_their_own_rows(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n2,b\nx,c\n")
    lake.put("in/b.csv", "id,name\n4,d\n")
    both = node("TRANSFORM_UNION", 3, (1, 2), unionType="ALL")
    outcome = lake.run(source(), source(node_id=2), both, target(parents=(3,)))
    assert outcome.reads == {1: ReadResult(4), 2: ReadResult(4)}
    assert outcome.writes == {9: WriteResult(8)}
    assert outcome.bad_values == {1: {"id": 1}, 2: {"id": 1}}


def test_a_text_that_is_no_number_is_counted_once_for_json_too(lake: Lake) -> None:
    lake.put("in/a.csv", "price\nabc\n1.5\nNaN\nInfinity\n\n")
    outcome = lake.run(source("price string"), target("price double", kind="JSON"))
    assert outcome.bad_values[9] == {"price": 3}
    assert sorted(lake.text().splitlines()) == ['{"price":1.5}', *['{"price":null}'] * 4]


def test_a_join_with_an_empty_side_still_counts_all_that_was_read(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\nx,b\n")
    lake.put("b/b.csv", "id,name\n")
    outcome = lake.run(source(), source(node_id=2, prefix="b"), join(1, 2), target(parents=(3,)))
    assert outcome.reads == {1: ReadResult(2), 2: ReadResult(0)}
    assert outcome.bad_values[1] == {"id": 1}


FAIL: Json = {"options": {"mode": "FAIL"}}


def test_mode_fail_names_file_record_value_column_and_type(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    lake.put("in/b.csv", 'id,name\n1,"two\nlines"\n2,b\nmany,c\n')
    with pytest.raises(BadData) as caught:
        lake.run(source(**FAIL), target())
    assert str(caught.value) == (
        "node 'node 1' (1): lake/in/b.csv, record 3: 'many' in column 'id' is not a value of bigint; "
        'correct it, or let such values be null and counted with "options": {"mode": "NULL"}'
    )


def test_mode_fail_looks_at_declared_fields_that_nothing_uses(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name,day\n1,a,someday\n")
    with pytest.raises(BadData, match="record 1: 'someday' in column 'day' is not a value of date"):
        lake.run(source("id bigint, name string, day date", **FAIL), target())


def test_mode_fail_looks_at_rows_that_a_filter_drops(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\nx,b\n")
    with pytest.raises(BadData, match="record 2: 'x' in column 'id'"):
        lake.run(source(**FAIL), where(2, 1, "name", "a"), target(parents=(2,)))


def test_mode_fail_passes_what_is_sound(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n,\n")
    assert lake.run(source(**FAIL), target()).bad_values == {}
    assert lake.rows() == [["", ""], ["1", "a"]]


@pytest.mark.parametrize("kind", ["CSV", "JSON", "PARQUET"])
def test_mode_fail_allows_a_column_named_filename(lake: Lake, kind: str) -> None:
    if kind == "PARQUET":
        lake.put_parquet("in/a", filename=["1", "2"])
    else:
        lake.put("in/a", "filename\n1\n2\n" if kind == "CSV" else '{"filename": 1}\n{"filename": "2"}\n')
    lake.run(source("filename int", kind=kind, **FAIL), target("filename int"))
    assert lake.rows() == [["1"], ["2"]]


def test_mode_fail_tells_the_value_of_json_and_of_parquet(lake: Lake) -> None:
    lake.put("in/a.json", '{"id": 1}\n{"id": [2]}\n')
    with pytest.raises(BadData, match=r"lake/in/a\.json, record 2: '\[2\]' in column 'id' is not a value of bigint"):
        lake.run(source(kind="JSON", **FAIL), target())
    lake.put_parquet("p/a.parquet", id=[1.0, 1e20], name=["a", "b"])
    with pytest.raises(BadData, match=r"lake/p/a\.parquet, record 2: 1e\+20 in column 'id' is not a value of bigint"):
        lake.run(source(kind="PARQUET", prefix="p", **FAIL), target(node_id=8))


def test_memory_that_does_not_suffice_is_told_as_such(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n" + "".join(f"{i},{'x' * 50}{i}\n" for i in range(200_000)))
    summed = node("TRANSFORM_AGGREGATE", 2, (1,), groupByList=["name", "id"], aggregateFieldList=[
        {"name": "name", "ResultName": "last", "function": "MAX"}
    ])  # fmt: skip
    nodes = (source(), summed, target("last string", parents=(2,)))
    with pytest.raises((OutOfMemory, StoreFull)) as caught:
        lake.run(*nodes, engine=lake.engine(memory="40MB", temp_size="1MB"))
    assert "memory_limit" in caught.value.hint or "temp_size" in caught.value.hint


def test_what_does_not_fit_in_memory_is_spilled(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n" + "".join(f"{i},{'x' * 50}{i}\n" for i in range(1_000_000)))
    both = node("TRANSFORM_UNION", 3, (1, 2), unionType="DISTINCT")
    nodes = (source(), source(node_id=2), both, target(parents=(3,)))
    outcome = lake.run(*nodes, engine=lake.engine(memory="150MB"))
    assert outcome.writes[9].rows == 1_000_000


def test_a_run_that_ends_with_spilled_files_is_closed_before_it_returns(lake: Lake) -> None:
    """Who removes the spill folder then must not meet the engine doing the same."""
    rows = (f"{i},{md5(str(i).encode()).hexdigest() * 3}\n" for i in range(1_000_000))
    lake.put("in/a.csv", "id,name\n" + "".join(rows))
    seen: list[int] = []

    class Watched(DuckDbEngine):
        def _has_spilled(self) -> bool:
            seen.append(len(list((lake.root / "spill").glob("duckdb_temp*"))))
            return super()._has_spilled()

    lake.run(source(), target(), target(node_id=8, prefix="b"), engine=lake.engine(Watched, memory="75MB", threads=1))
    assert seen[0] > 0
    assert not list((lake.root / "spill").glob("duckdb_temp*"))


def test_a_cancel_while_a_statement_runs_ends_it(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n" + "1,a\n" * 50_000)
    written = lake.root / "9" / "part.csv"
    engine, ended = lake.engine(), threading.Event()

    def stop() -> None:
        while not ended.wait(0.01):
            if written.exists():
                engine.cancel()

    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        with pytest.raises(Cancelled, match="the run was stopped"):
            lake.run(source(), source(node_id=2), join(1, 2, "name"), target(parents=(3,)), engine=engine)
    finally:
        ended.set()
        stopper.join()


def test_progress_grows_while_a_join_and_an_aggregation_run(lake: Lake) -> None:
    lake.put("in/a.csv", in_groups())
    engine, ended = lake.engine(threads=1), threading.Event()
    seen: list[Progress] = []

    def look() -> None:
        while not ended.wait(0.005):
            seen.append(engine.progress())
            if len({now.part for now in seen}) > 3 or len(seen) > 4000:
                engine.cancel()

    looker = threading.Thread(target=look)
    looker.start()
    try:
        with pytest.raises(Cancelled):
            lake.run(*lengthy(), engine=engine)
    finally:
        ended.set()
        looker.join()
    parts = [now.part for now in seen if now.at == "node 9"]
    assert parts == sorted(parts)
    assert 0.0 < parts[-1] < 1.0


def test_a_cancel_before_anything_runs_is_heard(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    engine = lake.engine()
    engine.cancel()
    with pytest.raises(Cancelled):
        lake.run(source(), target(), engine=engine)
    assert list((lake.root / "9").iterdir()) == []


def test_statements_reach_only_the_files_of_the_run(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    secret = lake.put("secret.csv", "id\n42\n")
    tried: list[str] = []

    class Nosy(DuckDbEngine):
        def _checkpoint(self, done: int, whole: int, node: str) -> None:
            assert self._connection is not None
            for query in (
                f"SELECT * FROM read_csv('{secret}')",
                "SELECT * FROM read_text('/etc/passwd')",
                "SELECT * FROM glob('/etc/*')",
                f"COPY (SELECT 1) TO '{secret}.out'",
                "ATTACH '/tmp/other.db'",
                "LOAD httpfs",
                "INSTALL httpfs",
                "SET enable_external_access = true",
                "SET memory_limit = '100GB'",
                "SET allowed_paths = ['/etc/passwd']",
            ):
                with pytest.raises(duckdb.Error):
                    self._connection.execute(query)
                tried.append(query)

    lake.run(source(), target(), engine=Nosy(lake.engine()._limits))
    assert len(tried) >= 10
    assert not Path(f"{secret}.out").exists()


def test_a_failed_statement_in_the_middle_is_a_failed_run(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n9223372036854775807,a\n1,b\n")
    summed = node("TRANSFORM_AGGREGATE", 2, (1,), groupByList=[], aggregateFieldList=[
        {"name": "id", "ResultName": "total", "function": "SUM"}
    ])  # fmt: skip
    with pytest.raises(BadData) as caught:
        lake.run(source(), summed, target("total bigint", parents=(2,)))
    assert caught.value.hint == "a result is out of range of its type; cast to a wider one before"


def test_what_was_written_is_counted_again_when_asked(lake: Lake) -> None:
    lake.put("in/a.csv", 'id,name\n1,"a\nb"\n,\n')
    outcome = lake.run(
        source(),
        target(),
        target("name string", node_id=8, prefix="b"),
        target(node_id=7, prefix="c", kind="JSON"),
        target(node_id=6, prefix="d", kind="PARQUET"),
        engine=lake.engine(read_back=True),
    )
    assert {n: w.rows for n, w in outcome.writes.items()} == {9: 2, 8: 2, 7: 2, 6: 2}


def test_an_engine_has_no_gaps_and_shows_its_script(lake: Lake) -> None:
    sinks = plan(source(), target()).pruned
    engine = lake.engine()
    assert engine.gaps(sinks) == ()
    assert engine.script(sinks).endswith("NULLSTR '');\n")
    assert engine.progress() == Progress(0.0, "")


@pytest.mark.parametrize("size", [3_900_000, 7_900_000, 15_000_000])
def test_a_large_last_record_without_a_line_end_is_no_less_a_row(size: int, lake: Lake) -> None:
    rows = "".join(f"{n},abc\n" for n in range(2_000_000))
    lake.put("in/a.csv", "id,name\n" + rows + "7," + "x" * size)
    outcome = lake.run(source(), target("id bigint"), engine=lake.engine(memory="2GB"))
    assert (outcome.reads[1].rows, outcome.writes[9].rows) == (2_000_001, 2_000_001)


def test_names_of_files_are_taken_as_they_are(lake: Lake) -> None:
    for name in ("a[1]*?.csv", "it's.csv", "b {1}.csv", "가나.csv"):
        lake.put(f"in/{name}", "id,name\n1,a\n")
    lake.put("other/a1.csv", "id,name\n7,no\n")
    outcome = lake.run(source(), target())
    assert (outcome.reads[1].rows, outcome.writes[9].rows) == (4, 4)
    assert listed(["a[*"]) == "['a[[][*]']"


def test_a_bad_value_is_found_in_a_file_of_any_name(lake: Lake) -> None:
    lake.put("in/a[1]*?.csv", "id,name\n1,a\nx,b\n")
    with pytest.raises(BadData, match=r"lake/in/a\[1\]\*\?\.csv, record 2: 'x'"):
        lake.run(source(**FAIL), target())


def test_a_shared_node_is_computed_once_also_behind_other_nodes(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n2,b\nx,c\n")
    kept = node("TRANSFORM_SELECT", 5, (1,), fieldList=fields("id bigint"))
    small, large = where(2, 5, "id", "2", "LT"), where(4, 5, "id", "2", "GTE")
    outcome = lake.run(
        source(), kept, small, large, target("id bigint", parents=(2,)),
        target("id bigint", parents=(4,), node_id=8, prefix="b"),
    )  # fmt: skip
    assert outcome.bad_values == {1: {"id": 1}}
    assert (lake.rows(9), lake.rows(8), outcome.reads[1].rows) == ([["1"]], [["2"]], 3)


def test_every_failure_of_the_engine_is_a_failed_run(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.put("in/a.csv", "id,name\n1\n")

    def broken(*args: object) -> object:
        raise duckdb.InterruptException("in the middle of looking again")

    monkeypatch.setattr("headrace.engines.duckdb.failures.inspect", broken)
    with pytest.raises(RunFailed):
        lake.run(source(), target())


@pytest.mark.parametrize(("rows", "joined", "threads"), [(10, False, 1), (60_000, False, 3), (10, True, 3)])
def test_a_second_thread_is_for_much_data_or_for_rows_that_may_become_many(
    lake: Lake, rows: int, joined: bool, threads: int
) -> None:
    lake.put("in/a.csv", "id,name\n" + "".join(f"{n},name\n" for n in range(rows)))
    lake.put("b/b.csv", "id,name\n1,a\n")
    nodes = [source("id bigint", node_id=2, prefix="b"), join(1, 2)] if joined else [where(3, 1, "name", "name")]
    had: list[int] = []

    class Asked:
        """An engine instance that tells how many threads it had at its end."""

        def __init__(self) -> None:
            self.instance = duckdb.connect(":memory:")

        def __getattr__(self, name: str) -> object:
            return getattr(self.instance, name)

        def close(self) -> None:
            had.append(self.instance.execute("SELECT current_setting('threads')").fetchall()[0][0])
            self.instance.close()

    limits = Limits(threads=3, memory="500MB", temp_directory=str(lake.root / "spill"), temp_size="1GB")
    engine = DuckDbEngine(limits, instance=cast(Callable[[], duckdb.DuckDBPyConnection], Asked))
    lake.run(source(), *nodes, target(parents=(3,)), engine=engine)
    until(lambda: had == [threads])
