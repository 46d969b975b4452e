"""How much does Headrace cost over hand-written SQL?

    python -m benchmarks.embedded [--scale 1] [--runs 3] [--only w1] [--data DIR] [--save]

Three jobs, each by `headrace run`, by DuckDB and by Polars. `--save` keeps the figures as
benchmarks/results/embedded.json, at full scale only.
"""

from benchmarks.compared import Question, answer
from benchmarks.workloads import WORKLOADS

QUESTION = Question("embedded", "How much does Headrace cost over hand-written SQL?", WORKLOADS, "4GB")

if __name__ == "__main__":
    answer(QUESTION)
