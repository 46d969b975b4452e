"""`headrace infer`: a file by its path, or a place in the storage."""

from pathlib import Path

from headrace.core.inference import Suggestion, Told
from headrace.core.inference import suggest as suggested
from headrace.errors import StoreMissing
from headrace.execution.places import opened
from headrace.plan.ops import Place
from headrace.settings import Settings
from headrace.stores.base import Store
from headrace.stores.files import FolderStore


def suggest(what: str, settings: Settings, *, rows: int, told: Told) -> Suggestion:
    """The node, the reasons for its types, and notes."""
    place: Place | Path = Path(what)
    if not Path(what).is_file():
        bucket, _, prefix = what.strip("/").partition("/")
        place = Place(bucket, prefix)
    store = FolderStore(Path.cwd()) if isinstance(place, Path) else _store(what, place, settings)
    return suggested(place, store, rows=rows, told=told)


def _store(what: str, place: Place, settings: Settings) -> Store:
    store = opened(settings, places=[place])
    if isinstance(store, FolderStore) and not (settings.storage / place.bucket).is_dir():
        hint = f"the storage is {settings.storage}"
        raise StoreMissing(f"{what!r} is neither a file nor a place in the storage", hint=hint)
    return store
