"""Triggers as the API tells them: found by id or name, and shown as tables."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from headrace.cli import show
from headrace.cli.asking import Ask, Refused
from headrace.errors import NotFound

Json = Mapping[str, Any]
_TRIGGERS = "/api/v1/triggers"
_PAGE = 1000


def triggers(ask: Ask, *, name: str | None = None) -> list[dict[str, Any]]:
    """All triggers that match, page after page."""
    found: list[dict[str, Any]] = []
    while True:
        wanted = {"name": name} if name else {}
        answer = ask("GET", f"{_TRIGGERS}?{urlencode({**wanted, 'page': len(found) // _PAGE, 'limit': _PAGE})}")
        found += answer["list"]
        if len(found) >= answer["count"] or not answer["list"]:
            return found


def trigger(ask: Ask, name: str) -> dict[str, Any]:
    """A trigger that is named by its id or its name, with the dates that come next. Raises NotFound."""
    if name.isalnum() and name.isascii():
        with suppress(Refused):
            found: dict[str, Any] = ask("GET", f"{_TRIGGERS}/{name}")
            return found
    same = [each["triggerId"] for each in triggers(ask, name=name) if each["name"] == name]
    if not same:
        raise NotFound("trigger", name)
    named: dict[str, Any] = ask("GET", f"{_TRIGGERS}/{same[0]}")
    return named


def id_of(ask: Ask, name: str) -> str:
    """The id of a trigger that is named by its id or its name. Raises NotFound."""
    return str(trigger(ask, name)["triggerId"])


def shown_triggers(found: Sequence[Json]) -> str:
    """A line for each trigger."""
    rows = [(each["triggerId"], each["name"], each["type"], _state(each), each["summary"]) for each in found]
    return show.table(("id", "name", "type", "state", "when"), rows)


def shown_trigger(found: Json) -> str:
    """What a trigger is, and when it comes next."""
    facts = [
        ("id", found["triggerId"]),
        ("name", found["name"]),
        ("when", found["summary"]),
        ("state", _state(found)),
        ("when missed", found["misfirePolicy"]),
        ("when it overlaps", found["overlapPolicy"]),
    ]
    dates = [(date,) for date in found["nextExecutionDates"]]
    parts = [show.table(("trigger", ""), facts), *([show.table(("next",), dates)] if dates else [])]
    return "\n\n".join(parts)


def _state(found: Json) -> str:
    return "paused" if found["paused"] else "active"
