"""The keys that were used a moment ago, opened: to read and open one takes longer than all else that a request needs.

A key that was revoked, or whose rights were changed, opens nothing from then on when this process did that. What
another process did is seen within a second: for so long an entry is trusted before it is read again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from headrace.auth.principal import Principal

TRUSTED_SECONDS = 1.0
_MOST_KEYS = 1000


@dataclass(frozen=True, slots=True)
class Opened:
    """A key that is valid: whom it stands for, and the secret that signs."""

    principal: Principal
    secret: str = field(repr=False)


class Keyring:
    """Gives opened keys. `read` looks in the database: the key, or None for one that is unknown or revoked.

    `changes` counts the changes of keys by this process.
    """

    def __init__(
        self, read: Callable[[str], Opened | None], *, seconds: Callable[[], float], changes: Callable[[], int]
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._changes = changes
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[float, int, Opened]] = OrderedDict()

    def at_hand(self, access_key: str) -> Opened | None:
        """The key when it was read within the last second; this never waits."""
        with self._lock:
            entry = self._entries.get(access_key)
        if entry is None:
            return None
        at, changes, opened = entry
        return opened if self._seconds() - at < TRUSTED_SECONDS and changes == self._changes() else None

    def find(self, access_key: str) -> Opened | None:
        """The key, read now unless it is at hand."""
        found = self.at_hand(access_key)
        if found is not None:
            return found
        # Taken before: what is read after may be older than a change that comes meanwhile.
        at, changes = self._seconds(), self._changes()
        opened = self._read(access_key)
        with self._lock:
            self._entries.pop(access_key, None)
            if opened is not None:
                self._entries[access_key] = (at, changes, opened)
                if len(self._entries) > _MOST_KEYS:
                    self._entries.popitem(last=False)
        return opened
