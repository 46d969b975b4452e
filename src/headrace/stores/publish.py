"""Publishing: new data takes the place of old data whole or not at all, and readers see one generation at any moment.

Engines write into staging folders, `<prefix>/_headrace/<run>-<attempt>/`. A commit record then says what is added and
what is removed: from the moment that it lies there the publication is done, and what follows only tidies up, in steps
that can each be done again. Whoever publishes or mends the place next finishes what was cut short: forward when the
record is there, back when it is not. Readers take no lock: they look at the record and see through the tidying.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from headrace.errors import SourceChanged, StoreDenied, StoreError, StoreMissing
from headrace.plan.ops import Place, WriteMode
from headrace.stores.base import Listing, Snapshot, Staged, Store, StoredObject, go_on_always
from headrace.stores.names import OURS, ancestors, check_key, clean_prefix, join, record_key, within
from headrace.stores.records import Added, Record, dump, load

_LISTINGS = 25
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


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
    objects = _view(store, place).objects
    if not objects and not or_nothing:
        hint = "a prefix is one object's exact name, or a folder; names that begin with '_' or '.' are not data"
        raise StoreMissing(f"bucket '{place.bucket}' has no data under prefix '{place.prefix}'", hint=hint)
    return Snapshot(place, objects)


def unchanged(store: Store, snapshot: Snapshot) -> None:
    """Raise SourceChanged unless every object of the snapshot is still data and still the same one."""
    now = {found.key: found for found in _view(store, snapshot.place).objects}
    for then in snapshot.objects:
        found = now.get(then.key)
        if found is None or (found.size, found.etag) != (then.size, then.etag):
            what = "is gone" if found is None else "has changed"
            hint = "run again when nobody writes there"
            raise SourceChanged(f"'{then.bucket}/{then.key}' {what} since the run listed it", hint=hint)


def published(store: Store, place: Place, mode: WriteMode, *, run: str) -> Published | None:
    """What earlier attempts of a run have made of a target, as readers see it; None when there is still all to do."""
    return _published(_view(store, place), place, mode, run=run)


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
    if not _RUN.fullmatch(run):
        raise ValueError(f"run {run!r} can't be part of a file name")
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
        self._old = [_relative(_view(store, each.place).objects, each.folder) for each in targets]
        self._staged: dict[int, Staged] = {}
        self._asked = False
        self._flushed = False
        self.done = False

    def stage(self, index: int) -> Staged:
        """The folder for the files of target `index`, made when it is first asked for."""
        if index not in self._staged:
            target = self._targets[index]
            directory = self._store.stage(target.place.bucket, target.staging_folder)
            self._staged[index] = Staged(directory, target.place, self._run)
        return self._staged[index]

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
        steps = [self._decide(target, old) for target, old in zip(self._targets, self._old, strict=True)]
        for target, step in zip(self._targets, steps, strict=True):
            if isinstance(step, Record):
                self._store.write(target.place.bucket, record_key(target.folder), dump(step))
        published = tuple(self._finish(target, step) for target, step in zip(self._targets, steps, strict=True))
        self.done = True
        return published

    def _decide(self, target: _Target, old: tuple[str, ...]) -> Record | Published:
        """What to publish to a target, or why nothing is."""
        view = _view(self._store, target.place)
        before = _published(view, target.place, target.mode, run=self._run)
        return before or Record(
            run=self._run,
            attempt=self._attempt,
            mode=target.mode,
            staging=target.staging,
            add=self._added(target, first=_first_number(view.taken, target.folder, self._run)),
            remove=old if target.mode in ("OVERWRITE", "MERGE") else (),
        )

    def _added(self, target: _Target, *, first: int) -> tuple[Added, ...]:
        staged = self._store.listing(target.place.bucket, target.staging_folder).objects
        names = _relative(staged, target.staging_folder)
        finals = [_final_name(number, self._run, name) for number, name in enumerate(names, start=first)]
        for final in finals:
            # After the commit it would be too late to find that a name can't be given.
            check_key(join(target.folder, final))
        return tuple(Added(final, each.size, name) for final, each, name in zip(finals, staged, names, strict=True))

    def _finish(self, target: _Target, step: Record | Published) -> Published:
        bucket = target.place.bucket
        if isinstance(step, Published):
            self._store.discard(bucket, join(target.folder, OURS))
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
    forward, back = [], []
    for each in store.listing(place.bucket, folder).ours:
        data = store.read(place.bucket, record_key(each))
        if data is None:
            store.discard(place.bucket, join(each, OURS))
            back.append(each)
        else:
            _roll_forward(store, place.bucket, each, load(data, where=f"'{place.bucket}/{record_key(each)}'"))
            forward.append(each)
    return Recovered(place, tuple(forward), tuple(back))


def _roll_forward(store: Store, bucket: str, folder: str, record: Record) -> None:
    """Do what the record says; any part of it may have been done before. The new files come before the old ones go.

    A new file that is neither staged nor in its place was taken away by somebody after the commit, as any data can be.
    """
    ours = join(folder, OURS)
    staging = join(ours, record.staging)
    store.move(bucket, [(join(staging, each.staged), join(folder, each.name)) for each in record.add])
    store.remove(bucket, [join(folder, key) for key in record.remove], within=folder)
    store.remove(bucket, [record_key(folder)], within=ours)
    store.discard(bucket, ours)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A commit record that was found, and what lies in its staging folder."""

    folder: str
    record: Record
    staged: dict[str, StoredObject]


@dataclass(frozen=True, slots=True)
class _View:
    """One generation of a place, and all keys that a new file must not have."""

    objects: tuple[StoredObject, ...]
    taken: frozenset[str]


def _view(store: Store, place: Place) -> _View:
    """What readers see.

    A listing is not of one moment: names come and go while it is made. So the records are read between two listings,
    and the first is taken only when the second is equal. That is enough: new files have names that were never there,
    so a name in both listings with one etag was there all the time between, and the mark tells of names that came and
    went. The data then stood still while the records were read. Where there was no record, the data is a generation by
    itself. Where there was one, it tells of each name whether the generation has it, whether that name was already
    moved (then it is listed) or not (then it was staged still, since it was not in its place afterwards). Each target
    has one record, and each is read at one moment, so it does not matter that several are read one after another.
    """
    folder = clean_prefix(place)
    listing = store.listing(place.bucket, folder)
    for _ in range(_LISTINGS):
        # Records of folders above count as well: their publication may have taken away what is listed here.
        pending = _pending(store, place.bucket, (*ancestors(folder), *listing.ours))
        again = store.listing(place.bucket, folder)
        view = _resolve(place, listing, pending) if again == listing else None
        if view is not None:
            return view
        listing = again
    hint = "run again when nobody writes there; if nobody does, a new file of a cut short publication was taken away"
    raise SourceChanged(f"'{place}' did not stand still while it was listed", hint=hint)


def _pending(store: Store, bucket: str, folders: Sequence[str]) -> list[_Pending]:
    found = []
    for folder in folders:
        data = store.read(bucket, record_key(folder))
        if data is not None:
            record = load(data, where=f"'{bucket}/{record_key(folder)}'")
            staged = store.listing(bucket, join(folder, f"{OURS}/{record.staging}")).objects
            found.append(_Pending(folder, record, {each.key: each for each in staged}))
    return found


def _resolve(place: Place, listing: Listing, pending: Sequence[_Pending]) -> _View | None:
    """The generation that listing and records tell of; None when a file of it is nowhere."""
    folder = clean_prefix(place)
    listed = {found.key: found for found in listing.objects}
    removed = {join(each.folder, key) for each in pending for key in each.record.remove}
    seen = {key: found for key, found in listed.items() if key not in removed}
    for each in pending:
        for new in each.record.add:
            key = join(each.folder, new.name)
            if not within(key, folder):
                continue
            staged = each.staged.get(join(each.folder, f"{OURS}/{each.record.staging}/{new.staged}"))
            found = listed.get(key) or staged
            if found is None or found.size != new.size:
                return None
            seen[key] = replace(found, key=key)
    if place.prefix.endswith("/"):
        seen.pop(folder, None)
    return _View(tuple(seen[key] for key in sorted(seen)), frozenset(listed) | removed)


def _published(view: _View, place: Place, mode: WriteMode, *, run: str) -> Published | None:
    ours = _of_run(view.objects, clean_prefix(place), run)
    skipped = bool(ours) or (mode == "IGNORE" and bool(view.objects))
    return Published(place, mode, ours, removed=0, skipped=True) if skipped else None


def _relative(objects: Sequence[StoredObject], folder: str) -> tuple[str, ...]:
    return tuple(found.key[len(folder) + 1 :] for found in objects)


def _of_run(objects: Sequence[StoredObject], folder: str, run: str) -> tuple[StoredObject, ...]:
    return tuple(found for found in objects if _number(found.key, folder, run) is not None)


def _first_number(taken: frozenset[str], folder: str, run: str) -> int:
    """The first free number. A record above may still be about to remove a name that this run used before."""
    numbers = (_number(key, folder, run) for key in taken)
    return max((number + 1 for number in numbers if number is not None), default=0)


def _number(key: str, folder: str, run: str) -> int | None:
    """The number of a file that this run published to this folder, None for any other file."""
    found = re.fullmatch(rf"part-(\d{{5,}})-{re.escape(run)}(\..*)?", key.removeprefix(folder + "/"))
    return int(found[1]) if found else None


def _final_name(number: int, run: str, staged: str) -> str:
    """The name of a new file: its number, its run, and all that follows the first dot of its staged name."""
    _, dot, extension = staged.rpartition("/")[2].partition(".")
    return f"part-{number:05d}-{run}{dot}{extension}"
