"""What does it cost to drop duplicates when they do not fit into memory?

    python -m benchmarks.dedupe [--scale 1] [--runs 3] [--data DIR] [--save]

20 million rows, 15 million different numbers: one row of each number is kept, the smallest by all columns, with 1 GB
for the engine. It spills, for Headrace and for DuckDB; Polars takes the memory that it likes. `--save` keeps the
figures as benchmarks/results/dedupe.json, at full scale only.
"""

from benchmarks.compared import Question, answer
from benchmarks.workloads import DEDUPE

QUESTION = Question(
    "dedupe", "What does it cost to drop duplicates when they do not fit into memory?", (DEDUPE,), "1GB"
)

if __name__ == "__main__":
    answer(QUESTION)
