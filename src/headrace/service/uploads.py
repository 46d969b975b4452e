"""Takes away what is left of uploads: of one that a server was killed amid, of one that could not be removed."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from headrace.clock import Clock
from headrace.core import uploads
from headrace.db import Database
from headrace.errors import RunFailed, SettingInvalid, StoreMissing
from headrace.execution.places import Stores
from headrace.settings import Settings

log = logging.getLogger(__name__)

# In the data folder: what is on its way to object storage.
SCRATCH = "uploads"


def sweeping(database: Database, settings: Settings, *, clock: Clock) -> Callable[[], bool]:
    """What takes away a batch of it, and says whether there was any."""
    stores = Stores(settings)

    def swept() -> bool:
        _clear(settings.data / SCRATCH, before=clock.now().timestamp() - uploads.GONE_SECONDS)
        with database.reading() as con:
            found = uploads.left(con, now=database.now(con))
        removed = [upload_id for upload_id, bucket in found if _removed(database, stores, upload_id, bucket)]
        return bool(removed)

    return swept


def _removed(database: Database, stores: Stores, upload_id: str, bucket: str) -> bool:
    with database.transaction() as con:
        if not uploads.give_up(con, upload_id, now=database.now(con)):
            return False
    try:
        stores.of(bucket, region="1", nrn="").discard(bucket, upload_id)
    except StoreMissing:
        pass  # with its bucket the file is gone, too
    except (RunFailed, SettingInvalid) as error:
        log.warning("what is left of an upload can't be removed", extra={"reason": str(error)})
        return False
    with database.transaction() as con:
        uploads.forget(con, upload_id)
    return True


def _clear(scratch: Path, *, before: float) -> None:
    """Remove the folders of this machine into which nothing has come since."""
    for folder in scratch.glob("*/"):
        if all(path.stat().st_mtime < before for path in (folder, *folder.iterdir())):
            shutil.rmtree(folder, ignore_errors=True)
