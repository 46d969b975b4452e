import os
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from headrace.execution import children, memory
from headrace.execution.children import GROWN, RUNS, Gone, Listener, Nursery, Process, environment, grown
from headrace.execution.lines import PARENT, FromChild
from headrace.settings import load_settings
from tests.support.standing import has_ended
from tests.support.waiting import until


def test_a_child_gets_the_settings_that_came_by_flags_and_no_secrets_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SECRET_KEY", "FIRST_SECRET_KEY", "FIRST_SECRET_KEY_FILE"):
        monkeypatch.setenv(f"HEADRACE_{name}", "hidden")
    monkeypatch.setenv("HEADRACE_DATABASE", "hidden")
    monkeypatch.setenv("HEADRACE_S3_SECRET_KEY", "needed")
    settings = load_settings({"storage": "/srv/buckets", "read_back": "true"}, {}, tmp_path)
    variables = environment(settings, workers=2)
    assert (variables["HEADRACE_STORAGE"], variables["HEADRACE_READ_BACK"]) == ("/srv/buckets", "true")
    assert "hidden" not in variables.values()
    assert variables["HEADRACE_S3_SECRET_KEY"] == "needed"


def test_children_that_can_not_begin_are_not_waited_for_without_end(tmp_path: Path) -> None:
    variables = environment(load_settings({}, {}, tmp_path), workers=1)
    nursery = Nursery({**variables, PARENT: "1"}, workers=1)
    nursery.start()
    assert nursery.take(patience=0.5) is None
    nursery.close()
    assert not nursery.is_alive()


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    """Two slots of real children."""
    made = Nursery(environment(load_settings({}, {}, tmp_path), workers=2), workers=2)
    made.start()
    yield made
    made.close()


def taken(nursery: Nursery) -> Process:
    process = nursery.take(patience=30)
    assert process is not None
    return process


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


class Early(Process):
    """Is heard before it is made, as when the thread that makes it gets no turn."""

    def __init__(self, variables: Mapping[str, str], listener: Listener) -> None:
        said, told = threading.Event(), threading.Event()

        def hear(line: FromChild | Gone) -> None:
            said.set()
            try:
                listener(line)
            finally:
                told.set()

        super().__init__(variables, hear)
        assert said.wait(30)
        # Who listens has to wait until the process is made.
        assert not told.wait(0.1)


def test_a_child_that_is_ready_before_its_nursery_knows_of_it_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "Process", Early)
    nursery = Nursery(environment(load_settings({}, {}, tmp_path), workers=1), workers=1)
    nursery.start()
    assert isinstance(taken(nursery), Early)
    nursery.close()


def test_a_child_that_is_given_back_is_the_next_one_taken(nursery: Nursery) -> None:
    first = taken(nursery)
    nursery.give_back(first, reuse=True)
    assert taken(nursery) is first


def test_a_child_that_is_not_to_be_used_again_ends_and_another_comes(nursery: Nursery) -> None:
    first = taken(nursery)
    nursery.give_back(first, reuse=False)
    until(lambda: gone(first.pid))
    assert taken(nursery).pid != first.pid


def test_a_child_ends_after_so_many_runs(nursery: Nursery) -> None:
    first = taken(nursery)
    first.runs = RUNS - 1
    nursery.give_back(first, reuse=True)
    assert taken(nursery) is first
    first.runs = RUNS
    nursery.give_back(first, reuse=True)
    until(lambda: gone(first.pid))


def test_a_child_may_keep_half_of_what_a_run_may_have_and_no_more_than_a_bound(tmp_path: Path) -> None:
    bounds = [grown(load_settings({"run_memory_limit": size}, {}, tmp_path)) for size in ("300MB", "64GB")]
    assert bounds == [150 * 1024 * 1024, GROWN]


def test_a_child_that_has_grown_gives_its_memory_back_by_ending_and_another_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, more = 300_000_000, 320_000_000
    grow = "lambda *_: globals().update(kept=bytearray(b'x') * " + f"{more})"
    (tmp_path / "sitecustomize.py").write_text(f"import signal\nsignal.signal(signal.SIGUSR1, {grow})\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    nursery = Nursery(environment(load_settings({}, {}, tmp_path), workers=1), workers=1, most=most)
    nursery.start()
    try:
        first = taken(nursery)
        nursery.give_back(first, reuse=True)
        assert taken(nursery) is first
        os.kill(first.pid, signal.SIGUSR1)
        until(lambda: memory.resident(first.pid) > most)
        nursery.give_back(first, reuse=True)
        assert taken(nursery).pid != first.pid
        until(lambda: gone(first.pid))
    finally:
        nursery.close()


def test_children_that_nobody_needs_end_but_for_one(nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [taken(nursery), taken(nursery)]
    monkeypatch.setattr(children, "_IDLE", 0.1)
    for each in both:
        nursery.give_back(each, reuse=True)
    until(lambda: any(gone(each.pid) for each in both))
    assert [each for each in both if not gone(each.pid)] == [taken(nursery)]


def test_all_that_a_child_has_started_ends_with_it_also_what_ignores_to_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    stubborn = f"trap '' TERM INT HUP; echo $$ > {started}.new; mv {started}.new {started}; while :; do sleep 1; done"
    site = f'import os, subprocess\nif "{PARENT}" in os.environ:\n    subprocess.Popen(["sh", "-c", {stubborn!r}])\n'
    (tmp_path / "sitecustomize.py").write_text(site)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    nursery = Nursery(environment(load_settings({}, {}, tmp_path), workers=1), workers=1)
    nursery.start()
    child = taken(nursery)
    until(started.exists)
    other = int(started.read_text())
    child.signal(signal.SIGTERM)
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: gone(child.pid) and has_ended(other))
    nursery.give_back(child, reuse=False)
    nursery.close()
