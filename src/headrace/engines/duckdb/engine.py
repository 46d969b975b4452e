"""Runs a plan in DuckDB: one connection for one run, fenced to the run's files."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from headrace.engines import encryption
from headrace.engines.base import Gap, Limits, Outcome, Progress
from headrace.engines.dialects import DuckDbDialect
from headrace.engines.duckdb import encrypting, failures, inputs, remote, text
from headrace.engines.duckdb.attempt import Attempt
from headrace.engines.duckdb.sources import Lenient, literal_name
from headrace.engines.duckdb.spare import opened
from headrace.errors import Cancelled
from headrace.plan.ops import Join, Read, ReadTable, Sink, Sql, WriteTable, in_order
from headrace.stores.base import Snapshot, Staged

if TYPE_CHECKING:
    from headrace.engines.duckdb.streams import Streams

_Connection = duckdb.DuckDBPyConnection
_SPILLED = "duckdb_temp*"
_NO_STORE = ("there is no store for it yet", "use object storage in its place")
_NO_KEY = ("it is not among the keys of the settings", "put it into encryption_keys, or name another one")
_PROFILE = '{"OPERATOR_CARDINALITY": "true", "OPERATOR_TYPE": "true", "EXTRA_INFO": "true"}'

WIDE = 500
"""From so many columns on, looking for equal parts among all expressions takes longer than it saves: pairs are many."""

LITTLE = 256 * 1024
"""Bytes of input, unpacked if they are text. To wake a second thread and to wait for it takes 3 ms of CPU time."""


class DuckDbEngine:
    """The embedded engine. One instance runs one plan at a time."""

    name = "duckdb"

    def __init__(
        self,
        limits: Limits,
        *,
        read_back: bool = False,
        instance: Callable[[], _Connection] = opened,
        keys: Mapping[str, bytes] | None = None,
    ) -> None:
        """`instance` gives one that nobody has used, each time that it is asked; `keys` are what to encrypt with."""
        self._limits = limits
        self._keys = keys or {}
        self._encrypts = False
        self._instance = instance
        self._read_back = read_back
        self._spill = Path(limits.temp_directory)
        self._cancelled = threading.Event()
        self._connection: _Connection | None = None
        self._streams: Streams | None = None
        self._at = (0, 1, "")
        self._most = self._at, 0.0
        self._rows: int | None = None
        self._wide = False
        self._threads = limits.threads

    def gaps(self, sinks: Sequence[Sink]) -> tuple[Gap, ...]:
        """Tables of other systems, as long as there are no stores for them, and keys that are not there."""
        tables = [op for op in in_order(sinks) if isinstance(op, ReadTable | WriteTable)]
        keyless = [(name, op) for name, op in encryption.used(sinks).items() if name not in self._keys]
        return (
            *(Gap(op.node_id, op.node, str(op.place), *_NO_STORE) for op in tables),
            *(Gap(op.node_id, op.node, f"the key {name!r}", *_NO_KEY) for name, op in keyless),
        )

    def script(self, sinks: Sequence[Sink]) -> str:
        """The plan as DuckDB text, with places instead of files."""
        return text.shown(sinks)

    def progress(self) -> Progress:
        """How far the run is, and the node at work."""
        at = done, whole, node = self._at
        con = self._connection
        try:
            part = con.query_progress() if con is not None else -1.0
        except duckdb.Error:
            part = -1.0
        # Between a statement's parts the engine knows nothing for a moment; what was done before is done still.
        of, before = self._most
        most = max(part, before if of is at else 0.0)
        self._most = at, most
        return Progress((done + most / 100) / whole, node, self._rows)

    def cancel(self) -> None:
        """Stop the run."""
        self._cancelled.set()
        if (con := self._connection) is not None:
            with suppress(duckdb.ConnectionException):  # closed in between: then nothing runs
                con.interrupt()

    def run(self, sinks: Sequence[Sink], *, sources: Mapping[int, Snapshot], targets: Mapping[int, Staged]) -> Outcome:
        """Read the snapshots, fill the staging folders."""
        reads = {op.node_id: op for op in in_order(sinks) if isinstance(op, Read)}
        self._wide = any(len(op.schema) > WIDE for op in in_order(sinks))
        self._encrypts = bool(encryption.used(sinks))
        sources = inputs.unpacked(reads, sources, self._spill, self._go_on)
        sources = inputs.exact(reads, sources, self._spill, self._go_on)
        reads, sources = inputs.in_utf8(reads, sources, self._spill, self._go_on)
        self._threads = 1 if _is_little(sinks, sources) else self._limits.threads
        sources, self._streams = remote.streamed(reads, sources, self._go_on)
        try:
            try:
                return self._run(sinks, reads, sources, targets)
            except duckdb.Error as error:
                unified = failures.is_line_ends(error) and inputs.with_one_line_end(
                    reads, sources, self._spill, self._go_on
                )
                if not unified:
                    raise
                sources = unified
                _empty(targets)
                return self._run(sinks, reads, sources, targets)
        except duckdb.Error as error:
            if self._streams is not None and self._streams.failure is not None:
                raise self._streams.failure from error
            places = failures.Places({op.node_id: op for op in in_order(sinks)}, sources, targets)
            raise failures.explained(error, places, cancelled=self._cancelled.is_set()) from error

    def _run(
        self,
        sinks: Sequence[Sink],
        reads: Mapping[int, Read],
        sources: Mapping[int, Snapshot],
        targets: Mapping[int, Staged],
    ) -> Outcome:
        lenient = {node_id: Lenient() for node_id in reads}
        whole = False
        while True:
            try:
                with self._opened(sources, targets) as con:
                    attempt = Attempt(con, reads, lenient, sources, targets, self._checkpoint)
                    self._rows = attempt.expected
                    outcome = attempt.do(sinks, read_back=self._read_back, whole=whole)
                if whole or not attempt.cut_short:
                    return outcome
                # Rare, and quick when it is found: the counts have to be over all rows.
                whole = True
                _empty(targets)
            except duckdb.Error as error:
                if self._cancelled.is_set() or (self._streams is not None and self._streams.failure is not None):
                    raise  # not the data's fault, so nothing is to be looked for in it
                if failures.is_bad_value(error):
                    with self._open(sources, {}) as con:
                        raise failures.bad_value(con, error, reads, sources) from error
                if not self._look_again(error, reads, sources, lenient):
                    raise
                _empty(targets)
            finally:
                self._connection = None

    def _look_again(
        self,
        error: Exception,
        reads: Mapping[int, Read],
        sources: Mapping[int, Snapshot],
        lenient: dict[int, Lenient],
    ) -> bool:
        """After a refused text file: whether reading the sources leniently, or with larger records, can do better."""
        found = False
        if failures.is_large_object(error):
            small = [n for n, read in reads.items() if read.format in ("JSON", "NDJSON") and not lenient[n].large]
            for node_id in small:
                lenient[node_id].large = True
            return bool(small)
        if failures.is_misfit(error):
            strict = [n for n, read in reads.items() if read.format in ("JSON", "NDJSON") and not lenient[n].nested]
            for node_id in strict:
                lenient[node_id].nested = True
            return bool(strict)
        if not failures.is_csv(error):
            return False
        for node_id, read in reads.items():
            if read.format == "CSV" and not lenient[node_id].files and not lenient[node_id].large:
                with self._open(sources, {}) as con:
                    lenient[node_id] = failures.inspect(con, read, sources[node_id], error)
                found = found or bool(lenient[node_id].files) or lenient[node_id].large
        return found

    @contextmanager
    def _opened(self, sources: Mapping[int, Snapshot], targets: Mapping[int, Staged]) -> Iterator[_Connection]:
        """A connection that is closed beside what comes next: to free its memory takes as long as a small job.

        Not when something was spilled: its files are the engine's to remove, before anybody removes their folder.
        """
        con = self._open(sources, targets)
        try:
            yield con
        except BaseException:
            con.close()
            raise
        if self._has_spilled():
            con.close()
        else:
            # No daemon: an interpreter that ends in the middle of it would end the process with an abort.
            threading.Thread(target=con.close, name="closing").start()

    def _has_spilled(self) -> bool:
        return any(self._spill.glob(_SPILLED))

    def _open(self, sources: Mapping[int, Snapshot], targets: Mapping[int, Staged]) -> _Connection:
        con = self._instance()
        names = [stored.location for snapshot in sources.values() for stored in snapshot.objects]
        files = [*names, *(plain for name in names if (plain := literal_name(name)) != name)]
        folders = [f"{staged.directory}/" for staged in targets.values()]
        if self._streams is not None:
            con.register_filesystem(self._streams)
        if self._encrypts:
            encrypting.add(con, self._keys)
        remote.prepare(con, [stored for snapshot in sources.values() for stored in snapshot.objects])
        con.execute("SET allowed_paths = $files", {"files": files})
        con.execute("SET allowed_directories = $folders", {"folders": folders})
        statements = (
            f"SET threads = {self._threads}",
            *_limited(self._limits),
            "SET TimeZone = 'UTC'",
            "SET default_null_order = 'nulls_first_on_asc_last_on_desc'",
            "SET ieee_floating_point_ops = false",
            "SET enable_progress_bar = true",  # else it knows of no progress; nothing is drawn
            "SET enable_progress_bar_print = false",
            "SET progress_bar_time = 0",
            "SET enable_profiling = 'no_output'",
            "SET profiling_coverage = 'ALL'",
            f"SET custom_profiling_settings = '{_PROFILE}'",
            *(("SET disabled_optimizers = 'common_subexpressions'",) if self._wide else ()),
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        )
        con.execute("; ".join(statements))
        self._connection = con
        return con

    def _checkpoint(self, done: int, whole: int, node: str) -> None:
        """Between two statements: where the run is, and whether it may go on."""
        self._at = (done, whole, node)
        self._go_on()

    def _go_on(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled("the run was stopped")


def _is_little(sinks: Sequence[Sink], sources: Mapping[int, Snapshot]) -> bool:
    """Whether all that passes through the plan is so little that a second thread costs more than it does."""
    if any(isinstance(op, Join | Sql) for op in in_order(sinks)):
        return False  # few rows become many there
    return sum(stored.size for snapshot in sources.values() for stored in snapshot.objects) <= LITTLE


def _limited(limits: Limits) -> Iterator[str]:
    for name, value in (
        ("memory_limit", limits.memory),
        ("temp_directory", limits.temp_directory),
        ("max_temp_directory_size", limits.temp_size),
    ):
        yield f"SET {name} = {DuckDbDialect().text(value)}"


def _empty(targets: Mapping[int, Staged]) -> None:
    """Remove what a given-up attempt wrote: the next one may write fewer files."""
    for staged in targets.values():
        for file in Path(staged.directory).iterdir():
            file.unlink()
