"""Who asks for something."""

from dataclasses import dataclass
from typing import Literal

from headrace.auth import policy
from headrace.auth.policy import Action, Policy
from headrace.stores.grants import EVERYTHING, NOTHING, Grants

Role = Literal["manager", "viewer"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose signature was found right, or the server's own command line.

    Without a policy and grants of its own it has those of its role: a manager's jobs may touch all data.
    """

    account_id: str
    name: str
    access_key: str
    role: Role
    policy: Policy | None = None
    grants: Grants | None = None

    def may(self, action: Action, *things: str) -> bool:
        """Whether the caller may do this to a thing with these ids and names; without any, to some thing at least."""
        return policy.allows(policy.in_force(self.role, self.policy), action, *things)

    def may_depends(self, action: Action) -> bool:
        """Whether it depends on the thing."""
        return self.policy is not None and policy.tells_things_apart(self.policy, action)

    @property
    def data(self) -> Grants:
        """Which data the caller's jobs may touch."""
        if self.grants is not None:
            return self.grants
        return EVERYTHING if self.role == "manager" else NOTHING
