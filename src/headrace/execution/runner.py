"""One run of one job: list, stage, run, look again, publish. Knows no database; it reports to its caller."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from headrace.clock import Clock
from headrace.engines.base import Engine, Outcome, Progress
from headrace.errors import Cancelled, NotSupported, RunFailed, StoreBusy, StoreError
from headrace.execution.machine import peak_memory
from headrace.execution.report import (
    Failure,
    NodeReport,
    ObjectRead,
    Report,
    SourceReport,
    Status,
    TargetReport,
)
from headrace.graph import Plan
from headrace.plan.ops import Op, Read, Target, Write, in_order
from headrace.plan.pinned import pinned
from headrace.stores.base import Snapshot, Store
from headrace.stores.publish import (
    Publication,
    Published,
    publication,
    published,
    recover,
    snapshot,
    unchanged,
)

T = TypeVar("T")
_TURN = 0.2


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be run: `attempt` counts from 1 within an execution; `wait` is seconds for another writer to end.

    When an earlier attempt may have published, the run looks for that first: data that is there is not made again.
    """

    execution_id: str
    job: str
    plan: Plan
    attempt: int = 1
    wait: float = 0.0
    warnings: tuple[str, ...] = ()
    may_have_published: bool = False


def granted() -> None:
    """Nobody has to be asked before publishing: no lease hangs on it."""


class Run:
    """One attempt. `execute` blocks; `cancel` and `progress` may be called from other threads meanwhile.

    `may_commit` is asked right before the commit; it raises a RunFailed when somebody else has the run by now.
    `threads` are those of the engine, for the report.
    """

    def __init__(
        self,
        task: Task,
        *,
        store: Store,
        engine: Engine,
        clock: Clock,
        may_commit: Callable[[], None] = granted,
        threads: int = 0,
    ) -> None:
        self._task = task
        self._store = store
        self._engine = engine
        self._clock = clock
        self._may_commit = may_commit
        self._threads = threads
        self._stop = threading.Lock()
        self._cause: RunFailed | None = None
        self._committed = False
        # By target, whether earlier attempts have published it; None as long as that is not known.
        self._before: Mapping[str, bool] | None = None if task.may_have_published else {}
        self._phase = "listing"

    def progress(self) -> Progress:
        """How far the run is, at a phase or the name of the node at work."""
        if self._phase == "running":
            return self._engine.progress()
        return Progress(1.0 if self._phase in ("saving", "publishing") else 0.0, self._phase)

    def cancel(self, cause: RunFailed) -> bool:
        """Stop the run within a second, for a cause. False when it is too late: the new data is being published."""
        with self._stop:
            if self._committed:
                return False
            self._cause = self._cause or cause
        self._engine.cancel()
        return True

    def execute(self) -> Report:
        """Do it, and report, also when it failed: then `failure` says why, and the old data stands."""
        started, since = self._clock.now(), self._clock.seconds()
        report = Report(
            execution_id=self._task.execution_id,
            job=self._task.job,
            status="COMPLETED",
            engine=self._engine.name,
            threads=self._threads,
            started=started,
            seconds=0.0,
            peak_memory=0,
            warnings=self._task.warnings,
        )
        try:
            report = self._published_before(report) or self._publish(report)
        except RunFailed as error:
            # What may have published is not cancelled before somebody has seen whether its data is there.
            cause = error if self._before is None else self._cause or error
            status: Status = "CANCELED" if isinstance(cause, Cancelled) else "FAILED"
            failure = Failure.of(cause)
            failure = replace(failure, message=failure.message + self._told_before())
            report = replace(report, status=status, failure=failure)
        return replace(report, seconds=self._clock.seconds() - since, peak_memory=peak_memory())

    def _published_before(self, report: Report) -> Report | None:
        """The report when an earlier attempt has published all targets; None when there is still something to do."""
        if self._before is not None:
            return None
        self._phase = "looking for data of an earlier attempt"
        writes = [sink for sink in self._task.plan.pruned if isinstance(sink, Write)]
        run = self._task.execution_id
        found = [_placed(w, partial(published, self._store, w.place, w.mode, run=run)) for w in writes]
        self._before = {
            str(w.place): each is not None and bool(each.files) for w, each in zip(writes, found, strict=True)
        }
        done = tuple(each for each in found if each is not None)
        if len(done) < len(writes):
            return None
        with self._stop:
            self._committed = True
        for write in writes:
            # Readers see through what is not tidied up, and the next run that writes there does it.
            with suppress(StoreError):
                recover(self._store, write.place)
        told = "an earlier attempt had published the data: what it read and how many rows it wrote is not known"
        targets = tuple(_target(w, each, rows=0) for w, each in zip(writes, done, strict=True))
        return replace(report, targets=targets, warnings=(*report.warnings, told))

    def _told_before(self) -> str:
        before = self._before or {}
        if not any(before.values()):
            return ""
        there = ", ".join(f"'{place}'" for place, done in before.items() if done)
        old = ", ".join(f"'{place}'" for place, done in before.items() if not done)
        return f"; an earlier attempt had published {there}, and not {old}"

    def _publish(self, report: Report) -> Report:
        sinks = pinned(self._task.plan.pruned, report.started)
        self._refuse_gaps(sinks)
        writes = [sink for sink in sinks if isinstance(sink, Write)]
        reads = [op for op in in_order(writes) if isinstance(op, Read)]
        with ExitStack() as held:
            pending = self._claimed(held, writes)
            sources = {read.node_id: self._listed(read) for read in reads}
            outcome = self._run(writes, sources, pending)
            self._phase = "saving"
            pending.flush(self._go_on)
            for read in reads:
                _placed(read, partial(unchanged, self._store, sources[read.node_id]))
            self._go_on()
            self._may_commit()
            with self._stop:
                self._go_on()
                self._committed = True
            self._phase = "publishing"
            done = pending.commit()
        return _told(report, reads, writes, sources, outcome, done)

    def _refuse_gaps(self, sinks: Sequence[Target]) -> None:
        """Say before anything is read or claimed what this engine can't do."""
        gaps = self._engine.gaps(sinks)
        if gaps:
            told = "; ".join(f"{gap.what}: {gap.why}" for gap in gaps)
            raise NotSupported(told, hint=gaps[0].hint, node_id=gaps[0].node_id, node=gaps[0].node)

    def _claimed(self, held: ExitStack, writes: Sequence[Write]) -> Publication:
        """Be the only writer of all targets. Waits in short turns, so that a cancel is heard meanwhile."""
        task, until = self._task, self._clock.seconds() + self._task.wait
        places = [(write.place, write.mode) for write in writes]
        while True:
            left = until - self._clock.seconds()
            turn = max(0.0, min(left, _TURN))
            try:
                begun = publication(self._store, places, run=task.execution_id, attempt=task.attempt, wait=turn)
                claim = partial(held.enter_context, begun)
                # All targets are claimed at once, so the node is known where there is a single one.
                return _placed(writes[0], claim) if len(writes) == 1 else claim()
            except StoreBusy:
                self._go_on()
                if left <= turn:
                    raise
                self._phase = "waiting for another run"

    def _listed(self, read: Read) -> Snapshot:
        self._go_on()
        self._phase = "listing"
        # What a merge reads is what its target holds, which may be nothing yet.
        return _placed(read, lambda: snapshot(self._store, read.place, or_nothing=read.exact))

    def _run(self, writes: Sequence[Write], sources: Mapping[int, Snapshot], pending: Publication) -> Outcome:
        targets = {write.node_id: _placed(write, partial(pending.stage, i)) for i, write in enumerate(writes)}
        self._go_on()
        self._phase = "running"
        return self._engine.run(writes, sources=sources, targets=targets)

    def _go_on(self) -> None:
        if self._cause is not None:
            raise self._cause


def _placed(op: Op, do: Callable[[], T]) -> T:
    """Run `do`; a failure of the store is told with the node at which it happened."""
    try:
        return do()
    except StoreError as error:
        error.node_id, error.node = op.node_id, op.node
        raise


def _told(
    report: Report,
    reads: Sequence[Read],
    writes: Sequence[Write],
    sources: Mapping[int, Snapshot],
    outcome: Outcome,
    done: Sequence[Published],
) -> Report:
    others = {n: counts for n, counts in outcome.bad_values.items() if n not in sources and any(counts.values())}
    names = {op.node_id: op.node for op in in_order(writes)}
    return replace(
        report,
        sources=tuple(_source(read, sources[read.node_id], outcome) for read in reads),
        nodes=tuple(NodeReport(n, names[n], counts) for n, counts in others.items()),
        targets=tuple(_target(w, p, rows=outcome.writes[w.node_id].rows) for w, p in zip(writes, done, strict=True)),
    )


def _source(read: Read, found: Snapshot, outcome: Outcome) -> SourceReport:
    result = outcome.reads[read.node_id]
    return SourceReport(
        node_id=read.node_id,
        node=read.node,
        place=str(read.place),
        format=read.format,
        objects=tuple(ObjectRead(f"{o.bucket}/{o.key}", o.size, o.etag) for o in found.objects),
        bytes=sum(o.size for o in found.objects),
        rows=result.rows,
        bad_values=outcome.bad_values.get(read.node_id, {}),
        short_rows=result.short_rows,
        long_rows=result.long_rows,
    )


def _target(write: Write, done: Published, *, rows: int) -> TargetReport:
    return TargetReport(
        node_id=write.node_id,
        node=write.node,
        place=str(write.place),
        format=write.format,
        update_type=write.mode,
        files=tuple(f"{f.bucket}/{f.key}" for f in done.files),
        bytes=sum(f.size for f in done.files),
        rows=0 if done.skipped else rows,
        removed=done.removed,
        skipped=done.skipped,
    )
