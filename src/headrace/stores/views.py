"""What readers see of a place: exactly one generation, whatever is being published meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from headrace.errors import SourceChanged
from headrace.plan.ops import Place
from headrace.stores.base import Listing, Store, StoredObject
from headrace.stores.names import OURS, ancestors, clean_prefix, join, record_key, within
from headrace.stores.records import Added, Announcement, Record, load

_LISTINGS = 25


@dataclass(frozen=True, slots=True)
class View:
    """One generation of a place, and all keys that a new file must not have."""

    objects: tuple[StoredObject, ...]
    taken: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Pending:
    """A record that was found, and what lies in its staging folder."""

    folder: str
    record: Record | Announcement
    staged: dict[str, StoredObject] = field(default_factory=dict)

    @property
    def removed(self) -> set[str]:
        """The keys of what is data no more."""
        return {join(self.folder, key) for key in self.record.remove} if isinstance(self.record, Record) else set()

    @property
    def added(self) -> tuple[Added, ...]:
        """What is data from the commit on."""
        return self.record.add if isinstance(self.record, Record) else ()

    def announces(self, key: str) -> bool:
        """Whether the key is that of a new file which does not count yet."""
        return isinstance(self.record, Announcement) and self.record.names(key, self.folder)

    def found(self, new: Added) -> StoredObject | None:
        """A new file where it was staged."""
        if new.staged is None or isinstance(self.record, Announcement):
            return None
        return self.staged.get(join(self.folder, f"{OURS}/{self.record.staging}/{new.staged}"))


def view(store: Store, place: Place) -> View:
    """What readers see.

    A listing is not of one moment: names come and go while it is made. So the records are read between two listings,
    and the first is taken only when the second is equal. That is enough: new files have names that were never there,
    so a name in both listings with one etag was there all the time between, and the mark tells of names that came and
    went. The data then stood still while the records were read. Where there was no record, the data is a generation by
    itself. Where there was one, it tells of each name whether the generation has it, whether that name was already
    moved (then it is listed) or not (then it was staged still, since it was not in its place afterwards). An
    announcement tells which of the names that are listed do not count yet. Each target has one record, and each is
    read at one moment, so it does not matter that several are read one after another.
    """
    folder = clean_prefix(place)
    listing = store.listing(place.bucket, folder)
    for _ in range(_LISTINGS):
        # Records of folders above count as well: their publication may have taken away what is listed here.
        pending = _pending(store, place.bucket, (*ancestors(folder), *listing.ours))
        again = store.listing(place.bucket, folder)
        found = _resolve(place, listing, pending) if again == listing else None
        if found is not None:
            return found
        listing = again
    hint = "run again when nobody writes there; if nobody does, a new file of a cut short publication was taken away"
    raise SourceChanged(f"'{place}' did not stand still while it was listed", hint=hint)


def _pending(store: Store, bucket: str, folders: Sequence[str]) -> list[_Pending]:
    found = []
    for folder in folders:
        data = store.read(bucket, record_key(folder))
        if data is not None:
            record = load(data, where=f"'{bucket}/{record_key(folder)}'")
            found.append(_Pending(folder, record, _staged(store, bucket, folder, record)))
    return found


def _staged(store: Store, bucket: str, folder: str, record: Record | Announcement) -> dict[str, StoredObject]:
    if isinstance(record, Announcement) or all(new.staged is None for new in record.add):
        return {}
    return {each.key: each for each in store.listing(bucket, join(folder, f"{OURS}/{record.staging}")).objects}


def _resolve(place: Place, listing: Listing, pending: Sequence[_Pending]) -> View | None:
    """The generation that listing and records tell of; None when a file of it is nowhere."""
    folder = clean_prefix(place)
    listed = {found.key: found for found in listing.objects}
    removed = {key for each in pending for key in each.removed}
    gone = removed | {key for key in listed for each in pending if each.announces(key)}
    seen = {key: found for key, found in listed.items() if key not in gone}
    for each in pending:
        for new in each.added:
            key = join(each.folder, new.name)
            if not within(key, folder):
                continue
            found = listed.get(key) or each.found(new)
            if found is None or found.size != new.size:
                return None
            seen[key] = replace(found, key=key)
    if place.prefix.endswith("/"):
        seen.pop(folder, None)
    return View(tuple(seen[key] for key in sorted(seen)), frozenset(listed) | removed)
