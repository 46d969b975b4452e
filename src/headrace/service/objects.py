"""Writes what executions leave in object storage: the log while a run goes on, all of it when the run has ended.

What is written is read from our tables, so any server can do it, and doing it again does no harm. What can't be
written is told in the execution's log and warnings; it changes no end.
"""

import logging
import threading
from contextlib import AbstractContextManager

from headrace.clock import Clock
from headrace.core import objects
from headrace.core.objects import KINDS, Kind, Paper, Papers
from headrace.core.outbox import Event
from headrace.db import Database
from headrace.errors import DatabaseFailed, HeadraceError, RunFailed, SettingInvalid, StoreDenied, StoreMissing
from headrace.execution import queue
from headrace.execution.places import Stores
from headrace.service.hearing import Hearing
from headrace.settings import Settings

log = logging.getLogger(__name__)

_EVERY = 3.0
_OTHERS = 10.0  # so much longer than it took to copy all logs it waits before it does so again
_LOCKS = 64
_QUIET_TRIES = 3
_LONGEST = 24 * 3600.0
_GIVEN_UP = -1
_FOR_GOOD = (StoreMissing, StoreDenied, SettingInvalid)


class _Unwritten(Exception):
    """A paper could not be written."""

    def __init__(self, paper: Paper, error: HeadraceError) -> None:
        super().__init__(str(error))
        self.paper = paper
        self.error = error


class Objects:
    """Writes for the executions of all, and follows those of this server's worker."""

    def __init__(self, database: Database, settings: Settings, *, clock: Clock, worker: str) -> None:
        self._database = database
        self._clock = clock
        self._worker = worker
        self._stores = Stores(settings, brief=True)
        self._hearing = Hearing(clock)
        # Two threads of one server never write the same object.
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))
        self._copied: dict[str, int] = {}
        self._waited = 0.0  # in vain, during one look at all logs
        self._stopping = threading.Event()
        self._follows = threading.Thread(target=self._follow_on, name="logs", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._follows.start()

    def stop(self) -> None:
        """Follow no more; what is under way may go on a moment longer."""
        self._stopping.set()

    def end(self, event: Event) -> None:
        """Write all that an execution left. Raises what may be otherwise next time."""
        execution_id, later = str(event.payload["executionId"]), None
        with self._alone(execution_id):
            papers = self._read(execution_id)
            for kind in KINDS:
                try:
                    self._write(papers, kind)
                except _Unwritten as failed:
                    for_good = self._is_for_good(failed.error, event)
                    if for_good or event.tries >= _QUIET_TRIES:
                        self._warn(execution_id, failed, again=not for_good)
                        papers = self._read(execution_id)  # what went wrong with one stands in the next
                    if not for_good:
                        later = failed.error
        if later is not None:
            raise later

    def _is_for_good(self, error: HeadraceError, event: Event) -> bool:
        return isinstance(error, _FOR_GOOD) or self._clock.now().timestamp() - event.at > _LONGEST

    def _read(self, execution_id: str) -> Papers | None:
        with self._database.reading() as con:
            return objects.read(con, execution_id)

    def _write(self, papers: Papers | None, kind: Kind) -> None:
        """Write one of the papers, if there is one of this kind. Raises _Unwritten."""
        paper = papers.paper(kind) if papers else None
        if papers and paper:
            try:
                self._put(papers, paper)
            except (RunFailed, SettingInvalid) as error:
                raise _Unwritten(paper, error) from error

    def _put(self, papers: Papers, paper: Paper) -> None:
        region = ""
        if self._stores.know_regions:
            with self._database.reading() as con:
                region = objects.regions(con, papers.execution_id).get(paper.bucket, "")
        store = self._stores.of(paper.bucket, region=region, nrn=papers.nrn)
        with self._hearing.of(store):
            try:
                store.write(paper.bucket, paper.key, paper.data)
            except StoreMissing:
                if paper.bucket != papers.own_bucket:
                    raise
                store.make(paper.bucket)
                store.write(paper.bucket, paper.key, paper.data)

    def _warn(self, execution_id: str, failed: _Unwritten, *, again: bool) -> None:
        where = f"not yet at {failed.paper.place}, and is tried again" if again else f"not at {failed.paper.place}"
        with self._database.transaction() as con:
            text = f"the {failed.paper.kind} is {where}: {failed.error}"
            queue.warn(con, execution_id, text, now=self._database.now(con))

    def _follow_on(self) -> None:
        pause = _EVERY
        while not self._stopping.wait(pause):
            began, self._waited = self._clock.seconds(), 0.0
            try:
                self.follow()
            except DatabaseFailed as error:
                log.warning("%s", error)
            except Exception:
                log.exception("a fault of ours")
            pause = max(_EVERY, _OTHERS * (self._clock.seconds() - began - self._waited))

    def follow(self) -> None:
        """Copy the logs that have grown."""
        with self._database.reading() as con:
            found = objects.running(con, self._worker)
        self._copied = {execution_id: last for execution_id, last in self._copied.items() if execution_id in found}
        for execution_id, last in found.items():
            if last and self._copied.get(execution_id) not in (last, _GIVEN_UP) and not self._stopping.is_set():
                with self._alone(execution_id):
                    self._copied[execution_id] = last if self._copy(execution_id) else _GIVEN_UP

    def _copy(self, execution_id: str) -> bool:
        """Write script and log as they are now; whether it is worth to do so again."""
        papers = self._read(execution_id)
        if papers is None or papers.ended:
            return True
        began = self._clock.seconds()
        try:
            self._write(papers, "script")
            self._write(papers, "console log")
            # The run may have ended meanwhile, and another server may have written the whole log before this one.
            again = self._read(execution_id)
            if again and again.ended:
                self._write(again, "console log")
        except _Unwritten as failed:
            self._waited += self._clock.seconds() - began
            if isinstance(failed.error, _FOR_GOOD):
                self._warn(execution_id, failed, again=False)
                return False
        return True

    def _alone(self, execution_id: str) -> AbstractContextManager[bool]:
        return self._locks[hash(execution_id) % _LOCKS]
