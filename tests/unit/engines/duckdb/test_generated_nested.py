"""Any nested column of any files gives what the reference in plain Python says: see docs/explanation/proof.md."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, example, given, settings

from headrace.errors import BadData
from headrace.plan.types import INT, STRING, Array, Field, Map, Struct
from tests.support.generated_nested import Files, arrow, files, wire
from tests.support.jobs import node, source, target
from tests.support.lake import Lake

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
# Two keys that become one are rare by chance.
WHOLE, TEXTS, TWICE = Map(INT, INT), Map(STRING, INT), [("3", 1), ("03", 2)]


@settings(max_examples=120, derandomize=True, database=None, deadline=None, suppress_health_check=SLOW)
@pytest.mark.timeout(300)
@given(files())
@example(Files(WHOLE, ((TEXTS, (TWICE, [("4", 1)])),)))
@example(Files(Array(Struct((Field("m", WHOLE),))), ((Array(Struct((Field("m", TEXTS),))), ([{"m": TWICE}],)),)))
def test_a_nested_column_of_any_files_gives_the_values_and_counts_of_the_reference(made: Files) -> None:
    with TemporaryDirectory() as folder:
        lake, first = Lake(Path(folder)), 0
        for number, (stored, values) in enumerate(made.files):
            ids = pyarrow.array(range(first, first + len(values)), pyarrow.int32())
            lake.put_parquet(f"in/{number}.parquet", id=ids, v=pyarrow.array(values, arrow(stored)))
            first += len(values)
        fields = [{"name": "id", "type": "int"}, wire("v", made.declared)]
        kept = node("TRANSFORM_FILTER", 2, (1,), filterType="AND",
                    filterConditionList=[{"name": "id", "operator": "GTE", "value": "0"}])  # fmt: skip
        try:
            done = lake.run(
                source(kind="PARQUET", fieldList=fields), kept, target(parents=(2,), kind="PARQUET", fieldList=fields)
            )
        except BadData as error:
            assert "does not cast to" in str(error)  # noqa: PT017 - that is told where not one value can fit
            assert made.read() == [None] * first
            return
        (path,) = (lake.root / "9").iterdir()
        rows = sorted(pyarrow.parquet.read_table(path).to_pylist(), key=lambda row: int(row["id"]))
        assert [row["v"] for row in rows] == made.read()
        assert done.bad_values.get(1, {}).get("v", 0) == made.misfits()
