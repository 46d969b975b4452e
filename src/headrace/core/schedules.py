"""A trigger as its user writes it, and the schedule that it means.

The vendor's rules stand in section 6 of the API reference; cron, intervals, zones and policies are ours.
What is read is made plain once: a rule keeps the fields that its kind has, in the forms that the documentation shows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import Field as Described
from pydantic import ValidationError

from headrace.definition import Name
from headrace.errors import BadParameter, Problem
from headrace.graph import unknown_fields
from headrace.nodes.wire import Whole, Wire
from headrace.recurrence import cron, zones
from headrace.recurrence.rules import (
    DAYS,
    LAST,
    SHORTEST_INTERVAL,
    Cron,
    Daily,
    Day,
    Every,
    Hourly,
    Monthly,
    Never,
    Once,
    Rule,
    Schedule,
    Weekly,
)
from headrace.wording import field_problem

TriggerType = Literal["SCHEDULED", "EVENT", "NONE"]
Misfire = Literal["SKIP", "LATEST", "ALL"]
Overlap = Literal["QUEUE", "SKIP", "ALLOW", "CANCEL_PREVIOUS"]
RuleType = Literal["RECURRING", "ONE_TIME", "NONE", "CRON", "INTERVAL"]

_MINUTE = re.compile(r"[0-5][0-9]")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DURATION = re.compile(r"P(?:([0-9]{1,3})D)?(?:T(?=[0-9])(?:([0-9]{1,4})H)?(?:([0-9]{1,6})M)?)?")
_LONGEST_INTERVAL = timedelta(days=366)
_FIRST_YEAR, _LAST_YEAR = 1970, 9900


class RuleBody(Wire):
    """A `triggerRule`; which of its fields count is a matter of its type."""

    type: RuleType
    interval: Literal["HOUR", "DAY", "WEEK", "MONTH"] | None = None
    time: str | None = None
    day_of_week: tuple[str, ...] | str | None = None
    date_of_month: str | Whole | None = None
    execution_date: str | None = None
    cron: str | None = None
    every: str | None = None


class TriggerBody(Wire):
    """The fields of a createTrigger request, and ours."""

    name: Name
    type: TriggerType
    trigger_rule: RuleBody
    time_zone: str = zones.KOREA
    start_date: str | None = None
    end_date: str | None = None
    misfire_policy: Misfire = "LATEST"
    misfire_window: Annotated[Whole, Described(ge=1, le=10_080, description="Minutes.")] = 60
    overlap_policy: Overlap = "QUEUE"


@dataclass(frozen=True, slots=True)
class Definition:
    """A trigger that could be read; `rule` is the rule as it is kept and answered, `unused` what had no meaning."""

    body: TriggerBody
    rule: Mapping[str, Any]
    schedule: Schedule
    unused: tuple[Problem, ...]


def read(sent: Mapping[str, Any], *, made: datetime) -> Definition:
    """A trigger from JSON values, an interval without a start counts from the moment at which it was made.

    Raises BadParameter with every problem.
    """
    try:
        body = TriggerBody.model_validate(_with_rule(sent))
    except ValidationError as error:
        raise BadParameter(field_problem(detail, None, "", "") for detail in error.errors()) from None
    problems: list[Problem] = []
    zone = _zone(body.time_zone, problems)
    start, end = _bound(body.start_date, "startDate", zone, problems), _bound(body.end_date, "endDate", zone, problems)
    if start is not None and end is not None and end < start:
        problems.append(Problem("bad-field", "is before startDate", field="endDate"))
    found = _rule(body.trigger_rule, zone, start or made, problems)
    problems += _misfit(body)
    if problems or found is None:
        raise BadParameter(problems)
    kept, rule = found
    return Definition(body, kept, Schedule(rule, zone, start, end), _unused(body, kept))


def stored(
    rule: Mapping[str, Any], *, zone: str, start: datetime | None, end: datetime | None, made: datetime
) -> Schedule:
    """The schedule of a rule that was read before."""
    found = zones.zone_of(zone)
    read_again = _rule(RuleBody.model_validate(rule), found, start or made, [])
    assert read_again is not None
    return Schedule(read_again[1], found, start, end)


def _with_rule(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is started by hand or by an event needs no rule; what rules of events hold is nowhere documented."""
    rule = sent.get("triggerRule")
    if sent.get("type") not in ("NONE", "EVENT") or not (rule is None or isinstance(rule, Mapping)):
        return sent
    type_ = (rule or {}).get("type", "NONE")
    return {**sent, "triggerRule": {**(rule or {}), "type": "NONE" if type_ == "EVENT" else type_}}


def _misfit(body: TriggerBody) -> list[Problem]:
    """A scheduled trigger has a rule of time, and no other has."""
    by_time = body.trigger_rule.type != "NONE"
    if by_time == (body.type == "SCHEDULED"):
        return []
    told = f"{body.trigger_rule.type} does not fit a trigger of type {body.type}"
    others = ", ".join(each for each in get_args(RuleType) if each != "NONE") if not by_time else "NONE"
    return [Problem("bad-field", told, f"use {others}", field="triggerRule.type")]


def _zone(name: str, problems: list[Problem]) -> ZoneInfo:
    try:
        return zones.zone_of(name)
    except ValueError as error:
        problems.append(Problem("bad-field", str(error), field="timeZone"))
        return zones.zone_of(zones.KOREA)


def _bound(text: str | None, field: str, zone: ZoneInfo, problems: list[Problem]) -> datetime | None:
    local = _moment(text, field, zone, problems) if text is not None else None
    return None if local is None else zones.instant(local, zone)


def _moment(text: str, field: str, zone: ZoneInfo, problems: list[Problem]) -> datetime | None:
    """A moment of the zone's clock from a date that may bring an offset of its own."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or "T" not in text or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        hint = "write it like 2026-12-24T18:00:00"
        problems.append(Problem("bad-field", f"{text[:40]!r} is not a date and time", hint, field=field))
        return None
    local = at.astimezone(zone).replace(tzinfo=None) if at.tzinfo else at
    if not zones.exists(local, zone):
        told = f"{text} does not exist in {zone.key}: its clock is put forward then"
        problems.append(Problem("bad-field", told, "take another time", field=field))
        return None
    return local


def _rule(
    body: RuleBody, zone: ZoneInfo, anchor: datetime, problems: list[Problem]
) -> tuple[dict[str, Any], Rule] | None:
    match body.type:
        case "NONE":
            return {"type": "NONE"}, Never()
        case "ONE_TIME":
            return _one_time(body, zone, problems)
        case "CRON":
            return _by_cron(body, problems)
        case "INTERVAL":
            return _by_interval(body, anchor, problems)
        case "RECURRING":
            return _recurring(body, problems)


def _one_time(body: RuleBody, zone: ZoneInfo, problems: list[Problem]) -> tuple[dict[str, Any], Rule] | None:
    text = _required(body.execution_date, "executionDate", "of ONE_TIME", problems)
    local = None if text is None else _moment(text, "triggerRule.executionDate", zone, problems)
    return None if local is None else ({"type": "ONE_TIME", "executionDate": text}, Once(local))


def _by_cron(body: RuleBody, problems: list[Problem]) -> tuple[dict[str, Any], Rule] | None:
    text = _required(body.cron, "cron", "of CRON", problems)
    if text is None:
        return None
    try:
        return {"type": "CRON", "cron": text}, Cron(cron.checked(text))
    except ValueError as error:
        problems.append(Problem("bad-field", str(error), field="triggerRule.cron"))
        return None


def _by_interval(body: RuleBody, anchor: datetime, problems: list[Problem]) -> tuple[dict[str, Any], Rule] | None:
    text = _required(body.every, "every", "of INTERVAL", problems)
    if text is None:
        return None
    match = _DURATION.fullmatch(text)
    days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    interval = timedelta(days=days, hours=hours, minutes=minutes)
    if not SHORTEST_INTERVAL <= interval <= _LONGEST_INTERVAL:
        told = f"{text[:40]!r} is not a duration from a minute to a year"
        problems.append(Problem("bad-field", told, "write it like PT15M, PT6H or P1DT12H", field="triggerRule.every"))
        return None
    return {"type": "INTERVAL", "every": text}, Every(interval, anchor.astimezone(UTC).replace(microsecond=0))


def _recurring(body: RuleBody, problems: list[Problem]) -> tuple[dict[str, Any], Rule] | None:
    before = len(problems)
    interval = _required(body.interval, "interval", "of RECURRING", problems)
    at = _required(body.time, "time", "of RECURRING", problems)
    kept: dict[str, Any] = {"type": "RECURRING", "interval": interval, "time": at}
    if interval == "HOUR":
        if at is not None and not _MINUTE.fullmatch(at):
            _wrong_time(at, "the minute of an hour, 00 to 59", problems)
        return None if len(problems) > before or at is None else (kept, Hourly(int(at)))
    match = _TIME.fullmatch(at or "")
    if at is not None and interval is not None and match is None:
        _wrong_time(at, "a time of day like 09:30, 00:00 to 23:59", problems)
    days = _days(body, problems) if interval == "WEEK" else frozenset[Day]()
    day = _day_of_month(body, problems) if interval == "MONTH" else 0
    if len(problems) > before or match is None:
        return None
    clock = time(int(match[1]), int(match[2]))
    if interval == "WEEK":
        return {**kept, "dayOfWeek": [each for each in DAYS if each in days]}, Weekly(clock, days)
    if interval == "MONTH":
        return {**kept, "dateOfMonth": str(day)}, Monthly(clock, day)
    return kept, Daily(clock)


def _wrong_time(text: str, wanted: str, problems: list[Problem]) -> None:
    problems.append(Problem("bad-field", f"{text[:40]!r} is not {wanted}", field="triggerRule.time"))


def _days(body: RuleBody, problems: list[Problem]) -> frozenset[Day]:
    """The documentation of 2023 has one day as a text where later ones have an array."""
    sent = body.day_of_week
    names = (sent,) if isinstance(sent, str) else sent
    if not names:
        told = "is missing: WEEK needs it" if names is None else "is empty"
        problems.append(Problem("bad-field", told, f"one or more of {', '.join(DAYS)}", field="triggerRule.dayOfWeek"))
        return frozenset()
    wrong = [name for name in names if name not in DAYS]
    problems += [
        Problem("bad-field", f"{name[:40]!r} is no day", f"one of {', '.join(DAYS)}", field="triggerRule.dayOfWeek")
        for name in wrong
    ]
    return frozenset(day for day in DAYS if day in names)


def _day_of_month(body: RuleBody, problems: list[Problem]) -> int:
    sent = body.date_of_month
    text = "" if sent is None else str(sent)
    if re.fullmatch(r"-1|[1-9]|[12][0-9]|3[01]", text):
        return int(text)
    told = "is missing: MONTH needs it" if sent is None else f"{text[:40]!r} is no day of a month"
    problems.append(Problem("bad-field", told, "1 to 31, or -1 for the last day", field="triggerRule.dateOfMonth"))
    return LAST


def _required(value: str | None, field: str, whose: str, problems: list[Problem]) -> str | None:
    if value is None:
        problems.append(Problem("bad-field", f"is missing: it is a field {whose}", field=f"triggerRule.{field}"))
    return value


def _unused(body: TriggerBody, kept: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What was sent and has no effect."""
    told = [
        Problem("unknown-field", "is not one that we know; it has no effect", hint, field=path)
        for path, hint in unknown_fields(body)
    ]
    sent = body.trigger_rule.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
    fields = {info.alias or name for name, info in RuleBody.model_fields.items()}
    told += [
        Problem(
            "unused-field",
            f"has no meaning for a rule of this kind ({body.trigger_rule.type})",
            field=f"triggerRule.{name}",
        )
        for name in sent
        if name in fields and name not in kept
    ]
    return tuple(told)
