"""What an endpoint is handed: who calls, with what body, and what the server has to answer with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import Request

from headrace.api.gateway import Operation
from headrace.auth.principal import Principal
from headrace.clock import Clock
from headrace.settings import Settings

if TYPE_CHECKING:
    from headrace.db.session import Database

STATE = "call"


@dataclass(frozen=True, slots=True)
class Server:
    """What all calls share. `nrns` are those that have credentials."""

    database: "Database"
    clock: Clock
    settings: Settings
    nrns: frozenset[str] = frozenset()

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self.clock.now()


@dataclass(frozen=True, slots=True)
class Call:
    """One call that has passed the gateway. `target` is what was signed; `peer` is the address that it came from."""

    server: Server
    principal: Principal
    operation: Operation
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    target: str
    peer: str
    trace_id: str


def call_of(request: Request) -> Call:
    """The call that the gateway has put beside the request."""
    call = request.scope["state"][STATE]
    assert isinstance(call, Call)
    return call
