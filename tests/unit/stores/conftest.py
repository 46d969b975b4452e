from pathlib import Path

import pytest

from headrace.stores.base import Store
from headrace.stores.files import FolderStore
from tests.support.publishing import BUCKET
from tests.support.roots import EARLY, PLAIN, FolderRoot, ObjectRoot, Root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of buckets with one empty bucket, and something beside it that no name may reach."""
    found = tmp_path / "store"
    (found / BUCKET).mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("secret\n")
    return found


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root)


FOLDER = "folder"
OBJECTS = pytest.param("objects", marks=pytest.mark.services)
PARTS = pytest.param("objects in parts", marks=pytest.mark.services)


def _lake(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    if request.param == FOLDER:
        return FolderRoot(request.getfixturevalue("root"))
    sizes = EARLY if request.param == "objects in parts" else PLAIN
    return ObjectRoot(request.getfixturevalue("seaweed"), tmp_path / "scratch", sizes)


@pytest.fixture(params=[FOLDER, OBJECTS])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    """An empty bucket of each kind of store, in which new files are staged."""
    return _lake(request, tmp_path)


@pytest.fixture(params=[FOLDER, OBJECTS, PARTS])
def any_lake(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    """The same, and one where new files come to their names before they are committed."""
    return _lake(request, tmp_path)


@pytest.fixture
def lake_store(lake: Root) -> Store:
    return lake.store()
