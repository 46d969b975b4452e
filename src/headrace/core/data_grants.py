"""Who may read and write which tables of the warehouse, and read which files: grants to owners of feeds.

What a grant means is told by the same rules as the data rights of access keys. They are looked up whenever a job is
made and whenever a run begins, so that one that was taken back counts at once, for schedules too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, and_, select
from sqlalchemy.exc import IntegrityError

from headrace.core.warehouse import TableName, is_name
from headrace.db.tables import data_grants, uploads
from headrace.errors import BadState, NotFound
from headrace.ids import new_id
from headrace.stores.grants import ALL, EVERYTHING, Grants, Use, fault

_c = data_grants.c


@dataclass(frozen=True, slots=True)
class Grant:
    """To owners that match `who`: the use of `what`, as it was written."""

    grant_id: str
    who: str
    use: Use
    what: str
    created_at: datetime


def place_of(what: str, *, use: Use, warehouse: str) -> str:
    """The data that a text means: `sales.orders`, `sales.*`, `*.*` for all tables, `lake/raw` or `lake/` for files.

    `*` is everything. Raises ValueError that says what is wrong.
    """
    if what == ALL:
        return ALL
    if "/" in what:
        if use == "write":
            raise ValueError("is of files, and jobs write into tables: name one as schema.table")
        place = what.strip("/")
        if told := fault(place):
            raise ValueError(told)
        return place
    schema, dot, table = what.partition(".")
    if dot and table == ALL and schema == ALL:
        return warehouse
    if dot and table == ALL and is_name(schema):
        return f"{warehouse}/{schema.lower()}"
    return f"{warehouse}/{TableName.of(what).prefix}"


def give(con: Connection, account_id: str, who: str, *, use: Use, what: str, warehouse: str, now: datetime) -> Grant:
    """Give owners the use of something. Raises ValueError for what means nothing, BadState when they have it."""
    made = Grant(new_id(), who, use, what, now)
    place = place_of(what, use=use, warehouse=warehouse)
    values = {"grant_id": made.grant_id, "account_id": account_id, "who": who, "use": use, "what": what}
    try:
        with con.begin_nested():
            con.execute(sa.insert(data_grants).values(**values, place=place, created_at=now.timestamp()))
    except IntegrityError:
        raise BadState(f"{who} may {use} {what} already") from None
    return made


def take(con: Connection, account_id: str, grant_id: str) -> Grant:
    """Take a grant back; gives what it was. Raises NotFound."""
    this = and_(_c.account_id == account_id, _c.grant_id == grant_id)
    row = con.execute(select(data_grants).where(this)).first()
    if row is None:
        raise NotFound("grant", grant_id)
    con.execute(sa.delete(data_grants).where(this))
    return _grant(row)


def list(con: Connection, account_id: str) -> tuple[Grant, ...]:
    """All grants, by whom they are for."""
    wanted = select(data_grants).where(_c.account_id == account_id).order_by(_c.who, _c.use, _c.what)
    return tuple(map(_grant, con.execute(wanted)))


def of(con: Connection, account_id: str, owner_id: str) -> Grants:
    """Which data the jobs of an owner may touch. Which uploaded files are theirs is asked where a job is made."""
    rows = con.execute(select(_c.who, _c.use, _c.place).where(_c.account_id == account_id)).all()
    mine = [(row.use, row.place) for row in rows if fnmatchcase(owner_id, row.who)]
    read = tuple(place for use, place in mine if use == "read")
    write = tuple(place for use, place in mine if use == "write")
    if ALL in read and ALL in write:
        return EVERYTHING
    whose = and_(uploads.c.account_id == account_id, uploads.c.owner_id == owner_id)
    shelves = con.scalars(select(uploads.c.bucket).where(whose).distinct())
    return Grants((*read, *shelves), write, (ALL,))


def _grant(row: Row[Any]) -> Grant:
    return Grant(row.grant_id, row.who, row.use, row.what, datetime.fromtimestamp(row.created_at, UTC))
