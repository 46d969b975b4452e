"""Time and memory of a command, with all that it starts."""

import os
import subprocess
import sys

import pytest

from benchmarks.measure import CommandFailed, pss, rolled_up, taken, tree

HOLDS = "import sys; held = bytearray(b'x') * (64 << 20); print('holds it', flush=True); sys.stdin.read()"
STARTS = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDS!r}], check=True)"


def test_the_memory_of_a_child_is_seen_while_it_lives() -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()

        assert pss(process.pid) < 64 << 20 < sum(map(pss, tree(process.pid)))
        process.communicate()


def test_the_peak_of_a_child_is_known_at_the_end() -> None:
    took = taken([sys.executable, "-c", STARTS], env={}, memory=True)

    assert took.rss > 64 << 20


def test_what_it_prints_is_kept_and_the_environment_is_added_to() -> None:
    took = taken([sys.executable, "-c", "import os; print(os.environ['ADDED'])"], env={"ADDED": "yes"}, memory=False)

    assert (took.printed, took.pss) == ("yes\n", 0)


def test_the_end_of_a_failure_is_told() -> None:
    with pytest.raises(CommandFailed, match=r"ended with 3.*what was wrong"):
        taken([sys.executable, "-c", "import sys; print('what was wrong'); sys.exit(3)"], env={}, memory=False)


def test_a_process_that_is_gone_has_no_memory() -> None:
    assert pss(0) == 0
    assert next(tree(os.getpid())) == os.getpid()


def test_only_the_whole_pss_is_read() -> None:
    text = "55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:   9 kB\nPss:   7 kB\nPss_Dirty:  5 kB\n"

    assert rolled_up(text) == 7 * 1024
    assert rolled_up("") == 0
