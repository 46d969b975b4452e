"""Random texts, near to values of each type, cast on DuckDB as the rules in plain Python say."""

import math
import random
from collections.abc import Iterator

import duckdb
import pytest

from headrace.engines import macros
from headrace.engines.dialects import DuckDbDialect
from headrace.plan.expr import Constant
from headrace.plan.literals import parse_literal
from headrace.plan.types import STRING, Type, parse_type

SQL = DuckDbDialect()
COUNT = 6_000
SEEDS = {
    "int": ["0", "7", "100", "1e3", "2147483647", "2147483648", "-2147483648", "0x1F", "1_000", "5.", "007", "12345"],
    "bigint": ["9223372036854775807", "-9223372036854775808", "1e18", "123456789012", "10", "99", "100000", "0b11"],
    "tinyint": ["127", "128", "-128", "1e2", "100", "12"],
    "double": ["1.5", "-0.0", "1e400", "+5", "+-5", "nan", "-nan", "inf", "-Infinity", "1_0.5", "5.", "1d", "1e-7"],
    "decimal(7,2)": ["1.255", "99999.995", "1e3", "766e-63", "12345.6", "-0.005", "1E", ".5", "5."],
    "boolean": ["true", "FALSE", "t", "Y", "no", "0", "1", "on", "\u017f", "TrUe", "10"],
    "date": ["2024-01-05", "0999-12-31", "2024-02-30", "2024-1-5", "2024/01/05", "10000-01-01", "-2024-01-05"],
    "timestamp": [
        "2024-01-05 10:20:30", "2024-01-05T10:20:30.125Z", "2024-01-05 10:20:30+09:00", "2024-01-05 24:00:00",
        "2024-01-05 10:20", "2024-01-05", "0001-01-01 00:00:00+18:00", "9999-12-31T23:59:59.999999999-01:00",
    ],
}  # fmt: skip
SIGNS = "0123456789+-.eE_:/TZx \t\n가nai"


def texts(seeds: list[str]) -> Iterator[str]:
    """The seeds, and texts that differ from them by a few signs."""
    dice = random.Random(20261122)
    yield from seeds
    for _ in range(COUNT):
        text = list(dice.choice(seeds))
        for _ in range(dice.randint(1, 3)):
            place = dice.randint(0, len(text))
            match dice.randrange(3):
                case 0:
                    text.insert(place, dice.choice(SIGNS))
                case 1:
                    text[place : place + 1] = [dice.choice(SIGNS)]
                case _:
                    del text[place : place + 1]
        yield "".join(text)


def by_rule(text: str, type_: Type) -> Constant:
    try:
        return parse_literal(text, type_)
    except ValueError:
        return None


def same(ours: Constant, theirs: Constant) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours == theirs or (math.isnan(ours) and math.isnan(theirs))
    return ours == theirs and (ours is None) == (theirs is None)


@pytest.fixture(params=SEEDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def given(name: str) -> list[str]:
    return list(dict.fromkeys(texts(SEEDS[name])))


@pytest.fixture
def con(given: list[str]) -> duckdb.DuckDBPyConnection:
    """With the texts in a table, and the last row without one."""
    con = duckdb.connect(":memory:")
    con.execute("SET TimeZone = 'UTC'")
    for macro in DuckDbDialect.MACROS:
        con.execute(macro)
    con.execute("CREATE TABLE given (n INT, v VARCHAR)")
    values = ", ".join(f"({n}, {SQL.text(text)})" for n, text in enumerate(given))
    con.execute(f"INSERT INTO given VALUES {values}, ({len(given)}, NULL)")
    return con


def test_a_text_is_the_value_that_the_rules_say(name: str, given: list[str], con: duckdb.DuckDBPyConnection) -> None:
    type_ = parse_type(name)
    found = con.execute(f"SELECT {SQL.cast('v', STRING, type_)} FROM given ORDER BY n").fetchall()
    different = [
        (text, theirs, by_rule(text, type_))
        for text, (theirs,) in zip(given, found, strict=False)
        if not same(by_rule(text, type_), theirs)
    ]
    assert different == []
    assert found[-1] == (None,)


def test_a_counted_cast_gives_the_same_and_counts_what_is_null(name: str, con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE SEQUENCE bad")
    plain = SQL.cast("v", STRING, parse_type(name))
    counted = macros.counted(plain, "v", "bad")
    rows = con.execute(f"SELECT v, {plain}, {counted} FROM given ORDER BY n").fetchall()
    assert [text for text, one, other in rows if not same(one, other)] == []
    bad = sum(text is not None and value is None for text, value, _ in rows)
    assert con.execute("SELECT nextval('bad') - 1").fetchall() == [(bad,)]
    assert 0 < bad < len(rows) - 1


def test_a_value_that_was_changed_after_its_cast_is_counted_around_it() -> None:
    assert macros.counted('to_double("a")', '"a"', "c") == "counted_double(\"a\", 'c')"
    assert macros.counted('finite(to_double("a"))', '"a"', "c") == 'counted(finite(to_double("a")), "a", \'c\')'
    assert macros.counted('to_double("a")', '"b"', "c") == 'counted(to_double("a"), "b", \'c\')'
