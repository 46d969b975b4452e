"""Nodes over tables of other systems: checked like all others, and not run."""

import pytest

from headrace.engines.duckdb import DuckDbEngine
from headrace.plan.ops import ReadTable, TablePlace, WriteTable
from tests.support.examples import LIMITS
from tests.support.jobs import Json, faults, fields, node, plan, source, target

COLUMNS = fields("id bigint, name string")
PLACES: list[tuple[str, Json, TablePlace]] = [
    ("CDB_MYSQL", {"connectionId": "c1", "table": "t"}, TablePlace("MySQL", "c1", "t")),
    ("CDB_POSTGRESQL", {"connectionId": "c1", "table": "t"}, TablePlace("PostgreSQL", "c1", "t")),
    ("CATALOG", {"database": "d", "table": "t", "schemaVersion": "2"}, TablePlace("catalogue", "d", "t", "2")),
]


@pytest.mark.parametrize(("word", "names", "place"), PLACES)
def test_a_source_reads_the_table_that_it_names(word: str, names: Json, place: TablePlace) -> None:
    read = plan(node(f"SOURCE_{word}", 1, (), fieldList=COLUMNS, **names), target()).by_node[1]
    assert isinstance(read, ReadTable)
    assert (read.place, read.schema.names) == (place, ("id", "name"))


@pytest.mark.parametrize(("word", "names", "place"), PLACES)
def test_a_target_writes_the_table_that_it_names_and_adds_unless_told(
    word: str, names: Json, place: TablePlace
) -> None:
    write = plan(source(), node(f"TARGET_{word}", 9, (1,), fieldList=COLUMNS, **names)).by_node[9]
    assert isinstance(write, WriteTable)
    assert (write.place, write.mode, write.schema.names) == (place, "APPEND", ("id", "name"))


@pytest.mark.parametrize(("word", "names", "place"), PLACES)
def test_what_is_missing_is_told_for_each_field(word: str, names: Json, place: TablePlace) -> None:
    found = faults(node(f"SOURCE_{word}", 1, (), fieldList=[]), target(columns="id bigint"))
    assert [(1, name, "bad-field") for name in (*names, "fieldList")] == found


@pytest.mark.parametrize(("word", "names", "place"), PLACES)
def test_a_column_that_does_not_arrive_is_a_problem(word: str, names: Json, place: TablePlace) -> None:
    sink = node(f"TARGET_{word}", 9, (1,), fieldList=fields("id bigint, nam string"), **names)
    assert faults(source(), sink) == [(9, "fieldList[1].name", "unknown-column")]


@pytest.mark.parametrize(("word", "names", "place"), PLACES)
def test_the_embedded_engine_says_that_it_can_not(word: str, names: Json, place: TablePlace) -> None:
    engine = DuckDbEngine(LIMITS)
    reads = plan(node(f"SOURCE_{word}", 1, (), fieldList=COLUMNS, **names), target())
    writes = plan(source(), node(f"TARGET_{word}", 9, (1,), fieldList=COLUMNS, **names))
    gaps = [*engine.gaps(reads.pruned), *engine.gaps(writes.pruned)]
    assert [(gap.node_id, gap.what) for gap in gaps] == [(1, str(place)), (9, str(place))]
