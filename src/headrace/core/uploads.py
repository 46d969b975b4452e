"""Uploaded files: a row for each, made before its first byte is kept, so that what a killed server leaves is found.

The file itself is one object, `<id>/<name>` in the bucket of uploads. Who writes and removes it is told here when.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, and_, or_, select

from headrace.core.jobs import moment
from headrace.db.tables import uploads
from headrace.errors import HeadraceError, NotFound
from headrace.stores.names import check_key, is_hidden

# What has not been seen to come for so long comes no more.
GONE_SECONDS = 600.0
_BATCH = 100
_c = uploads.c


class BadName(HeadraceError):
    """A file can't be kept under this name."""

    code = "bad-name"


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file."""

    upload_id: str
    owner_id: str
    name: str
    bucket: str
    size: int
    access_count: int
    created_at: datetime
    accessed_at: datetime | None

    @property
    def key(self) -> str:
        """Its object's name in the bucket."""
        return f"{self.upload_id}/{self.name}"


def check_name(name: str) -> None:
    """Raise BadName, or StoreDenied, for a name that is none of a file or would lead out of the file's own folder."""
    if "/" in name or "\\" in name:
        raise BadName("the name has a slash: send the file's own name, without folders")
    if is_hidden(name):
        raise BadName("a name that begins with '_' or '.' is not data: send another one")
    check_key(name)


def begin(con: Connection, account_id: str, owner_id: str, *, name: str, bucket: str, now: datetime) -> Upload:
    """Write down that a file comes. Nobody is shown it until it is there."""
    upload_id, at = str(uuid.uuid4()), now.timestamp()
    whose = {"account_id": account_id, "owner_id": owner_id}
    values = {"name": name, "bucket": bucket, "size": 0, "access_count": 0, "created_at": at, "touched_at": at}
    con.execute(sa.insert(uploads).values(upload_id=upload_id, **whose, **values))
    return Upload(upload_id, owner_id, name, bucket, 0, 0, now, None)


def touch(con: Connection, upload_id: str, *, now: datetime) -> None:
    """Write down that it still comes. Raises NotFound when it was given up meanwhile."""
    _change(con, upload_id, {"touched_at": now.timestamp()})


def finish(con: Connection, upload_id: str, *, size: int, now: datetime) -> Upload:
    """The file is there, whole. Raises NotFound when it was given up meanwhile."""
    _change(con, upload_id, {"touched_at": now.timestamp(), "ready_at": now.timestamp(), "size": size})
    return _upload(con.execute(select(uploads).where(_c.upload_id == upload_id)).one())


def get(con: Connection, account_id: str, upload_id: str) -> Upload:
    """A file that is there. Raises NotFound."""
    row = con.execute(select(uploads).where(_ready(account_id), _c.upload_id == upload_id)).first()
    if row is None:
        raise NotFound("file", upload_id)
    return _upload(row)


def find(con: Connection, account_id: str, upload_id: str, *, owner_id: str) -> Upload | None:
    """A file of this owner that is there."""
    row = con.execute(select(uploads).where(_ready(account_id), _c.upload_id == upload_id)).first()
    return _upload(row) if row is not None and row.owner_id == owner_id else None


def list(con: Connection, account_id: str, *, owner_id: str, limit: int, offset: int) -> tuple[Upload, ...]:
    """The files of an owner, the newest first."""
    wanted = select(uploads).where(_ready(account_id), _c.owner_id == owner_id)
    ordered = wanted.order_by(_c.created_at.desc(), _c.upload_id).limit(limit).offset(offset)
    return tuple(map(_upload, con.execute(ordered)))


def note_access(con: Connection, upload_id: str, *, now: datetime) -> None:
    """Count that it was read."""
    values = {"access_count": _c.access_count + 1, "accessed_at": now.timestamp()}
    con.execute(sa.update(uploads).where(_c.upload_id == upload_id).values(values))


def delete(con: Connection, account_id: str, upload_id: str, *, now: datetime) -> None:
    """Let a file be seen no more; its object is to be removed then, and `forget` told. Raises NotFound."""
    this = and_(_ready(account_id), _c.upload_id == upload_id)
    if not con.execute(sa.update(uploads).where(this).values(deleted_at=now.timestamp())).rowcount:
        raise NotFound("file", upload_id)


def left(con: Connection, *, now: float) -> Sequence[tuple[str, str]]:
    """What is deleted or comes no more, and has an object, perhaps: ids and buckets, at most so many."""
    found = con.execute(select(_c.upload_id, _c.bucket).where(_is_left(now)).limit(_BATCH))
    return [(row.upload_id, row.bucket) for row in found]


def give_up(con: Connection, upload_id: str, *, now: float) -> bool:
    """Let what is left come no more, and be looked at again in a while; False when another one has done so."""
    this = and_(_c.upload_id == upload_id, _is_left(now))
    return con.execute(sa.update(uploads).where(this).values(deleted_at=now)).rowcount > 0


def forget(con: Connection, upload_id: str) -> None:
    """Its object is gone."""
    con.execute(sa.delete(uploads).where(_c.upload_id == upload_id))


def _is_left(now: float) -> sa.ColumnElement[bool]:
    gone = and_(_c.ready_at.is_(None), _c.deleted_at.is_(None), _c.touched_at < now - GONE_SECONDS)
    # One that was deleted just now is being removed by who was asked to.
    return or_(gone, _c.deleted_at < now - GONE_SECONDS)


def _ready(account_id: str) -> sa.ColumnElement[bool]:
    return and_(_c.account_id == account_id, _c.ready_at.is_not(None), _c.deleted_at.is_(None))


def _change(con: Connection, upload_id: str, values: dict[str, float | int]) -> None:
    this = and_(_c.upload_id == upload_id, _c.deleted_at.is_(None))
    if not con.execute(sa.update(uploads).where(this).values(values)).rowcount:
        raise NotFound("file", upload_id)


def _upload(row: Row[Any]) -> Upload:
    values = {name: getattr(row, name) for name in Upload.__slots__}
    return Upload(**values | {name: moment(values[name]) for name in ("created_at", "accessed_at")})
