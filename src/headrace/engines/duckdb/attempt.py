"""One attempt at a plan: the statements, one after another, and what they counted."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from headrace.engines import recode
from headrace.engines.base import Outcome, ReadResult, Step, WriteResult
from headrace.engines.duckdb import text
from headrace.engines.duckdb.expected import expected_rows, together
from headrace.engines.duckdb.sources import Lenient, Source, is_cut_short, scanned_rows, source
from headrace.engines.packing import Packing
from headrace.engines.raw import Raw
from headrace.engines.sql import Counted
from headrace.errors import BadData, EngineFailed
from headrace.plan.ops import Collect, Read, Sink, Write
from headrace.stores.base import Snapshot, Staged


class Attempt:
    """One attempt at a plan, on an open connection. `checkpoint` is called before each statement and may raise."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        reads: Mapping[int, Read],
        lenient: Mapping[int, Lenient],
        sources: Mapping[int, Snapshot],
        targets: Mapping[int, Staged],
        checkpoint: Callable[[int, int, str], None],
    ) -> None:
        self.checkpoint = checkpoint
        self.con = con
        self.targets = targets
        self.lenient = lenient
        self.sources = {n: source(con, read, sources[n], lenient[n]) for n, read in reads.items()}
        self.expected = together(expected_rows(sources[n], s.known_rows) for n, s in self.sources.items())
        self.rows = dict.fromkeys(reads, 0)
        self.cut_short = False
        """Whether the engine left rows unread that can't change the result: then the counts are too low."""

    def do(self, sinks: Sequence[Sink], *, read_back: bool, whole: bool) -> Outcome:
        """Run every statement, then take the counts. `whole` reads all rows, whether they change the result or not."""
        script = text.generated(sinks, raw=self._raw, write=self._write, whole=whole)
        for statement in text.prologue(script):
            self.con.execute(statement)
        results = self._steps(script.steps)
        counts = bool(script.counters) or any(s.known_rows is None for s in self.sources.values())
        self.cut_short = self.cut_short and counts
        for write in (s for s in sinks if isinstance(s, Write)):
            if write.format == "PARQUET" or read_back:
                self._count_again(write, int(results[write.node_id][0][0]))
            if write.dialect.encoding != "UTF-8":
                self._recode(write)
        return Outcome(
            reads={n: self._read_result(n, s) for n, s in self.sources.items()},
            writes={s.node_id: WriteResult(int(results[s.node_id][0][0])) for s in sinks if isinstance(s, Write)},
            collected={s.node_id: tuple(map(tuple, results[s.node_id])) for s in sinks if isinstance(s, Collect)},
            bad_values=self._bad_values(script.counters),
        )

    def _steps(self, steps: Sequence[Step]) -> dict[int, list[Any]]:
        results: dict[int, list[Any]] = {}
        heavy = [step for step in steps if not step.statement.startswith("CREATE TEMP VIEW")]
        done = 0
        for step in steps:
            self.checkpoint(done, len(heavy), step.node)
            rows = self.con.execute(step.statement).fetchall()
            if step in heavy:
                done += 1
                self._take_rows()
                results[step.node_id] = rows
        return results

    def _take_rows(self) -> None:
        profile = self.con.get_profiling_information("json")
        self.cut_short = self.cut_short or is_cut_short(profile)
        for node_id, s in self.sources.items():
            if s.known_rows is None:
                self.rows[node_id] = max(self.rows[node_id], scanned_rows(profile, s.first_files))

    def _read_result(self, node_id: int, s: Source) -> ReadResult:
        rows = self.rows[node_id] if s.known_rows is None else s.known_rows
        ragged = self.lenient[node_id]
        return ReadResult(rows, ragged.short_rows, ragged.long_rows)

    def _bad_values(self, counters: Sequence[Counted]) -> dict[int, dict[str, int]]:
        counts: dict[int, dict[str, int]] = {}
        for counter in counters:
            # One more than was counted before: asking takes a number too.
            (asked,) = self.con.execute(f"SELECT nextval('{counter.name}')").fetchall()[0]
            of_node = counts.setdefault(counter.node_id, {})
            of_node[counter.column] = of_node.get(counter.column, 0) + int(asked) - 1
        return counts

    def _count_again(self, write: Write, written: int) -> None:
        """Parquet tells its rows in its footer; other formats are read whole. Neither trusts the writer's count."""
        found = self._count(write)
        if found != written and write.format != "PARQUET":
            # A record that is larger than the reader expects fails it, or is left out at the end of a file.
            found = self._count(write, large=True)
        if found != written:
            told = f"{written:,} rows were written, but the file holds {found:,}"
            raise EngineFailed(told, hint="is the disk sound?", node_id=write.node_id, node=write.node)

    def _count(self, write: Write, *, large: bool = False) -> int | None:
        """The rows of what was written; None when it does not read."""
        try:
            counted = self.con.execute(text.count_written(write, self._file(write), large=large)).fetchall()
        except duckdb.InterruptException:
            raise
        except (duckdb.InvalidInputException, duckdb.NotImplementedException):
            if large or write.format == "PARQUET":
                raise
            return None
        return int(counted[0][0])

    def _recode(self, write: Write) -> None:
        file = Path(self._file(write))
        packing = Packing(write.dialect.compression)
        go_on = partial(self.checkpoint, 1, 1, write.node)
        try:
            recode.from_utf8(file, file.with_name(text.final_name(write)), write.dialect.encoding, packing, go_on)
        except BadData as error:
            error.node_id, error.node = write.node_id, write.node
            raise

    def _raw(self, read: Read) -> Raw:
        return self.sources[read.node_id].raw

    def _write(self, write: Write, select: str) -> str:
        return text.copy(write, select, self._file(write))

    def _file(self, write: Write) -> str:
        return str(Path(self.targets[write.node_id].directory) / text.file_name(write))
