from collections.abc import Callable

import pytest

from headrace.core import executions
from headrace.core.paging import Page
from headrace.errors import BadParameter, BadState, NotFound
from headrace.execution import queue
from headrace.execution.traces import Told
from tests.support.jobs import Json
from tests.support.queue import DONE, FAILED
from tests.support.uses import ALICE, NOON, OTHER, Uses, sound


def test_an_execution_waits_with_the_condition_and_revision_of_its_job(uses: Uses) -> None:
    job = uses.create(sound(jobCondition={"timeout": 10}, priority=2, retries=3))
    made = uses.execute(job.job_id)
    assert (made.status, made.type, made.job_name, made.job_revision) == ("READY", "JOB", "job", 1)
    assert (made.created_at, made.started_at, made.ended_at, made.attempt) == (NOON, None, None, 0)
    assert (made.priority, made.max_attempts, made.parameters, made.condition.timeout) == (2, 4, {}, 10)
    logs = f"{job.condition.log_path}console/{job.job_id}/{made.execution_id}_2025-06-01T12:00:07.log"
    assert made.condition.console_log_path == logs
    assert uses.execution(job.job_id, made.execution_id) == made


def test_a_condition_is_that_of_this_run_alone(uses: Uses) -> None:
    job = uses.create(sound())
    made = uses.execute(job.job_id, condition={"numWorker": 7, "logPath": "logs/here"})
    assert (made.condition.num_worker, made.condition.timeout) == (7, 360)
    assert made.condition.console_log_path.startswith("logs/here/console/")
    assert uses.get(job.job_id).condition == job.condition
    with pytest.raises(BadParameter):
        uses.execute(job.job_id, condition={"numWorker": 1})


def test_parameters_are_checked_and_completed(uses: Uses) -> None:
    declared = [{"name": "day", "type": "date"}, {"name": "n", "type": "int", "default": "1"}]
    job = uses.create(sound(parameters=declared))
    assert uses.execute(job.job_id, parameters={"day": "2025-01-01"}).parameters == {"day": "2025-01-01", "n": "1"}
    assert uses.execute(job.job_id, parameters={"day": "2025-01-01", "n": 5}).parameters["n"] == "5"
    wrong: tuple[Json, ...] = (
        {},
        {"day": "never"},
        {"day": "2025-01-01", "x": "1"},
        {"day": ["2025-01-01"]},
        {"day": True},
    )
    for given in wrong:
        with pytest.raises(BadParameter):
            uses.execute(job.job_id, parameters=given)


@pytest.mark.parametrize("more", [{"trigger_id": "none"}, {"workflow_id": "none"}])
def test_a_trigger_or_workflow_that_is_named_must_exist(uses: Uses, more: dict[str, str | None]) -> None:
    job = uses.create(sound())
    with pytest.raises(NotFound, match="'none'"):
        uses.execute(job.job_id, trigger_id=more.get("trigger_id"), workflow_id=more.get("workflow_id"))


def test_what_can_not_be_run_is_refused(uses: Uses) -> None:
    draft, deleted = uses.create(sound(isTemp=True)), uses.create(sound(name="deleted"))
    uses.delete(deleted.job_id)
    for job in (draft, deleted):
        with pytest.raises(BadState, match=r"DRAFT|DELETED"):
            uses.execute(job.job_id)
    with pytest.raises(NotFound):
        uses.execute("none")


def test_a_worker_gets_the_definition_as_it_was_when_the_run_was_asked_for(uses: Uses) -> None:
    job = uses.create(sound(description="first"))
    uses.execute(job.job_id)
    uses.update(job.job_id, {"description": "second"})
    claimed = uses.claim()
    assert '"first"' in claimed.definition
    assert claimed.deadline == NOON.timestamp() + 36 + 360 * 60


def test_the_executions_of_a_job_are_listed_the_newest_first(uses: Uses) -> None:
    job, other = uses.create(sound()), uses.create(sound(name="other"))
    made = {uses.execute(job.job_id).execution_id for _ in range(3)}
    uses.execute(other.job_id)
    with uses.database.reading() as con:
        rows, count = executions.list(con, ALICE, job.job_id, page=Page(0, 2))
        rest, _ = executions.list(con, ALICE, job.job_id, page=Page(1, 2))
        assert executions.list(con, ALICE, job.job_id, page=Page(0, 0)) == ((), 3)
        for who, job_id in ((OTHER, job.job_id), (ALICE, "none")):
            with pytest.raises(NotFound):
                executions.list(con, who, job_id, page=Page())
    assert (count, {row.execution_id for row in (*rows, *rest)}) == (3, made)


def test_a_cancel_ends_what_waits_and_is_refused_for_what_ended(uses: Uses) -> None:
    job = uses.create(sound())
    made = uses.execute(job.job_id)
    uses.cancel(job.job_id, made.execution_id)
    assert uses.execution(job.job_id, made.execution_id).status == "CANCELED"
    with pytest.raises(BadState, match="CANCELED"):
        uses.cancel(job.job_id, made.execution_id)


def test_an_execution_is_found_under_its_own_job_and_account_only(uses: Uses) -> None:
    job, other = uses.create(sound()), uses.create(sound(name="other"))
    made = uses.execute(job.job_id).execution_id
    asked: list[Callable[[], object]] = [
        lambda: uses.execution(other.job_id, made),
        lambda: uses.execution(job.job_id, "none"),
        lambda: Uses(uses.database, OTHER).execution(job.job_id, made),
        lambda: Uses(uses.database, OTHER).cancel(job.job_id, made),
    ]
    for ask in asked:
        with pytest.raises(NotFound):
            ask()


def test_what_a_run_told_is_there_to_read(uses: Uses) -> None:
    job = uses.create(sound(retries=1))
    made = uses.execute(job.job_id).execution_id
    claimed = uses.claim()
    with uses.database.transaction() as con:
        assert queue.note(con, claimed.lease_token, Told(log="hello\n"), now=NOON.timestamp() + 37)
    uses.end(claimed, FAILED)
    with uses.database.reading() as con:
        (attempt,) = executions.attempts(con, ALICE, job.job_id, made)
        chunks = executions.log(con, ALICE, job.job_id, made, after=0, limit=10)
        assert executions.report(con, ALICE, job.job_id, made) is None
    assert (attempt.number, attempt.outcome, attempt.failure) == (1, "FAILED", FAILED.failure)
    assert chunks[0].text == "hello\n"
    with uses.database.transaction() as con:
        (again,) = queue.claim(con, worker="w", lease_seconds=99, now=NOON.timestamp() + 60)
    uses.end(again, DONE)
    with uses.database.reading() as con:
        assert executions.report(con, ALICE, job.job_id, made) == DONE.report
