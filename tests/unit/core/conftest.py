from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import sqlite
from tests.support.uses import Uses


@pytest.fixture
def uses(tmp_path: Path) -> Iterator[Uses]:
    with sqlite(tmp_path) as database:
        yield Uses(database)
