"""The figures of jobs are those of looking at every execution, whatever is kept of them already."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select

from headrace.core import job_figures
from headrace.core.dashboard import HOUR, Span, begin, hour_of
from headrace.core.job_figures import Figures, start_of
from headrace.core.paging import Page
from headrace.db import Database
from headrace.db.tables import accounts, executions
from headrace.errors import NotFound
from headrace.ids import new_id
from tests.support.histories import execution
from tests.support.uses import ALICE, OTHER, Uses, sound

NOON = 1_748_779_200.0  # a whole hour
DAY = 24 * HOUR
ALL = Page()


class Told:
    """Executions of three jobs as they were made, in memory and in the database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = [Uses(database).create(sound(name=f"job-{number}")).job_id for number in range(3)]
        self.made: list[dict[str, Any]] = []

    def add(self, at: float, status: str, *, job: int = 0, waited: float = 1.0, ran: float = 2.0, **more: Any) -> None:
        begun = None if status == "READY" else at + waited
        ended = None if status in ("READY", "RUNNING") else at + waited + ran
        times = {"started_at": begun, "ended_at": ended, "rows_read": None, "rows_written": None}
        lease = new_id() if status == "RUNNING" else None
        row = execution(self.jobs[job], at, status, **{**times, "lease_token": lease, **more})
        with self.database.transaction() as con:
            con.execute(insert(executions).values(row))
        self.made.append(row)

    def expected(self, job: int, span: Span) -> Figures:
        found = Figures()
        for row in self.made:
            if (
                row["job_id"] == self.jobs[job]
                and row["account_id"] == "main"
                and span[0] <= row["created_at"] < span[1]
            ):
                if row["ended_at"] is None:
                    found.total += 1
                else:
                    found.count(_Row(row))
        return found

    def of_jobs(self, span: Span, page: Page = ALL) -> dict[str, Figures]:
        with self.database.reading(steady=True) as con:
            rows, count = job_figures.of_jobs(con, ALICE, span, page=page)
        assert count >= len(rows)
        return {row.job_id: row.figures for row in rows}

    def of_job(self, job: int, span: Span, hours: int, points: int) -> tuple[Figures, list[Figures]]:
        first = start_of(hour_of(span[0]), hours)
        with self.database.reading(steady=True) as con:
            whole, each = job_figures.of_job(con, ALICE, self.jobs[job], span, first=first, hours=hours, points=points)
        return whole.figures, list(each)

    def sum_up(self, now: float) -> None:
        for _ in range(50):
            with self.database.transaction() as con:
                if not job_figures.sum_up(con, now=now):
                    return
        raise AssertionError("it never ends")

    def remove(self, count: int) -> None:
        with self.database.transaction() as con:
            ended = select(executions.c.execution_id).where(executions.c.ended_at.is_not(None))
            ids = list(con.scalars(ended.limit(count)))
            job_figures.remember(con, ids)
            con.execute(delete(executions).where(executions.c.execution_id.in_(ids)))


class _Row:
    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


@pytest.fixture
def told(database: Database) -> Told:
    return Told(database)


def crowd(told: Told, random: Random) -> None:
    for _ in range(90):
        told.add(
            NOON + random.choice((0, 1, 1799.5, 3599.9)) + HOUR * random.randrange(72),
            random.choice(("COMPLETED", "COMPLETED", "FAILED", "CANCELED")),
            job=random.choice((0, 0, 1)),
            waited=random.uniform(0, 5),
            ran=random.uniform(0, 9000),
            rows_read=random.choice((None, 10, 2**33)),
            rows_written=random.choice((None, 3)),
        )
    told.add(NOON + 5, "READY")
    told.add(NOON + 5 * HOUR, "RUNNING", job=1)
    told.add(NOON + 6 * HOUR, "COMPLETED", account_id="other")


@pytest.mark.parametrize("summed", [0.0, 3.5, 30.0, 1000.0])
def test_whatever_is_kept_the_figures_are_those_of_looking_at_all(
    told: Told, summed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_figures, "_AT_ONCE", 7)
    random = Random(11)
    crowd(told, random)
    told.sum_up(NOON + summed * HOUR)
    edges = [NOON + random.choice((0, 1, 1800, 3599)) + HOUR * random.randrange(72) for _ in range(16)]
    for pair in zip(edges[::2], edges[1::2], strict=True):
        span = (min(pair), max(pair))
        wanted = {told.jobs[job]: told.expected(job, span) for job in (0, 1)}
        assert told.of_jobs(span) == {job: figures for job, figures in wanted.items() if figures.total}
        assert told.of_job(0, span, 24, 1)[0] == wanted[told.jobs[0]]


@pytest.mark.parametrize("hours", [1, 24])
@pytest.mark.parametrize("summed", [0.0, 30.0, 1000.0])
def test_hours_and_days_are_told_one_by_one(told: Told, summed: float, hours: int) -> None:
    crowd(told, Random(12))
    told.sum_up(NOON + summed * HOUR)
    first = start_of(hour_of(NOON + HOUR), hours)
    points = 96 // hours
    each = told.of_job(0, (NOON + HOUR, NOON + 50 * HOUR), hours, points)[1]
    spans = [(begin(first + hours * number), begin(first + hours * (number + 1))) for number in range(points)]
    assert each == [told.expected(0, span) for span in spans]


def test_days_begin_at_midnight_where_the_vendor_is() -> None:
    midnight = begin(start_of(hour_of(NOON), 24))
    assert (midnight + 9 * HOUR - 1) % DAY == 0
    assert start_of(hour_of(midnight), 24) == hour_of(midnight)
    assert start_of(hour_of(midnight - 1), 24) == hour_of(midnight) - 24


def test_one_that_never_ends_keeps_no_other_from_being_kept(told: Told) -> None:
    told.add(NOON + 5, "READY")
    told.add(NOON + 6, "COMPLETED")
    told.sum_up(NOON + DAY)
    with told.database.reading() as con:
        assert (con.scalar(select(func.max(accounts.c.figures_until))) or 0) > NOON
    assert told.of_jobs((NOON, NOON + DAY)) == {told.jobs[0]: told.expected(0, (NOON, NOON + DAY))}


@pytest.mark.parametrize("summed", [0.0, 1.5, 1000.0])
def test_figures_stay_when_executions_are_removed_before_or_after_they_are_kept(told: Told, summed: float) -> None:
    for hours, status in ((0, "COMPLETED"), (0, "FAILED"), (1, "CANCELED"), (2, "COMPLETED")):
        told.add(NOON + hours * HOUR + 5, status, rows_read=4)
    told.add(NOON + 2 * HOUR + 5, "READY")
    span = (NOON + 1, NOON + 3 * HOUR + 1)
    wanted = {told.jobs[0]: told.expected(0, span)}
    told.sum_up(NOON + summed * HOUR)
    for _ in range(5):
        assert told.of_jobs(span) == wanted
        told.remove(1)
    told.sum_up(NOON + 1000 * HOUR)
    assert told.of_jobs(span) == wanted


def test_the_busiest_jobs_stand_on_the_first_page(told: Told) -> None:
    for job, count in ((0, 1), (1, 3), (2, 2)):
        for number in range(count):
            told.add(NOON + HOUR * number + 5, "COMPLETED", job=job)
    told.sum_up(NOON + HOUR + 700)
    span = (NOON, NOON + DAY)

    def names(page: Page) -> Sequence[str]:
        return list(told.of_jobs(span, page))

    assert names(ALL) == [told.jobs[1], told.jobs[2], told.jobs[0]]
    assert names(Page(1, 1)) == [told.jobs[2]]
    assert names(Page(3, 1)) == names(Page(0, 0)) == []
    assert told.of_jobs(span, Page(0, 1)) == {told.jobs[1]: told.expected(1, span)}


def test_each_account_has_its_own_and_no_other_job_is_there(told: Told) -> None:
    told.add(NOON + 5, "COMPLETED")
    told.add(NOON + 5, "COMPLETED", account_id="other", job=1)
    span = (NOON, NOON + DAY)
    with told.database.reading() as con:
        assert [row.job_id for row in job_figures.of_jobs(con, OTHER, span, page=ALL)[0]] == [told.jobs[1]]
        with pytest.raises(NotFound):
            job_figures.of_job(con, OTHER, told.jobs[0], span, first=0, hours=24, points=1)
