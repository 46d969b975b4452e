"""The operations on triggers.

Update, pause and resume are ours, and so are zones, bounds, policies and the dates that come next.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import Request, Response

from headrace.api.call import Call, call_of
from headrace.api.changes import Changed, changed
from headrace.api.naver.answers import Json, answered, listed
from headrace.api.naver.dates import written
from headrace.api.naver.reading import body_of, if_match_of, page_of, text_of, unknown_query
from headrace.core import rights, schedules, triggers
from headrace.core.triggers import Trigger
from headrace.db import Connection
from headrace.errors import Problem
from headrace.recurrence.words import in_words

MOST_INSTANTS = 5


def get_triggers(request: Request) -> Response:
    """View the list of triggers, the newest first."""
    call, page = call_of(request), page_of(request)
    with call.server.database.reading() as con:
        rows, count = triggers.list(con, call.principal, name=text_of(request, "name") or "", page=page)
    shown = [_shown(row, call) for row in rows]
    found = listed(shown, count=count, page=page)
    return answered(found, warnings=unknown_query(request, ("name", "page", "limit")))


def get_trigger(request: Request, triggerId: str) -> Response:
    """View a trigger, with the dates that come next."""
    call = call_of(request)
    with call.server.database.reading() as con:
        _permit(con, call, triggerId)
        found = triggers.get(con, call.principal, triggerId)
    return _answer(found, call.server.now(), unknown_query(request, ()))


def create_trigger(request: Request) -> Response:
    """Create a trigger."""
    call = call_of(request)
    sent, now = body_of(call), call.server.now()
    rights.permit_name(call.principal, call.operation.action, sent.get("name"))

    def change(con: Connection) -> Changed:
        made = triggers.create(con, call.principal, sent, now=now)
        response = _answer(made, now, _warnings(request, sent, now), status=201)
        return Changed(f"triggers/{made.trigger_id}", response, {"name": made.name})

    return changed(call, change)


def update_trigger(request: Request, triggerId: str) -> Response:
    """Replace a trigger: what is left out goes back to its default."""
    return _update(request, triggerId, partial=False)


def patch_trigger(request: Request, triggerId: str) -> Response:
    """Change a trigger: what is left out stays as it is."""
    return _update(request, triggerId, partial=True)


def pause_trigger(request: Request, triggerId: str) -> Response:
    """Let a trigger start nothing until it is resumed."""
    return _moved(request, triggerId, triggers.pause)


def resume_trigger(request: Request, triggerId: str) -> Response:
    """Let a trigger go on; its misfire policy says what becomes of what it missed."""
    return _moved(request, triggerId, triggers.resume)


def delete_trigger(request: Request, triggerId: str) -> Response:
    """Delete a trigger that no workflow uses."""
    call = call_of(request)

    def change(con: Connection) -> Changed:
        _permit(con, call, triggerId)
        triggers.delete(con, call.principal, triggerId, now=call.server.now())
        return Changed(f"triggers/{triggerId}", answered(True, warnings=unknown_query(request, ())))

    return changed(call, change)


def of_trigger(trigger: Trigger) -> Json:
    """A trigger as a row of a list. What is ours stands after what is the vendor's."""
    start, end = trigger.schedule.start, trigger.schedule.end
    return {
        "triggerId": trigger.trigger_id,
        "name": trigger.name,
        "type": trigger.type,
        "triggerRule": dict(trigger.rule),
        "createdDate": written(trigger.created_at),
        "updatedDate": written(trigger.updated_at),
        "timeZone": trigger.schedule.zone.key,
        **({"startDate": written(start)} if start else {}),
        **({"endDate": written(end)} if end else {}),
        "misfirePolicy": trigger.misfire,
        **({"misfireWindow": int(trigger.misfire_window.total_seconds() // 60)} if trigger.misfire == "ALL" else {}),
        "overlapPolicy": trigger.overlap,
        "paused": trigger.paused_at is not None,
        "summary": in_words(trigger.schedule),
    }


def _answer(trigger: Trigger, now: datetime, warnings: list[Problem], *, status: int = 200) -> Response:
    upcoming = [written(instant) for instant in trigger.upcoming(now, most=MOST_INSTANTS)]
    told = {**of_trigger(trigger), "nextExecutionDates": upcoming}
    return answered(told, status=status, warnings=warnings, headers={"etag": f'"{trigger.revision}"'})


def _update(request: Request, trigger_id: str, *, partial: bool) -> Response:
    call = call_of(request)
    sent, if_match, now = body_of(call), if_match_of(call), call.server.now()

    def change(con: Connection) -> Changed:
        _permit(con, call, trigger_id)
        rights.permit_name(call.principal, call.operation.action, sent.get("name"))
        done = triggers.update(con, call.principal, trigger_id, sent, partial=partial, if_match=if_match, now=now)
        response = _answer(done, now, unknown_query(request, ()) if partial else _warnings(request, sent, now))
        return Changed(f"triggers/{trigger_id}", response, {"revision": done.revision})

    return changed(call, change)


def _moved(request: Request, trigger_id: str, move: Callable[..., Trigger]) -> Response:
    call = call_of(request)
    if_match, now = if_match_of(call), call.server.now()

    def change(con: Connection) -> Changed:
        _permit(con, call, trigger_id)
        moved = move(con, call.principal, trigger_id, if_match=if_match, now=now)
        response = _answer(moved, now, unknown_query(request, ()))
        return Changed(f"triggers/{trigger_id}", response, {"paused": moved.paused_at is not None})

    return changed(call, change)


def _permit(con: Connection, call: Call, trigger_id: str) -> None:
    """Raise Denied when the caller may not do to this trigger what the operation does."""
    rights.permit(con, call.principal, call.operation.action, kind="trigger", id=trigger_id)


def _shown(trigger: Trigger, call: Call) -> Json:
    """A trigger in a list; of one that the caller may not view only what it is called."""
    if call.principal.may("View/getTriggerDetail", trigger.trigger_id, trigger.name):
        return of_trigger(trigger)
    return {"triggerId": trigger.trigger_id, "name": trigger.name, "disabled": True}


def _warnings(request: Request, sent: Mapping[str, Any], now: datetime) -> list[Problem]:
    return [*unknown_query(request, ()), *schedules.read(sent, made=now).unused]
