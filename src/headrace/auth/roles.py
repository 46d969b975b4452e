"""What the roles of NexusOne's dialect allow. Pure.

A role that is not named here allows nothing, so that those of other programs may stand in the same token.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

Right = Literal["ask", "engineer", "ingest", "storage", "monitor", "monitor-all"]

ROLES: Mapping[str, frozenset[Right]] = {
    "nx1_ask": frozenset({"ask"}),
    "nx1_engineer": frozenset({"engineer"}),
    "nx1_ingest": frozenset({"ingest"}),
    # Writes to the storage that Ingest works on; ingesting itself is another role.
    "nx1_s3_admin": frozenset({"storage"}),
    "nx1_monitor": frozenset({"monitor"}),
    "nx1_monitor_ops": frozenset({"monitor"}),
    "nx1_monitor_admin": frozenset({"monitor", "monitor-all"}),
    # These are about parts that do not exist here: who has one may come in, and do nothing by it.
    "nx1_quality": frozenset(),
    "nx1_app_manager": frozenset(),
}


def known(roles: Iterable[str]) -> frozenset[str]:
    """Those of these roles that mean something here."""
    return frozenset(roles) & ROLES.keys()


def rights(roles: Iterable[str]) -> frozenset[Right]:
    """What these roles allow together."""
    return frozenset[Right]().union(*(ROLES.get(role, frozenset()) for role in roles))
