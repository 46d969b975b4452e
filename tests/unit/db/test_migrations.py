from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from headrace.db.tables import METADATA, VERSION
from headrace.db.upgrading import config
from tests.support.databases import sqlite

_NOT_OURS = ("alembic_version", "sqlite_sequence")


def _statements(path: Path) -> list[tuple[str, list[str]]]:
    """Every statement that made something, as SQLite keeps it, line by line: the order of constraints means nothing."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as con:
        found = con.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")).all()
    engine.dispose()
    return [
        (str(name), sorted(line.strip(" ,") for line in sql.splitlines()))
        for name, sql in found
        if name not in _NOT_OURS
    ]


def test_the_migrations_make_the_tables_that_the_program_declares_on_sqlite(tmp_path: Path) -> None:
    with sqlite(tmp_path):
        migrated = _statements(tmp_path / "headrace.db")
    engine = create_engine(f"sqlite:///{tmp_path}/declared.db")
    METADATA.create_all(engine)
    engine.dispose()
    assert migrated == _statements(tmp_path / "declared.db")


def test_there_is_one_history_and_it_ends_at_the_version_of_the_program(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database, database.reading() as con:
        script = ScriptDirectory.from_config(config(con))
        assert script.get_heads() == [VERSION]
        assert len(script.get_bases()) == 1


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: str(table.name))
def test_every_table_says_whose_its_rows_are(table: object) -> None:
    assert "account_id" in getattr(table, "c")  # noqa: B009
