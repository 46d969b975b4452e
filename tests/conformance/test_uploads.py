"""Uploaded files: which are shown, and what is swept of those that never came; on both databases."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headrace.clock import SystemClock
from headrace.core import uploads
from headrace.db import Database
from headrace.errors import NotFound
from headrace.service.uploads import SCRATCH, sweeping
from headrace.settings import Settings, load_settings

LONG_AGO = datetime(2025, 6, 1, 12, tzinfo=UTC)


def begun(database: Database, at: datetime) -> uploads.Upload:
    with database.transaction() as con:
        return uploads.begin(con, "main", "ann", name="a.csv", bucket="uploads", now=at)


def finished(database: Database, upload: uploads.Upload, at: datetime) -> uploads.Upload:
    with database.transaction() as con:
        return uploads.finish(con, upload.upload_id, size=3, now=at)


def laid(settings: Settings, upload: uploads.Upload, name: str) -> Path:
    file = settings.storage / "uploads" / upload.upload_id / name
    file.parent.mkdir(parents=True)
    file.write_text("1,2")
    return file


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"data": str(tmp_path)}, {}, tmp_path)


def test_a_file_is_shown_once_it_is_there(database: Database) -> None:
    coming = begun(database, LONG_AGO)
    there = finished(database, begun(database, LONG_AGO), LONG_AGO + timedelta(seconds=1))
    with database.reading() as con:
        assert uploads.list(con, "main", owner_id="ann", limit=10, offset=0) == (there,)
        assert uploads.list(con, "main", owner_id="bob", limit=10, offset=0) == ()
        assert uploads.get(con, "main", there.upload_id) == there
        with pytest.raises(NotFound):
            uploads.get(con, "main", coming.upload_id)
        with pytest.raises(NotFound):
            uploads.get(con, "other", there.upload_id)
    assert there.size == 3


def test_what_a_killed_server_left_is_swept_and_all_else_stays(database: Database, settings: Settings) -> None:
    now = datetime.now(UTC)
    cut, deleted, coming, there = (begun(database, at) for at in (LONG_AGO, LONG_AGO, now, LONG_AGO))
    finished(database, there, LONG_AGO)
    finished(database, deleted, LONG_AGO)
    with database.transaction() as con:
        uploads.delete(con, "main", deleted.upload_id, now=LONG_AGO)
    gone = [laid(settings, cut, "_headrace/upload/a.csv"), laid(settings, deleted, "a.csv")]
    stays = [laid(settings, coming, "_headrace/upload/a.csv"), laid(settings, there, "a.csv")]
    swept = sweeping(database, settings, clock=SystemClock())
    assert swept()
    assert not swept()
    assert [file.exists() for file in (*gone, *stays)] == [False, False, True, True]
    with database.reading() as con, pytest.raises(NotFound):
        uploads.get(con, "main", deleted.upload_id)
    # The one that was cut off can't come back.
    with pytest.raises(NotFound):
        finished(database, cut, now)


def test_what_can_not_be_removed_is_tried_again_later(database: Database, settings: Settings) -> None:
    cut = begun(database, LONG_AGO)
    settings.storage.mkdir(parents=True)
    (settings.storage / "elsewhere").mkdir()
    (settings.storage / "uploads").symlink_to(settings.storage / "elsewhere")
    assert not sweeping(database, settings, clock=SystemClock())()
    with database.reading() as con:
        assert uploads.left(con, now=datetime.now(UTC).timestamp()) == []
        later = datetime.now(UTC).timestamp() + uploads.GONE_SECONDS + 60
        assert uploads.left(con, now=later) == [(cut.upload_id, "uploads")]


def test_folders_of_this_machine_into_which_nothing_comes_are_removed(database: Database, settings: Settings) -> None:
    old, new = (settings.data / SCRATCH / name for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("1")
    os.utime(old / "a.csv", (0, 0))
    os.utime(old, (0, 0))
    os.utime(new, (0, 0))
    assert not sweeping(database, settings, clock=SystemClock())()
    assert [folder.exists() for folder in (old, new)] == [False, True]
