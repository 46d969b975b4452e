import os
from pathlib import Path

import pytest

from headrace.stores.settling import Settling
from tests.support.waiting import until


class Flushes:
    """Counts the flushes of a file by the size that it had."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        monkeypatch.setattr("headrace.stores.settling.os.fdatasync", self)

    def __call__(self, handle: int) -> None:
        self.sizes.append(os.fstat(handle).st_size)


def test_a_file_is_flushed_while_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes = Flushes(monkeypatch)
    begun = Settling(str(tmp_path), worth=10, every=0.001)
    with (tmp_path / "part.csv").open("wb", buffering=0) as file:
        file.write(b"x" * 20)
        until(lambda: flushes.sizes == [20])
        file.write(b"x" * 5)
        file.write(b"x" * 5)
        until(lambda: flushes.sizes == [20, 30])
    begun.stop()
    assert not begun.alive


def test_what_is_not_worth_it_is_left_to_the_flush_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes = Flushes(monkeypatch)
    (tmp_path / "small.csv").write_bytes(b"x" * 9)
    begun = Settling(str(tmp_path), worth=10, every=0.001)
    (tmp_path / "large.csv").write_bytes(b"x" * 10)
    until(lambda: bool(flushes.sizes))
    begun.stop()
    assert set(flushes.sizes) == {10}


def test_it_ends_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "staging"
    folder.mkdir()
    begun = Settling(str(folder), every=0.001)
    folder.rmdir()
    until(lambda: not begun.alive)
