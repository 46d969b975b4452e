"""Who asks for something."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["manager", "viewer"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose signature was found right, or the server's own command line."""

    account_id: str
    name: str
    access_key: str
    role: Role
