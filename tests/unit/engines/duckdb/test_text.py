import json
import re
from pathlib import Path

from headrace.definition import load
from headrace.engines.duckdb.text import shown
from tests.support.jobs import node, plan, source, target

EXAMPLE = Path(__file__).parents[4] / "examples" / "createJob.json"


def test_the_script_of_the_documented_job_reads_as_the_job_does() -> None:
    assert (
        shown(load(EXAMPLE.read_bytes()).plan({}).pruned)
        == """\
-- 1. Object Storage (1697770000001): read aitems/dataflow1 as CSV
CREATE TEMP VIEW "Object Storage (1697770000001)" AS
SELECT "id", "name", "description"
FROM read_csv('aitems/dataflow1/**', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', \
nullstr = '', allow_quoted_nulls = false, columns = {'id': 'VARCHAR', 'name': 'VARCHAR', 'description': 'VARCHAR'});

-- 2. Filters (1697770000002): filter
CREATE TEMP VIEW "Filters (1697770000002)" AS
SELECT *
FROM "Object Storage (1697770000001)"
WHERE ("name" = 'A');

-- 3. Object Storage (1697770000003): project
CREATE TEMP VIEW "Object Storage (1697770000003)" AS
SELECT "id", "name", "description"
FROM "Filters (1697770000002)";

-- 4. Object Storage (1697770000003): write aitems/dataflow1 as CSV, OVERWRITE
COPY (
SELECT "id", "name", "description"
FROM "Object Storage (1697770000003)"
) TO 'aitems/dataflow1/part' (FORMAT csv, HEADER true, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '');
"""
    )


def steps(script: str) -> list[str]:
    return re.findall(r"^-- (.*)$", script, flags=re.MULTILINE)


def test_every_node_is_a_named_step_in_the_order_of_the_graph() -> None:
    where = node("TRANSFORM_FILTER", 2, (1,), filterType="AND", filterConditionList=[
        {"name": "id", "operator": "GT", "value": "5"}
    ])  # fmt: skip
    script = shown(
        plan(target(parents=(2,), kind="JSON"), where, source(kind="NDJSON"), target(node_id=8, prefix="b")).pruned
    )
    assert sorted(line.split(". ", 1)[1] for line in steps(script)) == [
        "node 1 (1): read lake/in as NDJSON",
        "node 2 (2): filter",
        "node 8 (8): project",
        "node 8 (8): write lake/b as CSV, OVERWRITE",
        "node 9 (9): project",
        "node 9 (9): write lake/out as JSON, OVERWRITE",
    ]
    assert [line.split(".")[0] for line in steps(script)] == ["1", "2", "3", "4", "5", "6"]


def test_what_two_nodes_read_is_a_table_and_all_else_a_view() -> None:
    script = shown(plan(source("id bigint"), target("id bigint"), target("id bigint", node_id=8, prefix="b")).pruned)
    assert re.findall(r'^CREATE TEMP (TABLE|VIEW) "([^"]+)"', script, flags=re.MULTILINE) == [
        ("TABLE", "node 1 (1)"),
        ("VIEW", "node 9 (9)"),
        ("VIEW", "node 8 (8)"),
    ]


def test_a_counted_cast_has_its_counter_and_only_the_macros_that_are_used_are_shown() -> None:
    script = shown(plan(source("id bigint, name string"), target()).pruned)
    assert "CREATE TEMP SEQUENCE bad_1_id;" in script
    macros = re.findall(r"^CREATE TEMP MACRO (\w+)", script, flags=re.MULTILINE)
    assert macros == ["counted", "matched_bigint", "counted_bigint"]


def test_a_macro_brings_those_that_it_calls() -> None:
    script = shown(plan(source("id decimal(10,2)"), target("id decimal(10,2)")).pruned)
    macros = re.findall(r"^CREATE TEMP MACRO (\w+)", script, flags=re.MULTILINE)
    assert {"to_plain", "moved", "number_parts", "trimmed", "with_point", "power_of", "counted"} <= set(macros)
    assert not {"to_bigint", "to_date", "to_boolean"} & set(macros)


def test_names_are_data_and_not_sql() -> None:
    tricky = 'x"); DROP TABLE y; --\n\\'
    columns = [{"name": tricky, "type": "string"}]
    script = shown(plan(source(fieldList=columns, name=tricky), target(fieldList=columns)).pruned)
    assert json.dumps(tricky)[1:-1] not in script
    assert '"x""); DROP TABLE y; --\n\\"' in script
    (first, *_) = steps(script)
    assert first == '1. x"); DROP TABLE y; -- \\ (1): read lake/in as CSV'


def test_the_same_plan_gives_the_same_script() -> None:
    nodes = (source(), target())
    assert shown(plan(*nodes).pruned) == shown(plan(*nodes).pruned)
