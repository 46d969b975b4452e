"""How many wrong signatures an address may send. Told the time; used from one thread.

Many clients may stand behind one address, and so may somebody who guesses. So who has signed rightly from there before
is let through however many others fail; only keys that have not proven themselves from there have to wait.
"""

import ipaddress
from collections import OrderedDict

from headrace.api.throttle import Throttle

_RATE, _BURST = 5.0, 100.0
_PROVEN_SECONDS = 3600.0
_MOST_PROVEN = 10_000
_NETWORK_BITS = 64  # what one IPv6 customer has


class Guesses:
    """A bucket of wrong signatures for each address, and who needs none."""

    def __init__(self) -> None:
        self._failures = Throttle(_RATE, burst=_BURST)
        self._proven: OrderedDict[tuple[str, str], float] = OrderedDict()

    def hold_back(self, peer: str, key: str, *, seconds: float) -> bool:
        """Whether a request in the name of this key is refused before anybody looks at its signature."""
        since = self._proven.get((_network(peer), key))
        if since is not None and seconds - since < _PROVEN_SECONDS:
            return False
        return self._failures.left(_network(peer), seconds=seconds) < 1

    def failed(self, peer: str, *, seconds: float) -> None:
        """A signature from there was wrong."""
        self._failures.admits(_network(peer), seconds=seconds)

    def proven(self, peer: str, key: str, *, seconds: float) -> None:
        """A signature from there was right."""
        pair = (_network(peer), key)
        self._proven[pair] = seconds
        self._proven.move_to_end(pair)
        if len(self._proven) > _MOST_PROVEN:
            self._proven.popitem(last=False)


def _network(peer: str) -> str:
    """An address, or the network that one IPv6 customer has to themselves."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if address.version == 4:
        return peer
    return str(ipaddress.ip_network(f"{peer.partition('%')[0]}/{_NETWORK_BITS}", strict=False))
