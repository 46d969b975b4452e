from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from headrace.auth import keyset
from headrace.auth.bearer import BearerRefused, Head
from headrace.auth.keyset import FRESH_SECONDS, KEPT_SECONDS, PAUSE_SECONDS, IssuerUnreachable, KeySet
from headrace.errors import HeadraceError
from tests.support.bearers import published
from tests.support.proving import proves
from tests.support.server import Hands

ONE, TWO = Head("one", "RS256"), Head("two", "RS256")


class Script:
    """An issuer that publishes what it is told to, and counts who asks."""

    def __init__(self, *kids: str) -> None:
        self.kids: tuple[str, ...] | None = kids
        self.asked = 0
        self.clock = Hands()
        self.put_off: list[Callable[[], None]] = []
        self.keys = KeySet(self.answer, clock=self.clock, later=self.put_off.append)

    def answer(self) -> list[dict[str, Any]]:
        self.asked += 1
        if self.kids is None:
            raise HeadraceError("it is down")
        return [published(kid=kid) for kid in self.kids]

    def later(self) -> None:
        while self.put_off:
            self.put_off.pop()()


def test_keys_are_asked_for_once() -> None:
    issuer = Script("one", "two")
    for head in (ONE, TWO, ONE):
        assert issuer.keys.key(head).kid == head.kid
    assert issuer.asked == 1


def test_a_new_key_is_found_when_a_token_names_it() -> None:
    issuer = Script("one")
    issuer.keys.key(ONE)
    issuer.kids = ("two",)
    issuer.clock.move(PAUSE_SECONDS)
    assert issuer.keys.key(TWO).kid == "two"
    assert issuer.asked == 2


@proves("nexusone-access.keys-of-an-issuer")
def test_made_up_names_of_keys_make_nobody_ask_more_than_now_and_then() -> None:
    issuer = Script("one")
    issuer.keys.key(ONE)
    for number in range(50):
        with pytest.raises(BearerRefused, match="does not publish"):
            issuer.keys.key(Head(f"made up {number}", "RS256"))
    assert issuer.asked == 1
    issuer.clock.move(PAUSE_SECONDS)
    for number in range(50):
        with pytest.raises(BearerRefused):
            issuer.keys.key(Head(f"made up {number}", "RS256"))
    assert issuer.asked == 2


@proves("nexusone-access.keys-of-an-issuer")
def test_old_keys_go_on_while_they_are_asked_for_again() -> None:
    issuer = Script("one")
    issuer.keys.key(ONE)
    issuer.kids = ("two",)
    issuer.clock.move(FRESH_SECONDS)
    assert issuer.keys.key(ONE).kid == "one"
    assert issuer.keys.key(ONE).kid == "one"
    assert (issuer.asked, len(issuer.put_off)) == (1, 1)
    issuer.later()
    with pytest.raises(BearerRefused):
        issuer.keys.key(ONE)
    assert issuer.asked == 2


@proves("nexusone-access.issuer-away")
def test_while_the_issuer_is_down_its_keys_go_on_for_a_day() -> None:
    issuer = Script("one")
    issuer.keys.key(ONE)
    issuer.kids = None
    issuer.clock.move(KEPT_SECONDS - 1)
    assert issuer.keys.key(ONE).kid == "one"
    issuer.later()
    assert issuer.keys.key(ONE).kid == "one"
    issuer.clock.move(PAUSE_SECONDS)
    with pytest.raises(IssuerUnreachable, match="it is down"):
        issuer.keys.key(ONE)


def test_who_was_never_heard_of_is_unreachable_until_it_answers() -> None:
    issuer = Script("one")
    issuer.kids = None
    for _ in range(10):
        with pytest.raises(IssuerUnreachable):
            issuer.keys.key(ONE)
    assert issuer.asked == 1
    issuer.kids = ("one",)
    issuer.clock.move(PAUSE_SECONDS)
    assert issuer.keys.key(ONE).kid == "one"


@proves("nexusone-access.issuer-away")
def test_an_unknown_key_of_an_issuer_that_is_down_may_be_a_right_one() -> None:
    issuer = Script("one")
    issuer.keys.key(ONE)
    issuer.kids = None
    issuer.clock.move(PAUSE_SECONDS)
    with pytest.raises(IssuerUnreachable):
        issuer.keys.key(TWO)
    assert issuer.keys.key(ONE).kid == "one"


def test_an_issuer_that_does_not_come_to_an_answer_holds_up_only_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer, asked, go_on = Script("one"), Event(), Event()
    issuer.keys.key(ONE)
    issuer.clock.move(PAUSE_SECONDS)
    monkeypatch.setattr(keyset, "_WAIT_SECONDS", 0.01)

    def slow() -> list[dict[str, Any]]:
        asked.set()
        assert go_on.wait(30)
        return [published(kid="two")]

    monkeypatch.setattr(issuer.keys, "_ask", slow)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(issuer.keys.key, TWO)
        assert asked.wait(30)
        assert issuer.keys.key(ONE).kid == "one"
        with pytest.raises(IssuerUnreachable, match="takes its time"):
            issuer.keys.key(TWO)
        go_on.set()
        assert found.result(30).kid == "two"
