"""The migrations and the tables say the same, on both databases."""

from concurrent.futures import ThreadPoolExecutor

from alembic import command
from sqlalchemy import Connection, create_engine, text

from headrace.db import Database
from headrace.db.tables import METADATA
from headrace.db.upgrading import config
from tests.support.databases import opened

Fact = tuple[str, ...]
_OF_POSTGRESQL = (
    """SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
       FROM information_schema.columns WHERE table_schema = 'public'""",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
)


def _facts(con: Connection) -> list[Fact]:
    """All that the database knows of its schema; the order of columns and constraints means nothing."""
    if con.dialect.name == "sqlite":
        found = con.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
        lines = [(str(name), part) for name, sql in found for part in _parts(str(sql))]
        return sorted(fact for fact in lines if fact[0] not in ("alembic_version", "sqlite_sequence"))
    rows = [tuple(map(str, row)) for query in _OF_POSTGRESQL for row in con.execute(text(query))]
    return sorted(row for row in rows if "alembic_version" not in " ".join(row))


def _parts(sql: str) -> list[str]:
    """What stands between the outermost commas: a column that was added later stands on the line of another one."""
    head, _, inside = " ".join(sql.split()).partition("(")
    parts, depth = [""], 0
    for sign in inside.rpartition(")")[0]:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [head.strip(), *(part.strip() for part in parts)]


def test_the_migrations_make_the_tables_that_the_program_declares(url: str, other_url: str) -> None:
    with opened(url) as database, database.reading() as con:
        migrated = _facts(con)
    engine = create_engine(other_url)
    METADATA.create_all(engine)
    with engine.connect() as con:
        declared = _facts(con)
    engine.dispose()
    assert len(migrated) > 100
    assert migrated == declared


def test_a_database_of_the_first_schema_is_upgraded_and_loses_no_row(url: str) -> None:
    key = {"access_key": "A" * 20, "name": "old", "role": "viewer", "secret": "sealed", "created_at": 1.5}
    with opened(url, upgraded=False) as database:
        with database.transaction() as con:
            command.upgrade(config(con), "0001")
            con.execute(text(f"INSERT INTO access_keys ({', '.join(key)}) VALUES (:{', :'.join(key)})"), key)
            con.execute(text("INSERT INTO outbox (at, kind, payload) VALUES (2.5, 'execution-ended', '{}')"))
        database.upgrade()
        database.check_version()
        with database.reading() as con:
            kept = con.execute(text("SELECT * FROM access_keys")).one()._asdict()
            assert {name: kept[name] for name in key} == key
            assert con.execute(text("SELECT kind, tries, available_at FROM outbox")).one() == ("execution-ended", 0, 0)


def test_programs_that_upgrade_at_the_same_time_do_it_once(url: str) -> None:
    def upgrade(_: int) -> None:
        with opened(url) as database:
            database.check_version()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(upgrade, range(4))) == [None] * 4


def test_the_lease_clock_goes_on(database: Database) -> None:
    with database.reading() as con:
        first, second = database.now(con), database.now(con)
    assert 1.7e9 < first <= second
