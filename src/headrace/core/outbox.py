"""The outbox: what follows from a change leaves from here, after the change is committed and whatever dies meanwhile.

Who changes something writes, in the same transaction, one row for each consumer that is to hear of it. A consumer takes
its own rows, and each is done, or tried again later, by itself: what one consumer can't do holds up no other.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Update, and_, bindparam, insert, select, update

from headrace.db.session import changing
from headrace.db.tables import outbox
from headrace.execution.queue import news_for

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 300.0
_LONGEST_FAILURE = 2000
_PUT = insert(outbox)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as one consumer hears of it; `tries` counts those before this one."""

    id: int
    account_id: str
    at: float
    kind: str
    payload: Mapping[str, Any]
    tries: int


def put(con: Connection, *consumers: str, account_id: str, kind: str, payload: Mapping[str, Any], now: float) -> None:
    """Let each of these consumers hear of it once this transaction is committed."""
    row = {"account_id": account_id, "at": now, "kind": kind, "payload": payload}
    con.execute(_PUT, [{**row, "consumer": consumer} for consumer in consumers])
    for consumer in consumers:
        changing(con, news_for(consumer))


def is_waiting(con: Connection, consumer: str, *, now: float) -> bool:
    """Whether there is something for this consumer now."""
    return con.scalar(_first(), {"consumer": consumer, "now": now}) is not None


def take(
    con: Connection, consumer: str, *, now: float, limit: int, hold: float = 0.0, but: Collection[int] = ()
) -> tuple[Event, ...]:
    """What waits for this consumer, at most so many, without those of the ids `but`; what is new comes first.

    Nobody else takes it until this transaction ends, and then not for `hold` seconds more, unless `keep` renews that.
    """
    told = {"consumer": consumer, "now": now, "but": [*but], "most": limit}
    events = tuple(Event(*row) for row in con.execute(_next(), told))
    if hold:
        keep(con, [event.id for event in events], until=now + hold)
    return events


def keep(con: Connection, ids: Collection[int], *, until: float) -> None:
    """Hold what was taken for longer."""
    if ids:
        con.execute(_undone(), {"ids": [*ids], "available_at": until})


def done(con: Connection, ids: Collection[int], *, now: float) -> None:
    """These are done, whoever did them."""
    if ids:
        con.execute(_undone(), {"ids": [*ids], "done_at": now})


def postpone(con: Connection, event: Event, *, failure: str, now: float) -> None:
    """Try it again later; each time it waits twice as long, up to five minutes."""
    values = {"available_at": now + delay(event.tries), "tries": event.tries + 1, "failure": failure[:_LONGEST_FAILURE]}
    con.execute(_undone(), {"ids": [event.id], **values})


def delay(tries: int) -> float:
    """Seconds to wait after a try that failed, when there were so many before it."""
    return float(min(_FIRST_DELAY * 2 ** min(tries, 30), _LONGEST_DELAY))


# Each statement is made once: to make one takes longer than to run it.
@cache
def _first() -> Select[Any]:
    return select(outbox.c.id).where(_due()).limit(1)


@cache
def _next() -> Select[Any]:
    c = outbox.c
    wanted = select(c.id, c.account_id, c.at, c.kind, c.payload, c.tries)
    others = wanted.where(_due(), c.id.not_in(bindparam("but", expanding=True)))
    return others.order_by(c.available_at, c.id).limit(bindparam("most")).with_for_update(skip_locked=True)


@cache
def _undone() -> Update:
    """Those of `ids` that are not done; told the columns that change."""
    these = and_(outbox.c.id.in_(bindparam("ids", expanding=True)), outbox.c.done_at.is_(None))
    return update(outbox).where(these)


def _due() -> ColumnElement[bool]:
    of_consumer = outbox.c.consumer == bindparam("consumer")
    return and_(of_consumer, outbox.c.done_at.is_(None), outbox.c.available_at <= bindparam("now"))
