"""Jobs by `headrace run` and by hand-written scripts, side by side: what the scripts of several questions share.

Every run is a cold process. The engines take turns, so that a noisy minute hits all of them. What each wrote is summed
up and compared: a fast wrong result does not count.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks import data, figures, machine
from benchmarks.checks import Summary, differences, short
from benchmarks.figures import Run
from benchmarks.measure import taken
from benchmarks.workloads import HERE, PEAK_BYTES, PEAK_RATIO, Workload

MINIMUM_RUNS = 3
_EXACT = "--save is for all jobs at full scale, with at least {} runs"


@dataclass(frozen=True)
class Question:
    """What a script asks: its name, in words, the jobs, and the memory that an engine may use."""

    name: str
    words: str
    works: tuple[Workload, ...]
    memory_limit: str

    @property
    def result(self) -> Path:
        """Where its last figures are kept."""
        return HERE / "results" / f"{self.name}.json"


@dataclass(frozen=True)
class Bench:
    """Where the data lies and what every engine may use."""

    storage: Path
    threads: int
    memory_limit: str

    @property
    def bucket(self) -> Path:
        """The one bucket of the storage."""
        return self.storage / data.BUCKET

    @property
    def work(self) -> Path:
        """What hand-written scripts write, and what spills."""
        return self.storage / "work"

    def output(self, work: Workload) -> Path:
        """The file of a hand-written script."""
        return self.work / f"{work.name}.{work.format}"


Engine = Callable[[Bench, Workload], Sequence[str]]


def headrace(bench: Bench, work: Workload) -> Sequence[str]:
    """The job, as a user runs it."""
    command = [str(Path(sys.executable).with_name("headrace")), "run", str(work.job), "--storage", str(bench.storage)]
    limits = ["--threads", str(bench.threads), "--memory-limit", bench.memory_limit]
    return [*command, *limits, "--set", f"temp_directory={bench.work / 'spill'}", "--json"]


def duckdb(bench: Bench, work: Workload) -> Sequence[str]:
    """The hand-written DuckDB script."""
    script = [sys.executable, str(HERE / "hand" / "by_duckdb.py"), work.name]
    files = ["--bucket", str(bench.bucket), "--output", str(bench.output(work))]
    limits = ["--threads", str(bench.threads), "--memory-limit", bench.memory_limit]
    return [*script, *files, *limits, "--spill", str(bench.work / "spill")]


def duckdb_pushed(bench: Bench, work: Workload) -> Sequence[str]:
    """The same without the barrier: the filter runs before most of the casts."""
    return [*duckdb(bench, work), "--push"]


def polars(bench: Bench, work: Workload) -> Sequence[str]:
    """The hand-written Polars script."""
    script = [sys.executable, str(HERE / "hand" / "by_polars.py"), work.name]
    return [*script, "--bucket", str(bench.bucket), "--output", str(bench.output(work))]


def engines(work: Workload) -> dict[str, Engine]:
    """The engines that take part in a job, in the order of their turns."""
    taking: dict[str, Engine] = {"headrace": headrace, "duckdb": duckdb}
    if work.barrier:
        taking["duckdb-pushed"] = duckdb_pushed
    if importlib.util.find_spec("polars"):
        taking["polars"] = polars
    return taking


def measured(bench: Bench, work: Workload, engine: Engine) -> tuple[Run, Summary]:
    """One run from a clean slate, and the summary of what it wrote."""
    for old in (bench.bucket / "out", bench.work):
        shutil.rmtree(old, ignore_errors=True)
    bench.work.mkdir(parents=True)
    os.sync()  # what the run before wrote is not this one's to wait for
    took = taken(engine(bench, work), env={"POLARS_MAX_THREADS": str(bench.threads)}, memory=True)
    is_ours = engine is headrace
    files = bench.bucket / "out" / work.name / f"*.{work.format}" if is_ours else bench.output(work)
    told = json.loads(took.printed)
    run = Run(took.wall, took.cpu, took.pss, took.rss, None if is_ours else told["fsync"])
    return run, _summary(work, str(files))


def _summary(work: Workload, files: str) -> Summary:
    command = [sys.executable, "-m", "benchmarks.checks", work.name, files]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE.parent)
    found: Summary = json.loads(done.stdout)
    return found


def taking_turns(bench: Bench, work: Workload, rounds: int) -> tuple[dict[str, list[Run]], Summary]:
    """All engines once a round. Raises SystemExit when two results differ."""
    runs: dict[str, list[Run]] = {name: [] for name in engines(work)}
    first: Summary | None = None
    for number in range(1, rounds + 1):
        for name, engine in engines(work).items():
            run, wrote = measured(bench, work, engine)
            first = first or wrote
            if wrong := differences(first, wrote):
                raise SystemExit(f"{work.name}: {name} wrote another result than headrace: {'; '.join(wrong)}")
            runs[name].append(run)
            print(f"{work.name} {number}/{rounds} {name:14} {run.wall:8.2f} s", file=sys.stderr, flush=True)
    assert first is not None
    return runs, first


def warmed(files: Iterable[Path]) -> None:
    """Read the inputs once, so that the first engine does not pay for the disk alone."""
    for file in files:
        with file.open("rb", buffering=0) as opened:
            while opened.read(1 << 24):
                pass


def table(work: Workload, runs: dict[str, list[Run]]) -> str:
    """The figures of a job, as text for a terminal."""
    head = f"{'':14}{'wall s':>9}{'x duckdb':>10}{'no fsync':>10}{'cpu s':>9}{'PSS MB':>9}{'RSS MB':>9}"
    lines = [f"\n{work.name}: {work.title}", head]
    for name, of_engine in runs.items():
        wall, bare = figures.walls(of_engine), figures.without_fsync(of_engine)
        cpu, rss = (median(getattr(run, what) for run in of_engine) for what in ("cpu", "rss"))
        against = figures.ratio(of_engine, runs["duckdb"])
        shown = f"{bare:10.2f}" if bare is not None else f"{'-':>10}"
        memory = f"{figures.peak(of_engine) / 1e6:9.0f}{rss / 1e6:9.0f}"
        lines.append(f"{name:14}{wall:9.2f}{against:10.2f}{shown}{cpu:9.2f}{memory}")
    return "\n".join((*lines, *map(str, bars(work, runs))))


def bars(work: Workload, runs: dict[str, list[Run]]) -> tuple[figures.Bar, ...]:
    """The bars of a job."""
    ours, theirs = runs["headrace"], runs["duckdb"]
    most = PEAK_RATIO * figures.peak(theirs) + PEAK_BYTES if work.peak is None else work.peak
    return figures.bars(ours, theirs, wall_ratio=work.wall_ratio, most=most)


def result(given: argparse.Namespace, stamps: Sequence[data.Stamp], bench: Bench, done: dict[str, object]) -> object:
    """What is kept of a measurement."""
    return {
        "date": machine.today(),
        "machine": machine.description(),
        "versions": machine.versions("headrace", "duckdb", "polars"),
        "scale": given.scale,
        "settings": {"threads": bench.threads, "memory_limit": bench.memory_limit},
        "inputs": [asdict(stamp) for stamp in stamps],
        "jobs": done,
    }


def answer(question: Question) -> None:
    """What the script of a question does."""
    parser = argparse.ArgumentParser(description=question.words)
    data.arguments(parser)
    parser.add_argument("--runs", type=int, default=MINIMUM_RUNS, help="rounds; each engine runs once a round")
    parser.add_argument("--only", choices=[work.name for work in question.works], help="one job")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--memory-limit", default=question.memory_limit)
    parser.add_argument("--save", action="store_true", help=f"keep the figures as results/{question.result.name}")
    given = parser.parse_args()
    exact = (given.scale, given.memory_limit, given.only) == (1, question.memory_limit, None)
    if given.save and (not exact or given.runs < MINIMUM_RUNS):
        parser.error(_EXACT.format(MINIMUM_RUNS))
    storage, stamps = data.prepared_elsewhere(given.data, given.scale, question.name)
    bench = Bench(storage, given.threads, given.memory_limit)
    warmed(bench.bucket / stamp.key for stamp in stamps)
    if given.scale != 1:
        print(f"At scale {given.scale:g} the start of the process weighs more than at 1: the bars are for full scale.")
    done: dict[str, object] = {}
    for work in question.works:
        if given.only in (None, work.name):
            runs, wrote = taking_turns(bench, work, given.runs)
            print(table(work, runs))
            done[work.name] = {"engines": {n: [asdict(r) for r in rs] for n, rs in runs.items()}, "wrote": short(wrote)}
    if given.save:
        text = json.dumps(result(given, stamps, bench, done), indent=2)
        question.result.write_text(f"{text}\n", encoding="utf-8")
