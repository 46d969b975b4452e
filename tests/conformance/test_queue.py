from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select

from headrace.db.tables import attempts, jobs, log_chunks, outbox
from headrace.execution import queue, queue_rows
from headrace.execution.queue import Outcome
from headrace.execution.states import MOST_LOSSES, Ended
from headrace.execution.traces import Told
from tests.support.queue import DONE, FAILED, LEASE, Line

CANCELLED = {"code": "cancelled", "message": "somebody cancelled it"}


def test_what_was_submitted_is_claimed_with_all_that_a_run_needs(line: Line) -> None:
    job_id = line.job()
    execution_id = line.submit(job_id, at=1.0, timeout=5)
    claimed = line.one(10.0)
    assert (claimed.execution_id, claimed.job_id, claimed.attempt) == (execution_id, job_id, 1)
    assert (claimed.account_id, claimed.lease_expires_at, claimed.deadline) == ("main", 10.0 + LEASE, 310.0)
    assert (claimed.parameters, claimed.definition) == ({"day": "1"}, f'{{"name": "{job_id}", "nodes": []}}')
    row = line.row(execution_id)
    assert (row["status"], row["started_at"], row["lease_owner"]) == ("RUNNING", 10.0, "w1")
    assert line.claim(11.0) == []


def test_a_timeout_of_0_is_no_deadline(line: Line) -> None:
    line.submit(line.job(), timeout=0)
    assert line.one(1.0).deadline is None


def test_the_oldest_comes_first_and_a_step_of_priority_is_a_minute_of_waiting(line: Line) -> None:
    job_id = line.job()
    old = line.submit(job_id, at=0.0)
    young = line.submit(job_id, at=50.0)
    urgent = line.submit(job_id, at=55.0, priority=1)
    late = line.submit(job_id, at=200.0, priority=1)
    assert [each.execution_id for each in line.claim(300.0, limit=9)] == [urgent, old, young, late]


def test_a_job_runs_no_more_often_at_once_than_it_may_and_blocks_no_other(line: Line) -> None:
    narrow, other = line.job(most=2), line.job()
    held = [line.submit(narrow, at=float(n)) for n in range(4)]
    free = line.submit(other, at=9.0)
    claimed = line.claim(10.0, limit=9)
    assert [each.execution_id for each in claimed] == [held[0], held[1], free]
    assert line.finish(claimed[0].lease_token, DONE, at=11.0)
    assert [each.execution_id for each in line.claim(12.0, limit=9)] == [held[2]]


def test_a_pool_is_claimed_from_by_those_who_ask_for_it(line: Line) -> None:
    line.submit(line.job())
    with line.database.transaction() as con:
        assert queue.claim(con, worker="w", lease_seconds=LEASE, now=1.0, pools=("large",)) == []


def test_an_end_is_written_with_its_report_the_job_and_the_outbox(line: Line) -> None:
    job_id = line.job()
    execution_id = line.submit(job_id)
    token = line.one(1.0).lease_token
    assert line.finish(token, Outcome("COMPLETED", report={"rows": 3}, executor_num=2), at=4.0)
    row = line.row(execution_id)
    assert (row["status"], row["ended_at"], row["report"]) == ("COMPLETED", 4.0, {"rows": 3})
    assert (row["executor_num"], row["lease_token"], row["failure"]) == (2, None, None)
    assert line.attempts(execution_id) == [(1, "COMPLETED")]
    with line.database.reading() as con:
        last = con.execute(select(jobs.c.last_execution_id, jobs.c.last_execution_status)).one()
        told = con.execute(select(outbox.c.kind, outbox.c.payload)).one()
    assert tuple(last) == (execution_id, "COMPLETED")
    assert told.payload == {"executionId": execution_id, "jobId": job_id, "status": "COMPLETED"}


def test_a_failure_is_tried_again_later_while_attempts_are_left(line: Line) -> None:
    execution_id = line.submit(line.job(), attempts=2)
    assert line.finish(line.one(1.0).lease_token, FAILED, at=2.0)
    assert (line.status(execution_id), line.claim(6.0)) == ("READY", [])
    again = line.one(7.0)
    assert again.attempt == 2
    assert line.finish(again.lease_token, FAILED, at=8.0)
    assert (line.status(execution_id), line.row(execution_id)["failure"]) == ("FAILED", FAILED.failure)
    assert line.attempts(execution_id) == [(1, "FAILED"), (2, "FAILED")]
    assert "attempt 1 failed; the next one begins in 5 s" in line.log(execution_id)


def test_a_failure_that_would_come_again_is_not_tried_again(line: Line) -> None:
    execution_id = line.submit(line.job(), attempts=5)
    bad = Outcome("FAILED", failure={"code": "bad-data", "message": "not CSV"})
    assert line.finish(line.one(1.0).lease_token, bad, at=2.0)
    assert line.status(execution_id) == "FAILED"


def test_a_renewed_lease_holds_from_then_on(line: Line) -> None:
    execution_id = line.submit(line.job())
    token = line.one(0.0).lease_token
    with line.database.transaction() as con:
        assert queue.renew(con, token, now=14.0, lease_seconds=LEASE) == queue.Renewal(alive=True, cancel=False)
    assert line.rescue(16.0) == []
    assert line.finish(token, DONE, at=28.0)
    assert line.status(execution_id) == "COMPLETED"


@pytest.mark.parametrize("rescued", [False, True])
def test_a_stale_owner_writes_nothing(line: Line, rescued: bool) -> None:
    execution_id = line.submit(line.job())
    token = line.one(0.0).lease_token
    late = LEASE + 1
    if rescued:
        line.rescue(late)
        line.one(late)
    before, logged = line.row(execution_id), line.log(execution_id)
    with line.database.transaction() as con:
        assert queue.renew(con, token, now=late, lease_seconds=LEASE) == queue.Renewal(alive=False, cancel=False)
        assert not queue.note(con, token, Told(log="late\n"), now=late)
        assert not queue.note_child(con, token, pid=5, now=late)
        assert not queue.put_back(con, token, cause="late", delay=0.0, now=late)
        assert not queue.finish(con, token, DONE, now=late)
    assert (line.row(execution_id), line.log(execution_id)) == (before, logged)


def test_what_lost_its_worker_waits_again_and_fails_after_too_many_losses(line: Line) -> None:
    execution_id = line.submit(line.job())
    at = 0.0
    for _ in range(MOST_LOSSES):
        line.one(at)
        at += LEASE
        assert [each.status for each in line.rescue(at)] == ["READY"]
    line.one(at)
    (lost,) = line.rescue(at + LEASE)
    assert (lost.execution_id, lost.status, lost.attempt) == (execution_id, "FAILED", MOST_LOSSES + 1)
    assert line.row(execution_id)["failure"]["code"] == "worker-lost"
    assert "the lease of worker w1 ended" in line.log(execution_id)


def test_losses_do_not_use_up_attempts(line: Line) -> None:
    execution_id = line.submit(line.job(), attempts=2)
    line.one(0.0)
    line.rescue(LEASE)
    assert line.finish(line.one(20.0).lease_token, FAILED, at=21.0)
    assert line.status(execution_id) == "READY"


def test_what_waits_is_cancelled_at_once(line: Line) -> None:
    execution_id = line.submit(line.job())
    assert line.cancel(execution_id, at=2.0)
    row = line.row(execution_id)
    assert (row["status"], row["ended_at"], row["failure"]["code"]) == ("CANCELED", 2.0, "cancelled")
    assert line.claim(3.0) == []
    assert not line.cancel(execution_id, at=4.0)


def test_what_runs_is_asked_to_stop_and_its_worker_hears_it(line: Line) -> None:
    execution_id = line.submit(line.job(), attempts=3)
    token = line.one(0.0).lease_token
    assert line.cancel(execution_id, at=1.0)
    assert line.cancel(execution_id, at=2.0)
    assert line.row(execution_id)["cancel_requested_at"] == 1.0
    with line.database.transaction() as con:
        assert queue.renew(con, token, now=3.0, lease_seconds=LEASE) == queue.Renewal(alive=True, cancel=True)
    assert line.finish(token, FAILED, at=4.0)
    assert line.status(execution_id) == "CANCELED"


def test_a_cancelled_run_whose_worker_died_is_cancelled(line: Line) -> None:
    execution_id = line.submit(line.job())
    line.one(0.0)
    line.cancel(execution_id, at=1.0)
    assert [each.status for each in line.rescue(LEASE)] == ["CANCELED"]
    assert line.attempts(execution_id) == [(1, "LOST")]


def test_who_asks_to_publish_may_unless_somebody_cancelled_it(line: Line) -> None:
    first, second = (line.submit(line.job()) for _ in range(2))
    tokens = {claimed.execution_id: claimed.lease_token for claimed in line.claim(0.0, limit=2)}
    line.cancel(second, at=1.0)
    assert line.publish(tokens[first], at=2.0) == queue.Renewal(alive=True, cancel=False, may_publish=True)
    assert line.publish(tokens[second], at=2.0) == queue.Renewal(alive=True, cancel=True)
    assert line.publish("another's", at=2.0) == queue.Renewal(alive=False, cancel=False)
    assert [line.row(each)["state"] for each in (first, second)] == [queue_rows.MAY_HAVE_PUBLISHED, None]


@pytest.mark.parametrize("end", ["COMPLETED", "CANCELED"])
@pytest.mark.parametrize("rescued", [True, False])
def test_what_may_have_published_is_cancelled_only_by_who_has_looked(line: Line, end: Ended, rescued: bool) -> None:
    execution_id = line.submit(line.job())
    line.publish(line.one(0.0).lease_token, at=0.0)
    if not rescued:
        line.cancel(execution_id, at=1.0)
    assert [each.status for each in line.rescue(LEASE)] == ["READY"]
    assert line.cancel(execution_id, at=LEASE + 1)
    claimed = line.one(LEASE + 2)
    assert (claimed.may_have_published, line.publish(claimed.lease_token, at=LEASE + 3).may_publish) == (True, False)
    assert line.finish(claimed.lease_token, Outcome(end, failure=CANCELLED, report={"status": end}), at=LEASE + 4)
    assert line.status(execution_id) == end


def test_what_may_have_published_and_failed_is_claimed_at_once_when_it_is_cancelled(line: Line) -> None:
    execution_id = line.submit(line.job(), attempts=2)
    token = line.one(0.0).lease_token
    line.publish(token, at=0.0)
    line.finish(token, FAILED, at=1.0)
    assert line.claim(2.0) == []
    line.cancel(execution_id, at=2.0)
    assert line.one(2.0).attempt == 2


def test_who_is_killed_while_it_looks_is_followed_by_another_until_there_were_too_many(line: Line) -> None:
    execution_id = line.submit(line.job())
    line.publish(line.one(0.0).lease_token, at=0.0)
    line.cancel(execution_id, at=1.0)
    line.rescue(LEASE)
    states = []
    for n in range(MOST_LOSSES):
        token = line.one(LEASE + n).lease_token
        line.finish(token, Outcome("CANCELED", failure=CANCELLED), at=LEASE + n)
        states.append(line.status(execution_id))
    assert states == ["READY"] * (MOST_LOSSES - 1) + ["FAILED"]
    assert "its data may be there" in line.row(execution_id)["failure"]["message"]


def test_a_worker_that_stops_puts_back_what_is_cancelled_and_may_have_published(line: Line) -> None:
    execution_id = line.submit(line.job())
    line.publish(line.one(0.0).lease_token, at=0.0)
    line.rescue(LEASE)
    token = line.one(LEASE).lease_token
    line.cancel(execution_id, at=LEASE)
    with line.database.transaction() as con:
        assert queue.put_back(con, token, cause="it stops", delay=0.0, now=LEASE + 1) == "READY"


def test_an_end_that_came_before_the_cancel_was_heard_counts(line: Line) -> None:
    execution_id = line.submit(line.job())
    token = line.one(0.0).lease_token
    line.cancel(execution_id, at=1.0)
    line.finish(token, DONE, at=2.0)
    assert line.status(execution_id) == "COMPLETED"


def test_a_worker_that_stops_puts_back_what_it_holds(line: Line) -> None:
    execution_id = line.submit(line.job())
    token = line.one(0.0).lease_token
    with line.database.transaction() as con:
        assert queue.put_back(con, token, cause="the worker stops", delay=3.0, now=1.0)
    assert line.claim(3.9) == []
    again = line.one(4.0)
    assert (again.execution_id, again.attempt) == (execution_id, 2)
    assert line.attempts(execution_id) == [(1, "PUT_BACK"), (2, None)]


def test_a_log_is_read_from_where_one_stopped_and_any_text_is_kept(line: Line) -> None:
    execution_id = line.submit(line.job())
    token = line.one(0.0).lease_token
    for text in ("one\n", "둘 \0 \ud800\n", "three\n"):
        with line.database.transaction() as con:
            assert queue.note(con, token, Told(log=text), now=1.0)
    with line.database.reading() as con:
        first, *_ = queue.read_log(con, execution_id, limit=1)
        rest = queue.read_log(con, execution_id, after=first.id)
    assert (first.text, first.attempt, first.at) == ("one\n", 1, 1.0)
    assert [chunk.text for chunk in rest] == ["둘 \N{REPLACEMENT CHARACTER} ?\n", "three\n"]


@pytest.mark.parametrize("most", [1, 1000])
def test_claimers_at_the_same_time_never_get_the_same_execution(line: Line, most: int) -> None:
    job_ids = [line.job(most=most) for _ in range(4)]
    wanted = {line.submit(job_ids[n % 4], at=float(n)) for n in range(40)}

    def work(worker: str) -> list[str]:
        done: list[str] = []
        while any(line.status(each) in ("READY", "RUNNING") for each in wanted):
            for claimed in line.claim(100.0, limit=2, worker=worker):
                assert line.running(claimed.job_id) <= most
                done.append(claimed.execution_id)
                assert line.finish(claimed.lease_token, DONE, at=101.0)
        return done

    with ThreadPoolExecutor(4) as pool:
        done = [each for some in pool.map(work, ["a", "b", "c", "d"]) for each in some]
    assert sorted(done) == sorted(wanted)


def test_a_process_that_died_is_a_loss_that_begins_again_at_once_until_there_were_too_many(line: Line) -> None:
    execution_id = line.submit(line.job())
    for number in range(1, 5):
        token = line.one(float(number)).lease_token
        with line.database.transaction() as con:
            assert queue.lose(con, token, code="child-lost", message="it was killed", now=number + 0.5)
            assert not queue.lose(con, token, code="child-lost", message="it was killed", now=number + 0.5)
    row = line.row(execution_id)
    assert (row["status"], row["failure"]["code"], row["losses"]) == ("FAILED", "child-lost", 4)
    assert line.attempts(execution_id) == [(number, "LOST") for number in range(1, 5)]


def test_the_executions_of_a_job_are_counted_whatever_becomes_of_them(line: Line) -> None:
    job_id, other = line.job(), line.job()
    done, cancelled, lost, _ = (line.submit(job_id, at=float(n)) for n in range(4))
    line.submit(other, at=9.0)
    line.finish(line.one(10.0).lease_token, Outcome("COMPLETED"), at=11.0)
    line.cancel(cancelled, at=11.0)
    assert line.one(12.0).execution_id == lost
    line.rescue(12.0 + LEASE)
    assert (line.counted(job_id), line.counted(other)) == (4, 1)
    with line.database.transaction() as con:
        con.execute(delete(attempts).where(attempts.c.execution_id == done))
        con.execute(delete(log_chunks))
        queue.remove(con, [done, cancelled, "nobody's"])
    assert (line.counted(job_id), line.counted(other)) == (2, 1)


def test_a_look_at_leases_tells_those_that_nobody_wants_anything_of(line: Line) -> None:
    job_id = line.job()
    calm, cancelled = line.submit(job_id), line.submit(job_id)
    tokens = {claimed.execution_id: claimed.lease_token for claimed in line.claim(1.0, limit=2)}
    line.cancel(cancelled, at=2.0)
    with line.database.reading() as con:
        assert queue.calm(con, [*tokens.values(), "nobody's"]) == {tokens[calm]}


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "CANCELED"])
def test_what_has_ended_is_touched_by_no_rescue_no_cancel_and_no_late_owner(line: Line, end: Ended) -> None:
    execution_id = line.submit(line.job())
    token = line.one(0.0).lease_token
    assert line.finish(token, Outcome(end, failure=None if end == "COMPLETED" else {"code": end}), at=1.0)
    before = line.row(execution_id)
    assert line.rescue(1_000.0) == []
    assert not line.cancel(execution_id, at=1_001.0)
    assert not line.finish(token, DONE, at=2.0)
    assert line.row(execution_id) == before


def test_the_place_of_a_worker_that_died_is_free_again(line: Line) -> None:
    job_id = line.job(most=1)
    first, second = line.submit(job_id, at=0.0), line.submit(job_id, at=1.0)
    assert (line.one(2.0).execution_id, line.claim(3.0, limit=9)) == (first, [])
    line.cancel(first, at=4.0)
    line.rescue(2.0 + LEASE)
    assert [each.execution_id for each in line.claim(2.0 + LEASE, limit=9)] == [second]
    assert line.running(job_id) == 1


def test_a_retry_is_an_attempt_with_a_log_of_its_own(line: Line) -> None:
    execution_id = line.submit(line.job(), attempts=2)
    for at, outcome in ((0.0, FAILED), (100.0, DONE)):
        token = line.one(at).lease_token
        with line.database.transaction() as con:
            queue.note(con, token, Told(log=f"begun at {at:g}\n"), now=at)
        line.finish(token, outcome, at=at + 1)
    with line.database.reading() as con:
        said = {(chunk.attempt, chunk.text) for chunk in queue.read_log(con, execution_id)}
    assert {(1, "begun at 0\n"), (2, "begun at 100\n")} <= said
    assert {attempt for attempt, text in said if "attempt 1 failed" in text} == {1}


def test_errors_do_not_use_up_losses(line: Line) -> None:
    execution_id = line.submit(line.job(), attempts=10)
    at = 0.0
    for _ in range(MOST_LOSSES + 1):
        line.finish(line.one(at).lease_token, FAILED, at=at)
        at += 1_000.0
    line.one(at)
    assert [each.status for each in line.rescue(at + LEASE)] == ["READY"]
    assert (line.row(execution_id)["errors"], line.row(execution_id)["losses"]) == (MOST_LOSSES + 1, 1)


def test_many_that_wait_for_one_job_do_not_keep_a_younger_one_of_another_waiting(line: Line) -> None:
    narrow, other = line.job(most=1), line.job()
    held = [line.submit(narrow, at=float(n), priority=100) for n in range(200)]
    young = line.submit(other, at=500.0)
    assert [each.execution_id for each in line.claim(501.0, limit=2)] == [held[0], young]
