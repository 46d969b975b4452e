from pathlib import Path

import pytest

from headrace.stores.base import Store
from headrace.stores.files import FolderStore
from tests.support.publishing import BUCKET
from tests.support.roots import FolderRoot, ObjectRoot, Root


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


@pytest.fixture(params=["folder", pytest.param("objects", marks=pytest.mark.services)])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    """An empty bucket of each kind of store."""
    if request.param == "folder":
        return FolderRoot(request.getfixturevalue("root"))
    return ObjectRoot(request.getfixturevalue("seaweed"), tmp_path / "scratch")


@pytest.fixture
def lake_store(lake: Root) -> Store:
    return lake.store()
