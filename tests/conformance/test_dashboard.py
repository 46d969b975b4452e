"""The figures of the dashboard are those of counting every execution, whatever is summed up already."""

from collections.abc import Sequence
from random import Random

import pytest
from sqlalchemy import delete, insert, select

from headrace.core import dashboard
from headrace.core.dashboard import HOUR, Counts, Span
from headrace.db import Database
from headrace.db.tables import accounts, execution_hours, executions
from tests.support.histories import execution
from tests.support.uses import ALICE, OTHER, Uses, sound

NOON = 1_748_779_200.0  # a whole hour
ENDED = ("COMPLETED", "FAILED", "CANCELED")


class Told:
    """Executions as they were made, in memory and in the database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.job_id = Uses(database).create(sound()).job_id
        self.made: list[tuple[float, str]] = []

    def add(self, at: float, status: str, *, account: str = "main") -> None:
        ended = at + 1 if status in ENDED else None
        row = execution(self.job_id, at, status, account_id=account, ended_at=ended)
        with self.database.transaction() as con:
            con.execute(insert(executions).values(row))
        if account == "main":
            self.made.append((at, status))

    def expected(self, span: Span) -> Counts:
        inside = [status for at, status in self.made if span[0] <= at < span[1]]
        return Counts(len(inside), inside.count("COMPLETED"), inside.count("FAILED"))

    def counts(self, *spans: Span) -> Sequence[Counts]:
        with self.database.reading() as con:
            return dashboard.counts(con, ALICE, spans)

    def sum_up(self, now: float) -> None:
        for _ in range(20):
            with self.database.transaction() as con:
                if not dashboard.sum_up(con, now=now):
                    return
        raise AssertionError("it never ends")

    def until(self) -> float:
        with self.database.reading() as con:
            return dashboard.begin(con.scalar(select(accounts.c.summed_until)) or 0)

    def remove(self, count: int) -> None:
        with self.database.transaction() as con:
            ids = list(con.scalars(select(executions.c.execution_id).limit(count)))
            dashboard.remember(con, ids)
            con.execute(delete(executions).where(executions.c.execution_id.in_(ids)))


@pytest.fixture
def told(database: Database) -> Told:
    return Told(database)


@pytest.mark.parametrize("summed", [0.0, 3.5, 30.0, 1000.0])
def test_whatever_is_summed_up_the_figures_are_those_of_counting(told: Told, summed: float) -> None:
    random = Random(7)
    edges = [NOON + random.choice((0, 1, 1800, 3599)) + HOUR * random.randrange(48) for _ in range(24)]
    for _ in range(60):
        told.add(NOON + random.choice((0, 1, 1799.5, 3599.9)) + HOUR * random.randrange(48), random.choice(ENDED))
    told.add(NOON + HOUR, "COMPLETED", account="other")
    told.sum_up(NOON + summed * HOUR)
    spans = [(min(pair), max(pair)) for pair in zip(edges[::2], edges[1::2], strict=True)]
    assert told.counts(*spans) == tuple(map(told.expected, spans))
    assert told.counts() == ()


def test_an_hour_waits_for_all_of_its_executions_to_end(told: Told) -> None:
    for hours, status in ((0, "COMPLETED"), (1, "READY"), (2, "FAILED")):
        told.add(NOON + hours * HOUR + 5, status)
    told.sum_up(NOON + 9 * HOUR)
    assert told.until() == NOON + HOUR + 1
    span = (NOON, NOON + 9 * HOUR)
    assert told.counts(span) == (Counts(3, 1, 1),)


def test_what_is_just_over_may_still_come_and_is_not_summed_up(told: Told) -> None:
    told.add(NOON + 5, "COMPLETED")
    told.sum_up(NOON + HOUR + 600)
    assert told.until() == 1
    told.sum_up(NOON + HOUR + 601)
    assert told.until() == NOON + HOUR + 1


@pytest.mark.parametrize("summed", [0.0, 1.5, 1000.0])
def test_figures_stay_when_executions_are_removed_before_or_after_their_hour_is_summed_up(
    told: Told, summed: float
) -> None:
    for hours, status in ((0, "COMPLETED"), (0, "FAILED"), (1, "FAILED"), (2, "COMPLETED")):
        told.add(NOON + hours * HOUR + 5, status)
    spans = [(NOON + 1, NOON + HOUR + 1), (NOON + 1, NOON + 3 * HOUR + 1)]
    told.sum_up(NOON + summed * HOUR)
    for _ in range(5):
        assert told.counts(*spans) == (Counts(2, 1, 1), Counts(4, 2, 2))
        told.remove(1)
    told.sum_up(NOON + 1000 * HOUR)
    assert told.counts(*spans) == (Counts(2, 1, 1), Counts(4, 2, 2))


def test_each_account_has_its_own(told: Told) -> None:
    with told.database.transaction() as con:
        con.execute(insert(accounts).values(account_id="other", bucket="b", created_at=NOON))
    told.add(NOON + 5, "COMPLETED")
    told.add(NOON + 5, "FAILED", account="other")
    told.sum_up(NOON + 10 * HOUR)
    with told.database.reading() as con:
        rows = con.execute(select(execution_hours.c.account_id, execution_hours.c.total)).all()
        assert sorted(map(tuple, rows)) == [("main", 1), ("other", 1)]
        assert dashboard.counts(con, OTHER, [(NOON, NOON + HOUR)]) == (Counts(1, 0, 1),)
