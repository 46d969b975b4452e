"""How do analytic jobs of several tables compare?

    python -m benchmarks.tpch [--scale 1] [--runs 3] [--only tpch-q1] [--data DIR] [--save]

Five jobs after queries of TPC-H, as graphs of nodes, against the same in hand-written DuckDB and Polars; the scale is
TPC-H's scale factor. They are derived from TPC-H and are not comparable to its published results. Whole results are
compared. `--save` keeps the figures as benchmarks/results/tpch.json, at scale factor 1 only.
"""

from benchmarks.compared import Question, answer
from benchmarks.workloads import TPCH

QUESTION = Question("tpch", "How do analytic jobs of several tables compare?", TPCH, "4GB")

if __name__ == "__main__":
    answer(QUESTION)
