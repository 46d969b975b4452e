import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from headrace.engines.base import Progress
from headrace.execution.children import Gone
from headrace.execution.lines import Answer, Beat, CommitAsked, Done, Log, Script, Stop
from tests.support.children import asked, child, order, soon
from tests.support.command import OLD, Place
from tests.support.jobs import node, source, target
from tests.support.standing import has_ended
from tests.support.waiting import until


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def test_a_child_runs_what_is_ordered_and_reports_it(place: Place) -> None:
    with child(place) as (process, heard):
        process.tell(order())
        asked(heard)
        assert place.left()["old.csv"] == OLD
        process.tell(Answer(granted=True))
        done = heard.expect(Done)
        assert (done.report["status"], done.report["targets"][0]["rows"], done.light) == ("COMPLETED", 2, True)
        assert list(place.left().values()) == [b"id,name\n1,a\n2,b\n"]


def test_a_child_runs_one_job_after_another(place: Place) -> None:
    with child(place) as (process, heard):
        for number in (1, 2, 3):
            process.tell(order(execution_id=f"run{number}"))
            asked(heard)
            process.tell(Answer(granted=True))
            assert heard.expect(Done).report["executionId"] == f"run{number}"


def test_the_log_of_a_run_says_what_was_read_and_written(place: Place) -> None:
    with child(place) as (process, heard):
        process.tell(order())
        texts = []
        process.tell(Answer(granted=True))
        while not isinstance(line := heard.next(skipping=()), Done):
            if isinstance(line, Log):
                texts.append(line.text.partition(" ")[2])
        assert texts[:3] == [
            "attempt 1 of job",
            "read 2 rows, 16 bytes from lake/in (node 1) as CSV",
            "wrote 2 rows, 16 bytes to lake/out (node 9) as CSV",
        ]
        assert texts[3].startswith("COMPLETED after ")


def test_a_child_touches_no_more_than_the_key_that_asked_for_the_run_may(place: Place) -> None:
    with child(place) as (process, heard):
        for grants, node_id in (({"read": ["lake/in"]}, 9), ({"write": ["*"]}, 1)):
            process.tell(replace(order(), grants=grants))
            done = heard.expect(Done)
            assert (done.report["status"], done.report["failure"]["code"]) == ("FAILED", "store-denied")
            assert done.report["failure"]["nodeId"] == node_id
        process.tell(replace(order(), grants={"read": ["lake/in"], "write": ["lake/out"]}))
        asked(heard)
        assert place.left()["old.csv"] == OLD


def test_a_child_that_may_not_commit_leaves_the_old_data(place: Place) -> None:
    with child(place) as (process, heard):
        process.tell(order())
        asked(heard)
        process.tell(Answer(granted=False))
        done = heard.expect(Done)
        assert (done.report["status"], done.report["failure"]["code"], done.light) == ("FAILED", "lease-lost", False)
        assert place.stands()


@pytest.mark.parametrize(("code", "status"), [("cancelled", "CANCELED"), ("timed-out", "FAILED")])
def test_a_stop_is_heard_before_the_commit(place: Place, code: str, status: str) -> None:
    with child(place) as (process, heard):
        process.tell(order())
        asked(heard)
        process.tell(Stop(code, "enough"))  # type: ignore[arg-type]  # the table above holds the words
        process.tell(Answer(granted=False))
        report = heard.expect(Done).report
        assert (report["status"], report["failure"]["code"], report["failure"]["message"]) == (status, code, "enough")
        assert place.stands()


def test_a_stop_that_came_for_one_run_does_not_stop_the_next(place: Place) -> None:
    with child(place) as (process, heard):
        process.tell(order())
        asked(heard)
        process.tell(Answer(granted=True))
        heard.expect(Done)
        process.tell(Stop("cancelled", "too late"))
        process.tell(order(execution_id="run2"))
        asked(heard)
        process.tell(Answer(granted=True))
        assert heard.expect(Done).report["status"] == "COMPLETED"


def test_a_job_that_is_wrong_fails_and_says_why(place: Place) -> None:
    with child(place) as (process, heard):
        process.tell(order(source(), target(parents=(7,))))
        report = heard.expect(Done).report
        assert (report["status"], report["failure"]["code"]) == ("FAILED", "job-invalid")
        assert "there is no node 7" in report["failure"]["message"]


def test_a_run_of_sql_is_not_light(place: Place) -> None:
    sql = node("TRANSFORM_SQL", 5, (1,), sql="SELECT * FROM t", sourceNameList=[{"parentId": 1, "newName": "t"}])
    with child(place) as (process, heard):
        process.tell(order(source(), sql, target(parents=(5,))))
        process.tell(Answer(granted=True))
        asked(heard)
        done = heard.expect(Done)
        assert (done.report["failure"], done.light) == (None, False)


def test_a_child_without_beats_ends_when_its_lease_does(place: Place) -> None:
    with child(place) as (process, heard):
        process.tell(order(seconds=0.3))
        # On a busy machine it may not come as far as to ask.
        last = heard.next(skipping=(Log, Script, Progress, CommitAsked))
        assert isinstance(last, Gone)
        assert last.code == -signal.SIGALRM


def test_a_child_that_hears_of_its_lease_too_late_ends_at_once(place: Place) -> None:
    with child(place) as (process, heard):
        process.tell(order())
        asked(heard)
        process.tell(Beat(soon(-1.0)))
        assert heard.expect(Gone).code == -signal.SIGALRM


def test_beats_keep_a_child_alive_and_an_idle_one_needs_none(place: Place) -> None:
    with child(place) as (process, heard):
        over = soon(3.0)
        process.tell(replace(order(), until=over))
        process.tell(Beat(soon(30.0)))
        asked(heard)
        until(lambda: soon(0.0) > over)
        process.tell(Answer(granted=True))
        heard.expect(Done)
        process.tell(Beat(soon(0.001)))
        process.tell(order(execution_id="run2"))
        asked(heard)


def test_a_child_does_not_outlive_its_worker(place: Place) -> None:
    code = (
        "import time\n"
        "from headrace.execution.children import Process, environment\n"
        "from headrace.settings import current_settings\n"
        "print(Process(environment(current_settings({}), workers=1), lambda line: None).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=place.environment({}))
    assert worker.stdout is not None
    with worker.stdout:
        pid = int(worker.stdout.readline())
        worker.kill()
        worker.wait()
    until(lambda: has_ended(pid))
