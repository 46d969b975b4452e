"""Who calls NexusOne's dialect, and what a caller is told who may not.

A caller shows a bearer token, or a key in `Authorization-PSK`. Refusals are `{"detail": …}`, as in the whole dialect.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from headrace.auth import roles
from headrace.auth.principal import Principal
from headrace.auth.roles import Right

AUTHORIZATION, PSK = "authorization", "authorization-psk"
CALLER = "caller"
# How the caller came in: the keys of jobs are good for the status of their job alone.
Way = Literal["token", "key", "job key"]


@dataclass(frozen=True, slots=True)
class Caller:
    """One who was let in. `owner_id` is what jobs of theirs have as owner."""

    account_id: str
    owner_id: str
    roles: frozenset[str]
    way: Way
    # The client that the token was given to; with a job's key, the job whose status may be written.
    client_id: str = ""
    job_id: str = ""

    def may(self, right: Right) -> bool:
        """Whether a role of the caller allows this."""
        return right in roles.rights(self.roles)

    @property
    def is_admin(self) -> bool:
        """Whether others' jobs are the caller's business, too."""
        return self.may("monitor-all")

    def may_touch(self, owner_id: str) -> bool:
        """Whether the caller may see, start and delete jobs of this owner."""
        return self.may("monitor") and (self.is_admin or self.owner_id == owner_id)

    def may_write_status(self, job_id: str, owner_id: str) -> bool:
        """Whether the caller may say how this job of that owner went: by the job's key, or as one who may touch it."""
        return self.job_id == job_id if self.way == "job key" else self.may_touch(owner_id)

    @property
    def principal(self) -> Principal:
        """The caller as the core knows callers; what may be done by which role was asked here before."""
        return Principal(self.account_id, self.owner_id, f"nx1:{self.owner_id}", "manager")


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer to one who is not let in, or not to this."""

    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """The answer's JSON."""
        return json.dumps({"detail": self.detail}).encode()


class Admit(Protocol):
    """Who sends these headers, or why they are not let in. Blocks: it may read keys."""

    def __call__(self, headers: Mapping[str, str], /) -> Caller | Refused:
        """The caller, or the refusal."""

    def at_once(self, headers: Mapping[str, str], /) -> Caller | Refused | None:
        """The same, when it can be said without waiting for anything; else None."""


def unauthorized(detail: str, *, error: str = "") -> Refused:
    """401, with what the standard of bearer tokens wants to be said."""
    challenge = f'Bearer realm="headrace", error="{error}"' if error else 'Bearer realm="headrace"'
    return Refused(401, detail, {"www-authenticate": challenge})


def only_status(caller: Caller, method: str, path: str) -> Refused | None:
    """Why a job's key opens this not; None for the status of its job, and for other callers."""
    if caller.way != "job key" or (method, path) == ("PUT", f"/api/jobs/{caller.job_id}/status"):
        return None
    return Refused(403, "the key of a job is good for writing the status of that job alone")
