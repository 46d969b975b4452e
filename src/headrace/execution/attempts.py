"""One attempt as its worker sees it: does what the supervisor says, and tells it what happens."""

import logging
import signal
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from headrace.clock import Clock
from headrace.db import Connection, Database
from headrace.engines.base import Progress
from headrace.errors import DatabaseFailed
from headrace.execution import lines, logs, memory, queue
from headrace.execution import supervisor as told
from headrace.execution.children import Gone, Nursery, Process
from headrace.execution.figures import Figures, Outcome
from headrace.execution.states import Status
from headrace.execution.traces import Told
from headrace.settings import Settings

_EVERY = 0.1
_LOG_EVERY = 1.0
_TELL_EVERY = 10.0
_AGAIN = 0.25
_LONGEST = 1440
_LOOK_EVERY = 0.2
_RENEWALS_OF_A_LEASE = 5
_PATIENCE = 20.0

log = logging.getLogger(__name__)


class Attempt:
    """Runs what was claimed. `run` blocks until it is over; `post` may be called from any thread meanwhile."""

    def __init__(
        self,
        claimed: queue.Claimed,
        *,
        database: Database,
        settings: Settings,
        most_memory: int,
        clock: Clock,
        begun: float,
        now: float,
        figures: Figures,
        ended: Callable[[], None],
    ) -> None:
        self.token = claimed.lease_token
        self._claimed = claimed
        self.named = {"execution": claimed.execution_id, "job": claimed.job_id, "attempt": claimed.attempt}
        self._database = database
        self._clock = clock
        self._figures = figures
        self._begun = begun
        self._ended = ended
        self._lease = settings["lease_seconds"]
        self._inbox: SimpleQueue[told.Event | lines.Log | lines.Script | Progress] = SimpleQueue()
        self._renewed_at = self._written_at = self._looked_at = self._told_at = begun
        self._script: lines.Script | None = None  # as long as it is not written
        self._unwritten: list[str] = []
        self._most_memory = most_memory
        self._at = ""
        self._pid = 0  # until it is written down
        minutes = int(claimed.condition.get("timeout") or _LONGEST)
        until = begun + (minutes * 60 if claimed.deadline is None else claimed.deadline - now)
        terms = told.Terms(
            until,
            minutes,
            settings["grace_seconds"],
            margin=self._lease / 10,
            may_have_published=claimed.may_have_published,
        )
        self._state = told.State(terms, lease_ends=begun + self._lease)

    def post(self, event: told.Event) -> None:
        """Let the attempt know of this."""
        self._inbox.put(event)

    def run(self, nursery: Nursery) -> None:
        """Take a child, run, and write how it ended."""
        process = nursery.take(patience=_PATIENCE)
        if process is None:
            cause = f"no process for it began within {_PATIENCE:g} s; the log of the server may say why"
            self._write(
                "PUT_BACK",
                lambda con, now: queue.put_back(
                    con, self.token, cause=cause, delay=_PATIENCE, now=now, told=self._told()
                ),
                cause=cause,
            )
            return
        reuse = False
        try:
            self._pid = process.pid
            process.listen(self._heard)
            self.post(told.ChildReady(self._clock.seconds()))
            reuse = self._follow(process)
        finally:
            nursery.give_back(process, reuse=reuse)

    def is_due(self) -> bool:
        """Whether the lease is to be renewed, or something waits to be written with that."""
        return bool(self._pid) or self._clock.seconds() - self._renewed_at >= self._lease / _RENEWALS_OF_A_LEASE

    def renew(self, *, publishing: bool = False) -> None:
        """Renew the lease, and let the attempt know what came of it. A database that is away is asked again later."""
        began = self._clock.seconds()
        try:
            with self._database.transaction() as con:
                now = self._database.now(con)
                found = queue.renew(con, self.token, now=now, lease_seconds=self._lease, publishing=publishing)
                self._note_child(con, now)
        except DatabaseFailed as error:
            log.warning("a lease is not renewed", extra={**self.named, "reason": str(error)})
            return
        self._renewed_at = began
        if found.alive:
            until, may = began + self._lease, found.may_publish
            self.post(told.Renewed(self._clock.seconds(), until, cancel=found.cancel, may_publish=may))
        else:
            self.post(told.LeaseIsLost(self._clock.seconds()))

    def _heard(self, line: lines.FromChild | Gone) -> None:
        at = self._clock.seconds()
        match line:
            case lines.CommitAsked():
                self.post(told.CommitWanted(at))
            case lines.Done(report, light):
                self.post(told.Reported(at, report, light=light))
            case Gone(code):
                self.post(told.ChildGone(at, code))
            case lines.Log() | lines.Script() | Progress():
                self._inbox.put(line)
            case lines.Ready():
                pass

    def _follow(self, process: Process) -> bool:
        """Hear and do until the child is released; gives whether it can be used again."""
        while True:
            match self._next():
                case lines.Log(text):
                    self._unwritten.append(text)
                    event: told.Event = told.Tick(self._clock.seconds())
                case lines.Script() as script:
                    self._script = script
                    event = told.Tick(self._clock.seconds())
                case Progress() as now:
                    self._moved(now)
                    event = told.Tick(self._clock.seconds())
                case other:
                    event = other
            self._state, commands = told.step(self._state, event)
            for command in commands:
                if isinstance(command, told.Release):
                    return command.reuse
                self._do(command, process)
            self._look_at_memory(process)
            if self._unwritten and self._clock.seconds() - self._written_at >= _LOG_EVERY:
                self._write_log()

    def _look_at_memory(self, process: Process) -> None:
        at = self._clock.seconds()
        if at - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = at
        has = memory.above(process.pid, self._most_memory)
        if has:
            self.post(told.OverMemory(at, has, self._most_memory))

    def _next(self) -> told.Event | lines.Log | lines.Script | Progress:
        try:
            return self._inbox.get(timeout=_EVERY)
        except Empty:
            return told.Tick(self._clock.seconds())

    def _moved(self, now: Progress) -> None:
        """Say where the run is: each step, and on a long one now and then how far."""
        at = self._clock.seconds()
        if now.at != self._at:
            self._at, self._told_at = now.at, at
            self._note(f"at {now.at}")
        elif at - self._told_at >= _TELL_EVERY:
            self._told_at = at
            self._note(f"at {now.at}: {now.told}")

    def _note(self, text: str) -> None:
        self._unwritten.append(logs.line(self._clock.now(), text))

    def _do(self, command: told.Command, process: Process) -> None:
        match command:
            case told.Start(until):
                process.tell(self._order(until))
            case told.Tell(line):
                process.tell(line)
            case told.Renew():
                self.renew(publishing=True)
            case told.Terminate():
                process.signal(signal.SIGTERM)
            case told.Kill():
                process.signal(signal.SIGKILL)
            case told.Finish():
                self._finish(command)
            case told.PutBack():
                self._put_back(command)
            case told.Release():
                pass

    def _order(self, until: float) -> lines.Order:
        claimed = self._claimed
        return lines.Order(
            execution_id=claimed.execution_id,
            job=claimed.job_name,
            attempt=claimed.attempt,
            definition=claimed.definition,
            parameters=dict(claimed.parameters),
            nrn=str(claimed.condition.get("nrn") or ""),
            threads=int(claimed.condition.get("numWorker") or 0),
            until=until,
            grants=claimed.grants,
            may_have_published=claimed.may_have_published,
        )

    def _finish(self, end: told.Finish) -> None:
        failure = None if end.failure is None else dict(end.failure)
        report = None if end.report is None else dict(end.report)
        threads = int((report or {}).get("threads") or 0) or None
        outcome = queue.Outcome(end.status, failure=failure, report=report, executor_num=threads)
        if end.report is None and failure is not None:
            self._note(f"{failure['code']}: {failure['message']}")
        cause = str((failure or {}).get("code", ""))
        self._write(
            end.status, lambda con, now: queue.finish(con, self.token, outcome, now=now, told=self._told()), cause=cause
        )

    def _put_back(self, back: told.PutBack) -> None:
        if back.lost:
            self._write(
                "LOST",
                lambda con, now: queue.lose(
                    con, self.token, code=back.cause, message=back.message, now=now, told=self._told()
                ),
                cause=back.cause,
            )
        else:
            self._write(
                "PUT_BACK",
                lambda con, now: queue.put_back(
                    con, self.token, cause=back.message, delay=0.0, now=now, told=self._told()
                ),
                cause=back.message,
            )

    def _write_log(self) -> None:
        try:
            with self._database.transaction() as con:
                queue.note(con, self.token, self._told(), now=self._database.now(con))
        except DatabaseFailed:
            return  # it is written later, with what comes then
        self._unwritten.clear()
        self._script = None
        self._written_at = self._clock.seconds()

    def _note_child(self, con: Connection, now: float) -> None:
        if self._pid and queue.note_child(con, self.token, pid=self._pid, now=now):
            self._pid = 0

    def _told(self) -> Told:
        script = None if self._script is None else (self._script.engine, self._script.text)
        return Told(self._pid, script, "".join(f"{text}\n" for text in self._unwritten))

    def _write(self, outcome: Outcome, do: Callable[[Connection, float], Status | None], *, cause: str) -> None:
        """Write an end, with the rest of the log before it. While the database is away, try as long as the lease is."""
        while True:
            try:
                with self._database.transaction() as con:
                    now = self._database.now(con)
                    status = do(con, now)
            except DatabaseFailed as error:
                if self._clock.seconds() > self._state.lease_ends:
                    log.error("an end is not written", extra={**self.named, "reason": str(error)})
                    return
            else:
                self._over(outcome, status, cause)
                self._ended()
                return
            threading.Event().wait(_AGAIN)

    def _over(self, outcome: Outcome, status: Status | None, cause: str) -> None:
        """Count an end and tell of it. Without a status the lease was lost, and somebody else counts it."""
        if status is None:
            log.warning("a lease was lost", extra=self.named)
            return
        seconds = self._clock.seconds() - self._begun
        self._figures.attempted(outcome, seconds=seconds)
        self._figures.left(status)
        told = {"outcome": outcome, "status": status, "seconds": round(seconds, 3)}
        level = logging.INFO if outcome in ("COMPLETED", "CANCELED") else logging.WARNING
        log.log(level, "an attempt ended", extra={**self.named, **told, **({"cause": cause} if cause else {})})
