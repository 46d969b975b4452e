"""Object storage behind a proxy, and a clock that can be set forward."""

from datetime import UTC, datetime
from typing import Any

from headrace.stores.objects import ObjectStore
from headrace.stores.objects.client import Patience
from tests.support.proxy import Proxy
from tests.support.roots import LEASE
from tests.support.seaweed import Seaweed


def through(seaweed: Seaweed, proxy: Proxy, **more: Any) -> ObjectStore:
    """A store behind the proxy, with little patience."""
    access = seaweed.access()
    other = type(access)(proxy.host, False, access.region, "path", "", access.access_key, access.secret_key)
    patience = Patience(connect=2, answer=1, copy=2, heartbeat=1, attempts=3)
    return ObjectStore(lambda bucket: other, patience=patience, lease=LEASE, **more)


class Ahead:
    """A clock that can be set forward."""

    ahead = 0.0

    def now(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=UTC)

    def seconds(self) -> float:
        return self.ahead
