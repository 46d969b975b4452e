"""Pre-shared keys: one that is a person's own, with the roles that the person had, and one for the status of a job.

A person has one active key, and so has a job. The key is shown when it is made; what is kept cannot be turned back.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from headrace.core.clients import can_be
from headrace.core.digests import digest, new_secret
from headrace.core.jobs import moment
from headrace.db.tables import clients, psks
from headrace.errors import BadState, NotFound

_PREFIX = "hrk"
_USES_NOTED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Psk:
    """A key without what opens. With `job_id` it is good for the status of that job alone."""

    psk_id: str
    account_id: str
    owner_id: str
    roles: frozenset[str]
    client_id: str | None
    job_id: str | None
    description: str | None
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who makes a key for themselves: with these roles, and by the token of this client.

    When the client is one of ours, the key ends with it.
    """

    account_id: str
    owner_id: str
    roles: frozenset[str]
    client_id: str = ""


def create(con: Connection, holder: Holder, *, description: str | None = None, now: datetime) -> tuple[Psk, str]:
    """Make a person's own key; gives it with what opens. Raises BadState when there is an active one."""
    if _active(con, _personal(holder.account_id, holder.owner_id)) is not None:
        raise BadState("there is an active key already", hint="regenerate it, or delete it first")
    told = {"roles": sorted(holder.roles), "client_id": _client_of(con, holder), "description": description}
    return _made(con, holder.account_id, holder.owner_id, now=now, **told)


def regenerate(con: Connection, holder: Holder, *, now: datetime) -> tuple[Psk, str]:
    """End a person's own key and make the next one, with the roles of now. Raises NotFound when there is none."""
    old = get(con, holder.account_id, holder.owner_id)
    _end(con, _personal(holder.account_id, holder.owner_id), now)
    return create(con, holder, description=old.description, now=now)


def create_for_job(con: Connection, *, account_id: str, owner_id: str, job_id: str, now: datetime) -> str:
    """A key for the status of one job, in place of the one that it had; gives what opens."""
    revoke_for_job(con, job_id, now=now)
    return _made(con, account_id, owner_id, now=now, roles=[], job_id=job_id)[1]


def get(con: Connection, account_id: str, owner_id: str) -> Psk:
    """A person's active key. Raises NotFound."""
    found = _active(con, _personal(account_id, owner_id))
    if found is None:
        raise NotFound("key", owner_id)
    return found


def revoke(con: Connection, account_id: str, owner_id: str, *, now: datetime) -> str:
    """End a person's own key; gives its id. Raises NotFound when there is none."""
    found = get(con, account_id, owner_id)
    _end(con, _personal(account_id, owner_id), now)
    return found.psk_id


def revoke_for_job(con: Connection, job_id: str, *, now: datetime) -> None:
    """End the key of a job, if it has one."""
    _end(con, psks.c.job_id == job_id, now)


def proven(con: Connection, key: str) -> Psk | None:
    """The active key that this opens."""
    return _active(con, psks.c.digest == digest(key))


def needs_note(psk: Psk, now: datetime) -> bool:
    """Whether its last use that was written down is some time ago: not every request is worth a write."""
    last = psk.last_used_at
    return last is None or (now - last).total_seconds() >= _USES_NOTED_SECONDS


def note_use(con: Connection, psk: Psk, *, now: datetime) -> None:
    """Write down that it was used."""
    con.execute(update(psks).where(psks.c.psk_id == psk.psk_id).values(last_used_at=now.timestamp()))


def _client_of(con: Connection, holder: Holder) -> str | None:
    """The client of ours that the key ends with. A token that is left of a revoked one makes no key."""
    if not can_be(holder.client_id):
        return None
    row = con.execute(select(clients).where(clients.c.client_id == holder.client_id).with_for_update()).first()
    if row is None:
        return None
    if row.revoked_at is not None:
        raise BadState("the client that the token was given to is revoked")
    return str(row.client_id)


def _personal(account_id: str, owner_id: str) -> ColumnElement[bool]:
    c = psks.c
    return and_(c.account_id == account_id, c.owner_id == owner_id, c.job_id.is_(None))


def _active(con: Connection, this: ColumnElement[bool]) -> Psk | None:
    row = con.execute(select(psks).where(this, psks.c.revoked_at.is_(None))).first()
    return None if row is None else _psk(row)


def _end(con: Connection, this: ColumnElement[bool], now: datetime) -> None:
    at = now.timestamp()
    con.execute(update(psks).where(this, psks.c.revoked_at.is_(None)).values(revoked_at=at, updated_at=at))


def _made(con: Connection, account_id: str, owner_id: str, *, now: datetime, **values: Any) -> tuple[Psk, str]:
    key, psk_id, at = new_secret(_PREFIX), str(uuid.uuid4()), now.timestamp()
    whose = {"account_id": account_id, "owner_id": owner_id}
    made = {"psk_id": psk_id, "digest": digest(key), "created_at": at, "updated_at": at}
    try:
        con.execute(insert(psks).values(**whose, **made, **values))
    except IntegrityError:
        raise BadState("another key was made at the same moment") from None
    kept = _active(con, psks.c.psk_id == psk_id)
    assert kept is not None
    return kept, key


def _psk(row: Row[Any]) -> Psk:
    names = ("created_at", "updated_at", "last_used_at", "revoked_at")
    moments = {name: moment(getattr(row, name)) for name in names}
    values = {name: getattr(row, name) for name in Psk.__slots__}
    return Psk(**values | moments | {"roles": frozenset(row.roles)})
