from dataclasses import dataclass, field

from headrace.api.keyring import TRUSTED_SECONDS, Keyring, Opened
from headrace.auth.principal import Principal

KEY = Opened(Principal("main", "ci", "K", "viewer"), "secret")


@dataclass
class Shelf:
    """Where keys are read from, and how often that was done."""

    keys: dict[str, Opened] = field(default_factory=lambda: {"K": KEY})
    seconds: float = 0.0
    changes: int = 0
    read: int = 0

    def ring(self) -> Keyring:
        return Keyring(self._find, seconds=lambda: self.seconds, changes=lambda: self.changes)

    def _find(self, access_key: str) -> Opened | None:
        self.read += 1
        return self.keys.get(access_key)


def test_a_key_that_was_just_used_is_at_hand_and_read_once() -> None:
    shelf = Shelf()
    ring = shelf.ring()
    assert ring.at_hand("K") is None
    assert [ring.find("K"), ring.find("K"), ring.at_hand("K")] == [KEY] * 3
    assert shelf.read == 1


def test_a_key_that_another_process_revoked_stops_within_a_second() -> None:
    shelf = Shelf()
    ring = shelf.ring()
    ring.find("K")
    del shelf.keys["K"]
    shelf.seconds = TRUSTED_SECONDS
    assert (ring.at_hand("K"), ring.find("K")) == (None, None)


def test_a_key_that_this_process_revoked_stops_at_once() -> None:
    shelf = Shelf()
    ring = shelf.ring()
    ring.find("K")
    shelf.changes += 1
    del shelf.keys["K"]
    assert (ring.at_hand("K"), ring.find("K"), ring.at_hand("K")) == (None, None, None)


def test_a_change_that_comes_while_a_key_is_read_is_not_missed() -> None:
    shelf = Shelf()

    def read_before_the_change(access_key: str) -> Opened | None:
        shelf.changes += 1
        return KEY

    ring = Keyring(read_before_the_change, seconds=lambda: 0.0, changes=lambda: shelf.changes)
    assert ring.find("K") == KEY
    assert ring.at_hand("K") is None


def test_unknown_keys_are_not_kept() -> None:
    ring = Shelf().ring()
    assert (ring.find("X"), ring.at_hand("X")) == (None, None)
