"""A run with an engine that a test plays: what it writes, when it fails, when somebody cancels."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from headrace.engines.base import Gap, Outcome, Progress, ReadResult, WriteResult
from headrace.execution.runner import Run, Task
from headrace.graph import Plan
from headrace.plan.ops import Read, Sink, in_order
from headrace.stores.base import Snapshot, Staged, Store

Act = Callable[[Mapping[int, Staged]], None]


class Ticks:
    """A clock on which a second passes each time that somebody looks."""

    def __init__(self) -> None:
        self.looked = 0

    def now(self) -> datetime:
        return datetime(2024, 1, 5, tzinfo=UTC)

    def seconds(self) -> float:
        self.looked += 1
        return float(self.looked)


class PlayedEngine:
    """Writes one file of two rows for each target, after it has done what the test says."""

    name = "played"

    def __init__(self, act: Act = lambda targets: None) -> None:
        self.act = act
        self.cancelled = 0
        self.seen: Mapping[int, Snapshot] = {}

    def gaps(self, sinks: Sequence[Sink]) -> tuple[Gap, ...]:
        return ()

    def script(self, sinks: Sequence[Sink]) -> str:
        return ""

    def run(self, sinks: Sequence[Sink], *, sources: Mapping[int, Snapshot], targets: Mapping[int, Staged]) -> Outcome:
        self.seen = sources
        for staged in targets.values():
            Path(staged.directory, "part.csv").write_text("id,name\n1,new\n2,new\n")
        self.act(targets)
        reads = {op.node_id: ReadResult(3, short_rows=1) for op in in_order(sinks) if isinstance(op, Read)}
        return Outcome(reads, {n: WriteResult(2) for n in targets}, {}, {n: {"id": 1} for n in reads} | {5: {"x": 0}})

    def progress(self) -> Progress:
        return Progress(0.5, "at work", 1_000)

    def cancel(self) -> None:
        self.cancelled += 1


def run_of(plan: Plan, store: Store, engine: PlayedEngine, *, wait: float = 0.0, again: bool = False) -> Run:
    """A run that has not begun; `again` when an earlier attempt of it may have published."""
    task = Task(
        execution_id="run1",
        job="job",
        plan=plan,
        attempt=1 + again,
        wait=wait,
        warnings=("mind this",),
        may_have_published=again,
    )
    return Run(task, store=store, engine=engine, clock=Ticks())
