"""`headrace jobs` against a server and without one: the same words, the same answers, the same exit codes."""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command import Place
from tests.support.serving import served
from tests.support.waiting import until
from tests.support.work import copying, endless, put_rows

both = pytest.mark.parametrize("kind", ["a server", "the database", "the database of a server"])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


@contextmanager
def asked(place: Place, kind: str) -> Iterator[Mapping[str, str]]:
    if kind == "the database":
        yield {}
        return
    with served(place) as server:
        yield server.environment() if kind == "a server" else {}


@both
def test_a_job_is_made_run_shown_and_deleted(place: Place, kind: str) -> None:
    with asked(place, kind) as env:
        made = place.call("jobs", "create", place.job(*copying(), name="nightly"), "--json", **env).json
        assert [each["name"] for each in place.call("jobs", "list", "--json", **env).json] == ["nightly"]
        done = place.call("jobs", "run", "nightly", "--json", **env)
        assert (done.code, done.json["status"], done.json["report"]["targets"][0]["rows"]) == (0, "COMPLETED", 2)
        assert "wrote 2 rows, 16 bytes to lake/out" in done.err
        execution_id = done.json["jobExecutionId"]
        assert place.call("jobs", "logs", made["jobId"], execution_id, **env).out in done.err
        followed = place.call("jobs", "logs", "nightly", "-f", "--json", **env)
        assert "".join(json.loads(line)["text"] for line in followed.out.splitlines()) in done.err
        shown = place.call("jobs", "show", "nightly", **env).out
        assert execution_id in shown
        assert "SOURCE_OBS" in shown
        assert place.call("jobs", "delete", "nightly", **env).code == 0
        assert place.call("jobs", "show", "nightly", **env).error == "there is no job 'nightly'"
        (left,) = place.call("jobs", "executions", "nightly", "--json", **env).json
        assert left["jobExecutionId"] == execution_id


@pytest.mark.parametrize("kind", ["a server", "the database"])
def test_what_is_wrong_ends_with_two_and_what_fails_with_one(place: Place, kind: str) -> None:
    with asked(place, kind) as env:
        wrong = place.call("jobs", "create", "-", "--json", given='{"name": "a b", "nodes": 1}', **env)
        assert (wrong.code, wrong.json["status"]) == (2, "INVALID")
        assert {problem["field"] for problem in wrong.json["problems"]} == {"name", "nodes"}
        assert place.call("jobs", "verify", "-", given="{", **env).code == 2
        assert place.call("jobs", "create", "gone.json", **env).code == 2
        place.put("in/a.csv", b"id,name\n1,\xff\xfe\n")
        assert place.call("jobs", "create", place.job(*copying(), name="broken"), **env).code == 0
        failed = place.call("jobs", "run", "broken", "--json", **env)
        assert (failed.code, failed.json["status"], failed.json["failure"]["code"]) == (1, "FAILED", "bad-data")
        assert place.call("jobs", "cancel", "broken", **env).code == 1
        assert place.call("jobs", "run", "broken", "--param", "day", **env).code == 2


@both
def test_a_job_that_is_not_waited_for_is_only_put_into_the_queue(place: Place, kind: str) -> None:
    with asked(place, kind) as env:
        place.call("jobs", "create", place.job(*copying(), name="later"), **env)
        begun = place.call("jobs", "run", "later", "--no-wait", "--json", **env)
        assert (begun.code, begun.json["status"]) == (0, "READY")
        if kind == "the database":
            assert place.call("jobs", "cancel", "later", "--json", **env).json["status"] == "CANCELED"
        else:
            assert place.call("jobs", "logs", "later", "-f", **env).code == 0


def test_an_update_replaces_what_the_job_does(place: Place) -> None:
    place.call("jobs", "create", place.job(*copying(), name="first"))
    assert place.call("jobs", "update", "first", place.job(*copying(), name="second", type="DATAFLOW")).code == 0
    assert [each["name"] for each in place.call("jobs", "list", "--json").json] == ["second"]


def test_without_a_server_ctrl_c_cancels_what_the_command_runs(place: Place) -> None:
    put_rows(place)
    place.call("jobs", "create", place.job(*endless(), name="slow"))
    process = place.start("jobs", "run", "slow", "--json")
    until(lambda: (place.lake / "out" / "_headrace").exists())
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["status"]) == (130, "CANCELED")
    assert place.left() == {"old.csv": b"id,name\n0,old\n"}


def test_a_key_is_never_a_flag_and_a_server_without_a_key_is_told(place: Place) -> None:
    refused = place.call("jobs", "list", "--url", "http://127.0.0.1:1")
    assert (refused.code, "HEADRACE_ACCESS_SECRET" in refused.error) == (2, True)
    flag = place.call("jobs", "list", "--set", "access_secret=s")
    assert (flag.code, "can't be a flag" in flag.error) == (2, True)
    nobody = place.call(
        "jobs", "list", "--url", "http://127.0.0.1:1", HEADRACE_ACCESS_KEY="a", HEADRACE_ACCESS_SECRET="b"
    )
    assert (nobody.code, nobody.error) == (1, "http://127.0.0.1:1 does not answer: Connection refused")
