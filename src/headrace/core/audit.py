"""What was changed, and what somebody was not let change: who, what, when, from where. Written with the change itself.

A row is never changed. Its detail is small, and holds nothing that is secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select

from headrace.auth.principal import Principal
from headrace.core.paging import Page
from headrace.db.tables import audit

Result = Literal["done", "denied"]
RESULTS: tuple[Result, ...] = ("done", "denied")
_MOST_SIGNS = 200
_ADD = insert(audit)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done or refused: `resource` is its path without what all have in common (`jobs/<id>`)."""

    action: str
    resource: str
    result: Result = "done"
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: the address of who sent it, and the id that its answer carried."""

    address: str
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A row. `principal` is the name of the key, `access_key` None for what was done on the server's own machine."""

    id: int
    at: datetime
    principal: str
    access_key: str | None
    action: str
    resource: str
    result: Result
    source: str
    trace_id: str | None
    detail: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows a list holds; what is empty does not matter. `who` is the name of a key, or its access key.

    A resource stands for all that belongs to it too. `begin` is the first moment that counts, `end` the first that
    does not.
    """

    who: str = ""
    action: str = ""
    resource: str = ""
    result: str = ""
    begin: datetime | None = None
    end: datetime | None = None


def write(con: Connection, principal: Principal, deed: Deed, *, origin: Origin, now: datetime) -> None:
    """Add a row."""
    values = {
        "account_id": principal.account_id,
        "at": now.timestamp(),
        "principal": principal.name,
        "access_key": principal.access_key or None,
        "action": deed.action,
        "resource": _plain(deed.resource),
        "result": deed.result,
        "source": _plain(origin.address),
        "trace_id": origin.trace_id,
        "detail": dict(deed.detail) or None,
    }
    con.execute(_ADD, values)


def list(con: Connection, account_id: str, *, filter: AuditFilter, page: Page) -> tuple[tuple[Entry, ...], int]:
    """The rows of a page, the newest first, and how many there are in all."""
    wanted, c = _matches(account_id, filter), audit.c
    count = con.scalar(select(func.count()).select_from(audit).where(wanted)) or 0
    columns = [c[name] for name in Entry.__slots__]
    ordered = select(*columns).where(wanted).order_by(c.id.desc()).limit(page.rows).offset(page.first)
    rows = con.execute(ordered).mappings() if page.rows else ()
    return tuple(Entry(**{**row, "at": datetime.fromtimestamp(row["at"], UTC)}) for row in rows), count


def _matches(account_id: str, wanted: AuditFilter) -> ColumnElement[bool]:
    c = audit.c
    tests = [c.account_id == account_id]
    if wanted.who:
        tests.append(or_(c.principal == _plain(wanted.who), c.access_key == _plain(wanted.who)))
    if wanted.action:
        tests.append(c.action == _plain(wanted.action))
    if wanted.resource:
        resource = _plain(wanted.resource)
        tests.append(or_(c.resource == resource, c.resource.startswith(f"{resource}/", autoescape=True)))
    if wanted.result:
        tests.append(c.result == _plain(wanted.result))
    if wanted.begin is not None:
        tests.append(c.at >= wanted.begin.timestamp())
    if wanted.end is not None:
        tests.append(c.at < wanted.end.timestamp())
    return and_(*tests)


def _plain(text: str) -> str:
    """A text that every database keeps, and a log of any size holds."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[:_MOST_SIGNS])
