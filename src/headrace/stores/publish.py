"""Publishing: new data takes the place of old data whole or not at all, and readers see one generation at any moment.

Engines write into staging folders, `<prefix>/_headrace/<run>-<attempt>/`. A commit record then says what is added and
what is removed: from the moment that it lies there the publication is done, and what follows only tidies up, in steps
that can each be done again. Whoever publishes or mends the place next finishes what was cut short: forward when the
record is there, back when it is not. Readers take no lock: they look at the record and see through the tidying.

Some stores bring a large file to its final name without a copy. That is done before the commit, so that nothing can
keep a committed file from coming. What is on its way is announced first, in the place of the record: readers do not
look at such names, and who rolls back takes them away.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

from headrace.errors import SourceChanged, StoreDenied, StoreError, StoreMissing
from headrace.plan.ops import Place, WriteMode
from headrace.stores.base import Early, Snapshot, Staged, Store, StoredObject, go_on_always
from headrace.stores.names import OURS, check_key, clean_prefix, file_name, file_number, join, record_key, within
from headrace.stores.records import Added, Announcement, Record, check_run, dump, load
from headrace.stores.views import view


@dataclass(frozen=True, slots=True)
class Published:
    """What became of one target. `skipped` is set when there was data to IGNORE for, or this run had published before.

    `files` are those of this run, `removed` counts the old ones that went.
    """

    place: Place
    mode: WriteMode
    files: tuple[StoredObject, ...]
    removed: int
    skipped: bool


@dataclass(frozen=True, slots=True)
class Recovered:
    """Which folders of a place held a publication that was cut short, and which way it was rolled."""

    place: Place
    forward: tuple[str, ...]
    back: tuple[str, ...]


def snapshot(store: Store, place: Place, *, or_nothing: bool = False) -> Snapshot:
    """The objects of exactly one generation of a place; StoreMissing when there are none, unless that is no fault."""
    objects = view(store, place).objects
    if not objects and not or_nothing:
        hint = "a prefix is one object's exact name, or a folder; names that begin with '_' or '.' are not data"
        raise StoreMissing(f"bucket '{place.bucket}' has no data under prefix '{place.prefix}'", hint=hint)
    return Snapshot(place, objects)


def unchanged(store: Store, snapshot: Snapshot) -> None:
    """Raise SourceChanged unless every object of the snapshot is still data and still the same one."""
    now = {found.key: found for found in view(store, snapshot.place).objects}
    for then in snapshot.objects:
        found = now.get(then.key)
        if found is None or (found.size, found.etag) != (then.size, then.etag):
            what = "is gone" if found is None else "has changed"
            hint = "run again when nobody writes there"
            raise SourceChanged(f"'{then.bucket}/{then.key}' {what} since the run listed it", hint=hint)


def published(store: Store, place: Place, mode: WriteMode, *, run: str) -> Published | None:
    """What earlier attempts of a run have made of a target, as readers see it; None when there is still all to do."""
    seen = view(store, place).objects
    ours = _of_run(seen, clean_prefix(place), run)
    skipped = bool(ours) or (mode == "IGNORE" and bool(seen))
    return Published(place, mode, ours, removed=0, skipped=True) if skipped else None


def recover(store: Store, place: Place) -> Recovered:
    """Finish what was cut short at a place and below it; StoreBusy when a live run writes there."""
    folder = clean_prefix(place)
    with store.claim([(place.bucket, folder)], run="recover", wait=0):
        return _recover(store, place, folder)


@contextmanager
def publication(
    store: Store, writes: Sequence[tuple[Place, WriteMode]], *, run: str, attempt: int, wait: float
) -> Iterator["Publication"]:
    """Be the only writer of all these places. Without a commit inside, the context leaves them as they were."""
    check_run(run)
    targets = tuple(_target(place, mode, staging=f"{run}-{attempt}") for place, mode in writes)
    _refuse_overlap(targets)
    with store.claim([(each.place.bucket, each.folder) for each in targets], run=run, wait=wait):
        for target in targets:
            _recover(store, target.place, target.folder)
            _refuse_object(store, target)
        begun = Publication(store, targets, run=run, attempt=attempt)
        try:
            yield begun
        except BaseException as error:
            if not begun.done:
                _leave(store, targets, error)
            raise
        if not begun.done:
            _leave(store, targets, None)


@dataclass(frozen=True, slots=True)
class _Target:
    place: Place
    mode: WriteMode
    folder: str
    staging: str

    @property
    def staging_folder(self) -> str:
        return join(self.folder, f"{OURS}/{self.staging}")


class Publication:
    """The staging and the commit of all targets of one run; made by `publication`, which holds their claims."""

    def __init__(self, store: Store, targets: tuple[_Target, ...], *, run: str, attempt: int) -> None:
        self._store = store
        self._targets = targets
        self._run = run
        self._attempt = attempt
        # What came later is not ours to remove, so this is the moment that counts.
        views = [view(store, each.place) for each in targets]
        self._old = [_relative(seen.objects, target.folder) for seen, target in zip(views, targets, strict=True)]
        self._first = [_first_number(seen.taken, each.folder, run) for seen, each in zip(views, targets, strict=True)]
        self._staged: dict[int, Staged] = {}
        self._announced: set[int] = set()
        self._asked = False
        self._flushed = False
        self.done = False

    def stage(self, index: int) -> Staged:
        """The folder for the files of target `index`, made when it is first asked for."""
        if index not in self._staged:
            target = self._targets[index]
            early = Early(partial(self._announce, index), partial(self._key, index))
            directory = self._store.stage(target.place.bucket, target.staging_folder, early)
            self._staged[index] = Staged(directory, target.place, self._run)
        return self._staged[index]

    def _announce(self, index: int) -> None:
        """Tell readers, and whoever comes after us, which names do not count yet."""
        if index not in self._announced:
            target, told = self._targets[index], Announcement(self._run, self._first[index])
            self._store.write(target.place.bucket, record_key(target.folder), dump(told))
            self._announced.add(index)

    def _key(self, index: int, number: int, staged: str) -> str:
        """The final name of a file."""
        name = file_name(self._first[index] + number, self._run, staged)
        return join(self._targets[index].folder, name)

    def flush(self, go_on: Callable[[], None] = go_on_always) -> None:
        """Make lasting what was staged, which may take long: `go_on` is called meanwhile and may raise."""
        for target in () if self._flushed else self._targets:
            self._store.flush(target.place.bucket, target.staging_folder, go_on)
        self._flushed = True

    def commit(self) -> tuple[Published, ...]:
        """Publish all targets. When this returns, the new data is there and will last."""
        if self._asked or len(self._staged) < len(self._targets):
            raise ValueError("a publication is committed once, after every target was staged")
        self._asked = True
        self.flush()
        steps = [self._decide(index) for index in range(len(self._targets))]
        for target, step in zip(self._targets, steps, strict=True):
            if isinstance(step, Record):
                self._store.write(target.place.bucket, record_key(target.folder), dump(step))
        done = tuple(self._finish(target, step) for target, step in zip(self._targets, steps, strict=True))
        self.done = True
        return done

    def _decide(self, index: int) -> Record | Published:
        """What to publish to a target, or why nothing is. What is published comes to its place as far as it can."""
        target = self._targets[index]
        before = published(self._store, target.place, target.mode, run=self._run)
        return before or Record(
            run=self._run,
            attempt=self._attempt,
            mode=target.mode,
            staging=target.staging,
            add=self._added(index),
            remove=self._old[index] if target.mode in ("OVERWRITE", "MERGE") else (),
        )

    def _added(self, index: int) -> tuple[Added, ...]:
        target = self._targets[index]
        bucket, at = target.place.bucket, len(target.folder) + 1
        arrived = self._store.arrive(bucket, target.staging_folder)
        staged = self._store.listing(bucket, target.staging_folder).objects
        names = _relative(staged, target.staging_folder)
        # No number twice, whatever follows it.
        used = {file_number(each.key, target.folder, self._run) for each in arrived}
        free = (number for number in count() if self._first[index] + number not in used)
        keys = [self._key(index, next(free), name) for name in names]
        for key in keys:
            # After the commit it would be too late to find that a name can't be given.
            check_key(key)
        there = [Added(each.key[at:], each.size, None) for each in arrived]
        come = [Added(key[at:], each.size, name) for key, each, name in zip(keys, staged, names, strict=True)]
        return (*there, *come)

    def _finish(self, target: _Target, step: Record | Published) -> Published:
        bucket = target.place.bucket
        if isinstance(step, Published):
            _recover_one(self._store, bucket, target.folder)
            return step
        _roll_forward(self._store, bucket, target.folder, step)
        names = [join(target.folder, each.name) for each in step.add]
        files = tuple(found for name in names for found in self._store.listing(bucket, name).objects)
        return Published(target.place, target.mode, files, removed=len(step.remove), skipped=False)


def _target(place: Place, mode: WriteMode, *, staging: str) -> _Target:
    folder = clean_prefix(place)
    if not folder:
        hint = "name a prefix: a whole bucket can be read, but not be a target"
        raise StoreDenied(f"a target must not be the whole bucket '{place.bucket}'", hint=hint)
    return _Target(place, mode, folder, staging)


def _refuse_overlap(targets: Sequence[_Target]) -> None:
    for index, one in enumerate(targets):
        for other in targets[:index]:
            contained = within(one.folder, other.folder) or within(other.folder, one.folder)
            if one.place.bucket == other.place.bucket and contained:
                raise ValueError(f"targets '{other.place}' and '{one.place}' overlap")


def _refuse_object(store: Store, target: _Target) -> None:
    if any(found.key == target.folder for found in store.listing(target.place.bucket, target.folder).objects):
        hint = f"read it as '{target.folder}', and write to another prefix"
        raise StoreDenied(f"target '{target.place}' is a folder, but an object has this very name", hint=hint)


def _leave(store: Store, targets: Sequence[_Target], error: BaseException | None) -> None:
    """Leave what was not committed as it was. An error on the way may have come after the commit of some targets."""
    for target in targets:
        try:
            done = _recover(store, target.place, target.folder)
        except StoreError as trouble:
            if error is None:
                raise
            error.add_note(f"'{target.place}' is left for the next run to tidy up: {trouble}")
        else:
            if error is not None and done.forward:
                error.add_note(f"'{target.place}' had been published by then")


def _recover(store: Store, place: Place, folder: str) -> Recovered:
    """Under the claim: nobody else lives at the place or below it, so all that is staged there is the dead's."""
    forward: list[str] = []
    back: list[str] = []
    for each in store.listing(place.bucket, folder).ours:
        (forward if _recover_one(store, place.bucket, each) else back).append(each)
    return Recovered(place, tuple(forward), tuple(back))


def _recover_one(store: Store, bucket: str, folder: str) -> bool:
    """Finish what was cut short at one folder. Gives whether that was forward."""
    key = record_key(folder)
    data = store.read(bucket, key)
    record = None if data is None else load(data, where=f"'{bucket}/{key}'")
    if isinstance(record, Record):
        _roll_forward(store, bucket, folder, record)
        return True
    if record is not None:
        _take_back(store, bucket, folder, record)
    store.discard(bucket, join(folder, OURS))
    return False


def _take_back(store: Store, bucket: str, folder: str, announced: Announcement) -> None:
    """Let nothing that was announced be there or come any more; then readers need not be told of it."""
    store.abandon(bucket, folder, lambda key: file_number(key, folder, announced.run) is not None)
    for _ in range(2):  # the last request of a dead run may be carried out just now
        come = [each.key for each in store.listing(bucket, folder).objects if announced.names(each.key, folder)]
        store.remove(bucket, come, within=folder)
    store.remove(bucket, [record_key(folder)], within=join(folder, OURS))


def _roll_forward(store: Store, bucket: str, folder: str, record: Record) -> None:
    """Do what the record says; any part of it may have been done before. The new files come before the old ones go.

    A new file that is neither staged nor in its place was taken away by somebody after the commit, as any data can be.
    """
    ours = join(folder, OURS)
    staging = join(ours, record.staging)
    if any(each.staged is None for each in record.add):
        # A request whose answer was lost may have begun one more.
        store.abandon(bucket, folder, lambda key: file_number(key, folder, record.run) is not None)
    moves = [(join(staging, each.staged), join(folder, each.name)) for each in record.add if each.staged is not None]
    store.move(bucket, moves)
    store.remove(bucket, [join(folder, key) for key in record.remove], within=folder)
    store.remove(bucket, [record_key(folder)], within=ours)
    store.discard(bucket, ours)


def _relative(objects: Sequence[StoredObject], folder: str) -> tuple[str, ...]:
    return tuple(found.key[len(folder) + 1 :] for found in objects)


def _of_run(objects: Sequence[StoredObject], folder: str, run: str) -> tuple[StoredObject, ...]:
    return tuple(found for found in objects if file_number(found.key, folder, run) is not None)


def _first_number(taken: frozenset[str], folder: str, run: str) -> int:
    """The first free number. A record above may still be about to remove a name that this run used before."""
    numbers = (file_number(key, folder, run) for key in taken)
    return max((number + 1 for number in numbers if number is not None), default=0)
