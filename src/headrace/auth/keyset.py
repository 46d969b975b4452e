"""An issuer's keys, kept: asked for again when they are old, or when a token names one that is not among them.

Whom to ask, and how, is told. While the issuer does not answer, the keys that are there go on for a day.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from headrace.auth.bearer import BearerRefused, Head, Key, find, read_keys
from headrace.clock import Clock
from headrace.errors import HeadraceError

FRESH_SECONDS = 300.0
KEPT_SECONDS = 86_400.0
# Who makes up names of keys makes us ask no more often than this.
PAUSE_SECONDS = 10.0
_WAIT_SECONDS = 2.0

Published = Sequence[Mapping[str, object]]
log = logging.getLogger(__name__)


class IssuerUnreachable(HeadraceError):
    """The keys that a token must be checked with can't be had."""

    code = "issuer-unreachable"


@dataclass(frozen=True, slots=True)
class _Kept:
    keys: tuple[Key, ...]
    at: float


def in_background(work: Callable[[], None]) -> None:
    """Do something while the request goes on."""
    threading.Thread(target=work, name="issuer", daemon=True).start()


class KeySet:
    """The keys of one issuer. Used by many threads; one of them asks, the others take what is there."""

    def __init__(
        self,
        ask: Callable[[], Published],
        *,
        clock: Clock,
        later: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._later = later
        self._asking = threading.Lock()
        self._kept: _Kept | None = None
        self._tried_at: float | None = None
        self._failure: HeadraceError | None = None

    def key(self, head: Head) -> Key:
        """The key that a token names. Raises BearerRefused when there is none, IssuerUnreachable when nobody knows."""
        return self.at_hand(head) or self._asked(head)

    def at_hand(self, head: Head) -> Key | None:
        """The key that a token names, if it is known already. Blocks never; old keys are asked for again meanwhile."""
        kept = self._usable()
        key = None if kept is None else find(kept.keys, head)
        if kept is None or key is None:
            return None
        if self._clock.seconds() - kept.at >= FRESH_SECONDS and not self._paused() and self._asking.acquire(False):
            self._later(self._renew_and_release)
        return key

    def _usable(self) -> _Kept | None:
        kept = self._kept
        return kept if kept is not None and self._clock.seconds() - kept.at < KEPT_SECONDS else None

    def _paused(self) -> bool:
        return self._tried_at is not None and self._clock.seconds() - self._tried_at < PAUSE_SECONDS

    def _asked(self, head: Head) -> Key:
        """The key, from the issuer if it was not asked just now."""
        if not self._asking.acquire(timeout=_WAIT_SECONDS):
            raise IssuerUnreachable("the token's issuer takes its time to tell its keys", hint="try again in a moment")
        try:
            if not self._paused():
                self._renew()
            kept = self._usable()
            key = None if kept is None else find(kept.keys, head)
            if key is not None:
                return key
            if self._failure is not None:
                told = f"the keys of the token's issuer can't be had: {self._failure.message}"
                raise IssuerUnreachable(told, hint="try again in a moment")
            raise BearerRefused("the token is signed with a key that its issuer does not publish")
        finally:
            self._asking.release()

    def _renew_and_release(self) -> None:
        try:
            self._renew()
        finally:
            self._asking.release()

    def _renew(self) -> None:
        self._tried_at = self._clock.seconds()
        try:
            keys = read_keys(self._ask())
        except HeadraceError as error:
            self._failure = error
            log.warning("the keys of the issuer can't be had", extra={"reason": str(error)})
            return
        self._failure = None
        self._kept = _Kept(keys, self._clock.seconds())
