import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.errors import StoreError
from headrace.execution import machine
from headrace.execution.machine import available_memory, limits, peak_memory
from headrace.settings import Settings, load_settings


def settings(folder: Path, **flags: str) -> Settings:
    return load_settings({"data": str(folder), **flags}, {}, folder)


def test_a_run_has_a_spill_folder_of_its_own_for_as_long_as_it_lives(tmp_path: Path) -> None:
    with limits(settings(tmp_path), "run1") as allowed:
        assert allowed.temp_directory == str(tmp_path / "tmp" / "run1")
        assert Path(allowed.temp_directory).is_dir()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_folders_of_dead_runs_are_removed_and_those_of_live_ones_kept(tmp_path: Path) -> None:
    dead = tmp_path / "tmp" / "dead"
    dead.mkdir(parents=True)
    (dead / "owner").touch()
    (dead / "spilled.tmp").write_text("much")
    strange = tmp_path / "tmp" / "not ours"
    strange.mkdir()
    with limits(settings(tmp_path), "live"), limits(settings(tmp_path), "later"):
        assert sorted(path.name for path in (tmp_path / "tmp").iterdir()) == ["later", "live", "not ours"]


def test_limits_are_the_settings_or_the_machines(tmp_path: Path) -> None:
    told = settings(tmp_path, threads="3", memory_limit="2GB", temp_size="1MB")
    with limits(told, "run1") as allowed:
        assert (allowed.threads, allowed.memory, allowed.temp_size) == (3, "2097152KiB", "1024KiB")
    with limits(settings(tmp_path), "run2") as allowed:
        assert allowed.threads == len(os.sched_getaffinity(0))
        assert allowed.memory == f"{int(available_memory() * 0.6) // 1024}KiB"


@pytest.mark.parametrize(("limit", "gives"), [("1048576\n", 1048576), ("max\n", 2048 * 1024), ("99999999999", 2097152)])
def test_memory_is_that_of_the_control_group_when_it_is_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, gives: int
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:        2048 kB\nMemFree: 1 kB\n")
    (tmp_path / "max").write_text(limit)
    monkeypatch.setattr(machine, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path / "max")
    assert available_memory() == gives


def test_a_temporary_folder_that_can_not_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = settings(tmp_path, temp_directory=str(tmp_path / "file"))
    with pytest.raises(StoreError) as caught, limits(told, "run1"):
        pass
    assert type(caught.value) is StoreError
    assert str(caught.value) == (
        f"the temporary folder {tmp_path / 'file'}: File exists; make it a folder, or set temp_directory"
    )


def test_a_folder_that_is_just_being_made_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []
    real = machine._sweep

    def sweep(root: Path) -> None:
        handle = os.open(root, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.append(True)
        finally:
            os.close(handle)
        real(root)

    monkeypatch.setattr(machine, "_sweep", sweep)
    with limits(settings(tmp_path), "run1"):
        pass
    assert held == [True]


def test_the_peak_of_memory_is_the_process_s_own_whatever_its_parent_had() -> None:
    ask = "from headrace.execution.machine import peak_memory; print(peak_memory())"
    held = bytearray(300_000_000)
    held[::4096] = b"x" * len(held[::4096])
    done = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True)
    assert 5_000_000 < int(done.stdout) < 200_000_000
    assert len(held) < peak_memory()
