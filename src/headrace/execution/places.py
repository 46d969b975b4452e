"""What a run stands on: the storage that the settings name, a folder for its spill, an engine of its own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.clock import SystemClock
from headrace.errors import SettingInvalid, StoreMissing
from headrace.execution.machine import limits
from headrace.execution.runner import Run, Task, granted
from headrace.plan.ops import Place, Read, Write, in_order
from headrace.readings import named_keys
from headrace.settings import Settings
from headrace.stores.access import Access, Storages, job_access, storages
from headrace.stores.base import Store
from headrace.stores.files import FolderStore

if TYPE_CHECKING:
    from headrace.engines.duckdb import Spare


@contextmanager
def prepared(
    task: Task,
    *,
    settings: Settings,
    nrn: str = "",
    may_commit: Callable[[], None] = granted,
    threads: int | None = None,
    spare: "Spare | None" = None,
) -> Iterator[Run]:
    """The run of a task on this machine; what it spills is gone at the end of the context.

    `threads` is the most that the run wants to have; `spare` has an engine instance that was opened ahead.
    """
    from headrace.engines.duckdb import DuckDbEngine
    from headrace.engines.duckdb import Spare as NoSpare

    places = [op.place for op in in_order(task.plan.pruned) if isinstance(op, Read | Write)]
    with limits(settings, f"{task.execution_id}-{task.attempt}", threads=threads) as allowed:
        # What is left there by a killed run goes with its folder.
        store = opened(settings, places=places, nrn=nrn, scratch=Path(allowed.temp_directory))
        instance = (spare or NoSpare()).take
        keys = named_keys(settings["encryption_keys"])
        engine = DuckDbEngine(allowed, read_back=settings["read_back"], instance=instance, keys=keys)
        yield Run(task, store=store, engine=engine, clock=SystemClock(), may_commit=may_commit, threads=allowed.threads)


class Stores:
    """The stores of single buckets, kept open: one for each endpoint with its keys. Several threads may share it.

    `scratch` takes the files that are to be uploaded. A `brief` one soon gives up an endpoint that does not answer: for
    what is tried again anyhow while others wait.
    """

    def __init__(self, settings: Settings, *, scratch: Path | None = None, brief: bool = False) -> None:
        self._settings = settings
        self._scratch = scratch
        self._brief = brief
        self._known = Storages(()) if settings["storage"] else storages(settings)
        self._opened: dict[Access, Store] = {}

    @property
    def know_regions(self) -> bool:
        """Whether the region of a bucket says in which storage it lies."""
        return any(each.regions for each in self._known.known)

    def of(self, bucket: str, *, region: str, nrn: str) -> Store:
        """The store of a bucket, as `opened` chooses it."""
        if not self._known.known:
            return opened(self._settings)
        access = self._known.of(bucket, region=region, nrn=nrn)
        if access not in self._opened:
            self._opened[access] = _object_store(lambda _: access, self._scratch, brief=self._brief)
        return self._opened[access]


def opened(settings: Settings, *, places: Iterable[Place] = (), nrn: str = "", scratch: Path | None = None) -> Store:
    """The store for a job with these places and this `nrn`; `scratch` takes the files that are to be uploaded.

    A folder that is named in the settings comes before object storage. Raises StoreMissing, which names the folder,
    when it is not there.
    """
    found = Storages(()) if settings["storage"] else storages(settings)
    if found.known:
        return _objects(found, places, nrn, scratch)
    if not settings.storage.is_dir():
        hint = "make it, with a folder for each bucket, name another one with --storage, or set s3_endpoint"
        raise StoreMissing(f"there is no folder {settings.storage}, where the buckets should be", hint=hint)
    return FolderStore(settings.storage, shared=settings["shared_storage"])


def _objects(found: Storages, places: Iterable[Place], nrn: str, scratch: Path | None) -> Store:
    access = job_access(found, ((place.bucket, place.region) for place in places), nrn=nrn)
    return _object_store(access, scratch)


def _object_store(access: Callable[[str], Access], scratch: Path | None, *, brief: bool = False) -> Store:
    try:
        from headrace.stores.objects import BRIEF, PATIENT, ObjectStore
    except ModuleNotFoundError as error:
        hint = "install headrace[s3], or name a folder with --storage"
        raise SettingInvalid(
            f"object storage is set, but the package {error.name} is not installed", hint=hint
        ) from None
    return ObjectStore(access, scratch=scratch, patience=BRIEF if brief else PATIENT)
