"""Who asks."""

from dataclasses import dataclass

from headrace.auth.policy import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of an access key: the account that its things belong to, and what it may do."""

    account_id: str
    name: str
    access_key: str
    role: Role
