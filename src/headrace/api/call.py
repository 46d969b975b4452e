"""What an endpoint is handed: who calls, with what body, and what the server has to answer with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import Request

from headrace.auth.principal import Principal
from headrace.clock import Clock

if TYPE_CHECKING:
    from headrace.db.session import Database

STATE = "call"


@dataclass(frozen=True, slots=True)
class Server:
    """What all calls share."""

    database: "Database"
    clock: Clock

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self.clock.now()


@dataclass(frozen=True, slots=True)
class Call:
    """One call that has passed the gateway."""

    server: Server
    principal: Principal
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def call_of(request: Request) -> Call:
    """The call that the gateway has put beside the request."""
    call = request.scope["state"][STATE]
    assert isinstance(call, Call)
    return call
