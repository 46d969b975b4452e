"""`/api/user/psk`: a caller's own key, for programs that send `Authorization-PSK`."""

from datetime import datetime
from typing import Annotated, NoReturn

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from headrace.api.call import Server
from headrace.api.nx1.gate import Caller
from headrace.api.nx1.middleware import calling
from headrace.core import audit, psks
from headrace.core.audit import Deed, Origin
from headrace.core.psks import Holder, Psk
from headrace.db import Connection
from headrace.errors import BadState, HeadraceError, NotFound

_KEEP = "Keep this key now: it is not shown again."
Whose = Annotated[Caller, Depends(calling)]


class Wanted(BaseModel):
    """What may be said of a key."""

    description: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None


class Made(BaseModel):
    """A key as it is shown once."""

    id: str
    psk: str
    created_at: datetime
    message: str
    description: str | None


class Told(BaseModel):
    """A key without what opens."""

    id: str
    user_id: str
    created_at: datetime
    updated_at: datetime
    is_active: bool
    description: str | None
    last_used_at: datetime | None


class Keys:
    """The endpoints, over one server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def create(self, caller: Whose, request: Request, wanted: Wanted | None = None) -> Made:
        """Make a key; 409 when there is one."""
        _with_token(caller)
        described = None if wanted is None else wanted.description
        try:
            with self._server.database.transaction() as con:
                made, key = psks.create(con, _who(caller), description=described, now=self._server.now())
                self._note(con, caller, "Change/createPsk", made.psk_id, request)
        except BadState as error:
            _refuse(error)
        return _made(made, key)

    def show(self, caller: Whose) -> Told:
        """What is known of the key; 404 when there is none."""
        try:
            with self._server.database.reading() as con:
                return _told(psks.get(con, caller.account_id, caller.owner_id))
        except NotFound as error:
            _refuse(error)

    def regenerate(self, caller: Whose, request: Request) -> Made:
        """Make another key in its place; the old one opens nothing from now on."""
        _with_token(caller)
        try:
            with self._server.database.transaction() as con:
                made, key = psks.regenerate(con, _who(caller), now=self._server.now())
                self._note(con, caller, "Change/createPsk", made.psk_id, request)
        except (BadState, NotFound) as error:
            _refuse(error)
        return _made(made, key)

    def delete(self, caller: Whose, request: Request) -> str:
        """End the key."""
        try:
            with self._server.database.transaction() as con:
                psk_id = psks.revoke(con, caller.account_id, caller.owner_id, now=self._server.now())
                self._note(con, caller, "Change/revokePsk", psk_id, request)
        except NotFound as error:
            _refuse(error)
        return "deleted"

    def _note(self, con: Connection, caller: Caller, action: str, psk_id: str, request: Request) -> None:
        """Write it down, in the transaction that does it."""
        client, state = request.client, request.scope["state"]
        origin = Origin(client.host if client is not None else "", state.get("trace_id"))
        audit.write(con, caller.principal, Deed(action, f"psks/{psk_id}"), origin=origin, now=self._server.now())


def psk_routes(server: Server) -> APIRouter:
    """The endpoints by their whole paths; they stand behind the gate."""
    keys, router = Keys(server), APIRouter(tags=["Users"])
    router.add_api_route("/api/user/psk", keys.create, methods=["POST"])
    router.add_api_route("/api/user/psk", keys.show, methods=["GET"])
    router.add_api_route("/api/user/psk", keys.delete, methods=["DELETE"])
    router.add_api_route("/api/user/psk/regenerate", keys.regenerate, methods=["POST"])
    return router


def _with_token(caller: Caller) -> None:
    """A key makes no other: who has found one has no more than that."""
    if caller.way != "token":
        raise HTTPException(403, "a key is made with a bearer token, not with a key")


def _who(caller: Caller) -> Holder:
    return Holder(caller.account_id, caller.owner_id, caller.roles, caller.client_id)


def _made(psk: Psk, key: str) -> Made:
    return Made(id=psk.psk_id, psk=key, created_at=psk.created_at, message=_KEEP, description=psk.description)


def _told(psk: Psk) -> Told:
    return Told(
        id=psk.psk_id,
        user_id=psk.owner_id,
        created_at=psk.created_at,
        updated_at=psk.updated_at,
        is_active=psk.revoked_at is None,
        description=psk.description,
        last_used_at=psk.last_used_at,
    )


def _refuse(error: HeadraceError) -> NoReturn:
    raise HTTPException(404 if isinstance(error, NotFound) else 409, str(error)) from None
