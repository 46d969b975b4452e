"""Text files made ready for the engine's reader: unpacked, as UTF-8, and with line ends of one kind if it stumbled."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from headrace.engines import exact as numbers
from headrace.engines import heads, packing, recode
from headrace.engines.packing import GoOn, Packing
from headrace.errors import RunFailed
from headrace.plan.ops import Read
from headrace.stores.base import Snapshot, StoredObject

Reads = dict[int, Read]
Sources = dict[int, Snapshot]


def unpacked(reads: Mapping[int, Read], sources: Mapping[int, Snapshot], folder: Path, go_on: GoOn) -> Sources:
    """The sources, compressed text by copies in the folder."""
    made = dict(sources)
    for node_id, read in reads.items():
        if read.format == "PARQUET":
            continue
        with told_of(read):
            found = sources[node_id].objects
            made[node_id] = Snapshot(read.place, tuple(_unpacked(read, stored, folder, go_on) for stored in found))
    return made


def _unpacked(read: Read, stored: StoredObject, folder: Path, go_on: GoOn) -> StoredObject:
    how = packing.packing(stored, read.dialect.compression)
    if how is Packing.NONE or not stored.size:
        return stored
    with heads.opened(stored) as file:
        return packing.unpacked(stored, file, how, folder, go_on)


@contextmanager
def told_of(read: Read) -> Iterator[None]:
    """Failures are told with the node of this read."""
    try:
        yield
    except RunFailed as error:
        error.node_id, error.node = read.node_id, read.node
        raise


def in_utf8(reads: Reads, sources: Mapping[int, Snapshot], folder: Path, go_on: GoOn) -> tuple[Reads, Sources]:
    """Reads and sources, those in another encoding over copies in the folder."""
    plain, made = dict(reads), dict(sources)
    for node_id, read in reads.items():
        if read.format != "CSV" or read.dialect.encoding == "UTF-8":
            continue
        objects = []
        for stored in sources[node_id].objects:
            with told_of(read), heads.opened(stored) as file:
                objects.append(recode.as_utf8(stored, file, read.dialect.encoding, folder, go_on))
        made[node_id] = Snapshot(read.place, tuple(objects))
        plain[node_id] = replace(read, dialect=replace(read.dialect, encoding="UTF-8"))
    return plain, made


def exact(reads: Mapping[int, Read], sources: Mapping[int, Snapshot], folder: Path, go_on: GoOn) -> Sources:
    """The sources, JSON whose long numbers would lose digits by copies in the folder."""
    made = dict(sources)
    for node_id, read in reads.items():
        if numbers.needed(read):
            with told_of(read):
                objects = (_exact(stored, folder, go_on) for stored in sources[node_id].objects)
                made[node_id] = Snapshot(read.place, tuple(objects))
    return made


def _exact(stored: StoredObject, folder: Path, go_on: GoOn) -> StoredObject:
    with heads.opened(stored) as file:
        if not numbers.has_long_numbers(file, go_on):
            return stored
    with heads.opened(stored) as file:
        return numbers.with_long_numbers_as_texts(stored, file, folder, go_on)


def with_one_line_end(
    reads: Mapping[int, Read], sources: Mapping[int, Snapshot], folder: Path, go_on: GoOn
) -> Sources | None:
    """The sources, CSV files with mixed line ends by copies in the folder. None when there is no such file."""
    made = dict(sources)
    for node_id, read in reads.items():
        if read.format == "CSV":
            objects = (_with_one_line_end(read, stored, folder, go_on) for stored in sources[node_id].objects)
            made[node_id] = Snapshot(read.place, tuple(objects))
    return made if made != dict(sources) else None


def _with_one_line_end(read: Read, stored: StoredObject, folder: Path, go_on: GoOn) -> StoredObject:
    with heads.opened(stored) as file:
        if not recode.has_mixed_line_ends(file, read.dialect.quote, go_on):
            return stored
    with heads.opened(stored) as file:
        return recode.with_one_line_end(stored, file, read.dialect.quote, folder, go_on)
