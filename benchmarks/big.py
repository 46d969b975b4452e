"""How much memory do 30 GB of CSV take?

    python -m benchmarks.big [--scale 1] [--runs 3] [--data DIR] [--save]

Thirty CSV files of 1 GB become one Parquet file. The whole process tree may take 4 GB; of these the engine is given 3.
The files are one file under thirty names, so the disk cache holds them and the disk is not measured. `--save` keeps the
figures as benchmarks/results/big.json, at full scale only.
"""

from benchmarks.compared import Question, answer
from benchmarks.workloads import BIG

QUESTION = Question("big", "How much memory do 30 GB of CSV take?", (BIG,), "3GB")

if __name__ == "__main__":
    answer(QUESTION)
