from pathlib import Path

import pytest

from headrace.stores.files import FolderStore
from tests.support.publishing import BUCKET


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
