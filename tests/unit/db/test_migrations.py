from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Table

from headrace.db.tables import METADATA, VERSION
from headrace.db.upgrading import config
from tests.support.databases import sqlite


def test_there_is_one_history_and_it_ends_at_the_version_of_the_program(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database, database.reading() as con:
        script = ScriptDirectory.from_config(config(con))
        assert script.get_heads() == [VERSION]
        assert len(script.get_bases()) == 1


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: str(table.name))
def test_every_table_says_whose_its_rows_are(table: Table) -> None:
    assert "account_id" in table.c
