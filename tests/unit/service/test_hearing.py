from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.errors import StoreError
from headrace.service.hearing import LONG, PAUSE, Hearing
from headrace.stores.files import FolderStore


class Hands:
    """A clock that stands still until a test moves it."""

    at = 0.0

    def now(self) -> datetime:
        return datetime(2024, 1, 5, tzinfo=UTC)

    def seconds(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def hearing(clock: Hands) -> Hearing:
    return Hearing(clock)


@pytest.fixture
def one(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def asked(hearing: Hearing, store: FolderStore, do: Callable[[], None] = lambda: None) -> str:
    """What came of asking a store."""
    try:
        with hearing.of(store):
            do()
    except StoreError as error:
        return error.message
    return "answered"


def fails_after(clock: Hands, seconds: float) -> Callable[[], None]:
    def fail() -> None:
        clock.at += seconds
        raise StoreError("no answer")

    return fail


SILENT = "the endpoint gave no answer a moment ago"


def test_who_did_not_answer_is_left_alone_for_a_while_and_others_are_not(
    hearing: Hearing, clock: Hands, one: FolderStore, other: FolderStore
) -> None:
    assert asked(hearing, one, fails_after(clock, LONG)) == "no answer"
    assert (asked(hearing, one), asked(hearing, other)) == (SILENT, "answered")
    clock.at += PAUSE
    assert (asked(hearing, one), asked(hearing, one)) == ("answered", "answered")


def test_who_failed_quickly_is_asked_again_at_once(hearing: Hearing, clock: Hands, one: FolderStore) -> None:
    assert asked(hearing, one, fails_after(clock, LONG / 2)) == "no answer"
    assert asked(hearing, one) == "answered"


def test_one_alone_asks_again_and_the_others_do_not_wait_with_it(
    hearing: Hearing, clock: Hands, one: FolderStore
) -> None:
    asked(hearing, one, fails_after(clock, LONG))
    clock.at += PAUSE
    meanwhile: list[str] = []
    assert asked(hearing, one, lambda: meanwhile.append(asked(hearing, one))) == "answered"
    assert meanwhile == [SILENT]
    assert asked(hearing, one) == "answered"
