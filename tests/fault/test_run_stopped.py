"""A run is stopped while its engine writes: by Ctrl-C, by SIGTERM, by a second writer's wait, by kill -9."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from headrace.plan.ops import Place as StoredPlace
from headrace.stores.files import FolderStore
from headrace.stores.publish import snapshot
from tests.support.command import OLD, Place, wait_until
from tests.support.jobs import node, source, target
from tests.support.waiting import A_WHILE

pytestmark = pytest.mark.fault

ROWS = 400_000
MOMENTS = 18
STEP = 500_000


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def endless(place: Place) -> str:
    """A job that writes for a long time: every row of a file with every row of it."""
    place.put("in/a.csv", "id,name\n" + "1,a\n" * 200_000)
    same = [{"leftField": "name", "joinOperator": "EQ", "rightField": "name", "conditionOperator": "HEAD"}]
    join = node("TRANSFORM_JOIN", 3, (1, 2), joinType="INNER", leftNodeId=1, rightNodeId=2, joinConditionList=same)
    return place.job(source(), source(node_id=2), join, target(parents=(3,)))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_run_at_once_and_leaves_the_old_output(
    place: Place, number: signal.Signals, code: int
) -> None:
    process = place.start("run", endless(place), "--json")
    assert wait_until(lambda: place.staged() > 0, process=process)
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - sent < A_WHILE
    assert process.returncode == code
    report = json.loads(out)
    assert (report["status"], report["failure"]["message"]) == ("CANCELED", f"stopped by {number.name}")
    assert err.splitlines()[-1] == f"error: stopped by {number.name}"
    assert place.stands()


def test_ctrl_c_is_heard_while_another_run_writes(place: Place) -> None:
    with FolderStore(place.root / "buckets").claim([("lake", "out")], run="first", wait=0):
        process = place.start("run", place.job(source(), target()), "--set", "writer_wait=60")
        assert wait_until(lambda: any((place.root / "tmp").glob("*/owner")), process=process)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert time.monotonic() - sent < A_WHILE
    assert process.returncode == 130
    assert place.stands()


def test_a_second_signal_ends_the_process_even_if_the_first_is_not_heard(place: Place) -> None:
    process = place.start("run", endless(place))
    assert wait_until(lambda: place.staged() > 0, process=process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode in (130, -signal.SIGINT)
    assert place.left()["old.csv"] == OLD


def seen(place: Place) -> list[bytes]:
    """The objects that our readers see."""
    found = snapshot(FolderStore(place.root / "buckets"), StoredPlace("lake", "out"))
    return [Path(stored.location).read_bytes() for stored in found.objects]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_kill_9_while_the_engine_writes_leaves_the_old_rows_and_the_next_run_cleans_up(place: Place) -> None:
    place.put("in/a.csv", "id,name\n" + "".join(f"{i},{'x' * 20}\n" for i in range(ROWS)))
    path, small = place.job(source(), target()), place.root / "small.json"
    small.write_text(json.dumps({"name": "small", "nodes": [source(prefix="few"), target()]}))
    place.put("few/a.csv", OLD)
    old, killed = [OLD], 0
    for moment in range(MOMENTS):
        process = place.start("run", path)
        reached = wait_until(lambda at=moment: place.staged() >= (at - 1) * STEP, process=process)  # type: ignore[misc]  # a default
        process.kill()
        process.communicate()
        killed += reached and process.returncode == -signal.SIGKILL
        found = seen(place)
        assert found == old or sum(data.count(b"\n") - 1 for data in found) == ROWS
        after = place.call("run", str(small))
        assert after.code == 0, after.err
        (old_text,) = seen(place)
        old = [old_text]
        assert old_text == OLD
        assert len(place.left()) == 1
        assert list((place.root / "tmp").iterdir()) == []
    assert killed >= 15


def test_a_killed_run_does_not_hold_its_place(place: Place) -> None:
    process = place.start("run", endless(place))
    assert wait_until(lambda: place.staged() > 0, process=process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert isinstance(process, subprocess.Popen)
    place.put("in/a.csv", "id,name\n1,a\n")
    done = place.call("run", place.job(source(), target()), "--set", "writer_wait=0")
    assert done.code == 0
    assert len(place.left()) == 1
