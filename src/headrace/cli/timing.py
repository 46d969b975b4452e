"""Triggers as the API tells them: found by id or name, and shown as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.cli import finding, show
from headrace.cli.asking import Ask
from headrace.errors import NotFound

Json = Mapping[str, Any]
_TRIGGERS = "/api/v1/triggers"


def triggers(ask: Ask, *, name: str | None = None) -> list[dict[str, Any]]:
    """All triggers that match."""
    return finding.every(ask, _TRIGGERS, {"name": name})


def trigger(ask: Ask, name: str) -> dict[str, Any]:
    """A trigger that is named by its id or its name, with the dates that come next. Raises NotFound."""
    found = finding.one(ask, _TRIGGERS, name)
    if found is None:
        raise NotFound("trigger", name)
    # A row of a list does not tell the dates.
    return found if "nextExecutionDates" in found else dict(ask("GET", f"{_TRIGGERS}/{found['triggerId']}"))


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
