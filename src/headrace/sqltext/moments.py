"""Patterns of dates and times: the letters that mean the same to Spark and to DuckDB."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])")
SHOWN = {
    "yyyy": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "dd": "%d", "d": "%-d", "HH": "%H",
    "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "SSSSSS": "%f",
    "a": "%p", "E": "%a", "EEE": "%a", "EEEE": "%A",
}  # fmt: skip
"""What each group of letters is in strftime."""
READ = {
    "yyyy": "([0-9]{4})", "MM": "([0-9]{2})", "M": "([0-9]{1,2})", "dd": "([0-9]{2})", "d": "([0-9]{1,2})",
    "HH": "([0-9]{2})", "H": "([0-9]{1,2})", "mm": "([0-9]{2})", "m": "([0-9]{1,2})", "ss": "([0-9]{2})",
    "s": "([0-9]{1,2})",
}  # fmt: skip
"""What each group of letters matches; a fraction, S to SSSSSS, has up to as many digits."""
UNITS = {
    "YEAR": "year", "YYYY": "year", "YY": "year", "QUARTER": "quarter", "MONTH": "month", "MM": "month", "MON": "month",
    "WEEK": "week", "DAY": "day", "DD": "day", "HOUR": "hour", "MINUTE": "minute", "SECOND": "second",
}  # fmt: skip
"""The units of date_trunc, in the words of DuckDB."""
DATE_UNITS = ("year", "quarter", "month", "week")


class BadFormat(ValueError):
    """The pattern has letters that are not on the list."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text of a pattern is read: its form, and the number of the group of each part, by its letter."""

    form: str
    groups: dict[str, int]


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """Letters, and texts between them."""
    found, at = [], 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if match is None:
            raise BadFormat("a quote is not closed")
        at = match.end()
        if match[2]:
            found.append(("letters", match[0]))
        else:
            text = (match[1] or "").replace("''", "'") if match[3] is None else match[3]
            if match[3] is None and not match[1]:
                text = "'"
            if match[3] and match[3] in "[]{}#":
                raise BadFormat(f"{match[3]!r} has a meaning of its own in patterns; write it in quotes")
            found.append(("text", text))
    if not any(kind == "letters" for kind, _ in found):
        raise BadFormat("there are no letters in it")
    return found


def shown(pattern: str) -> str:
    """The pattern for writing, in the letters of strftime. Raises BadFormat."""
    made = ""
    for kind, part in _tokens(pattern):
        if kind == "text":
            made += part.replace("%", "%%")
        elif part in SHOWN:
            made += SHOWN[part]
        else:
            raise BadFormat(f"{part!r} is not known; one of {', '.join(SHOWN)}, other letters in quotes")
    return made


def read(pattern: str) -> Reading:
    """The pattern for reading. Raises BadFormat."""
    form, last = "", ""
    groups: dict[str, int] = {}
    for kind, part in _tokens(pattern):
        if kind == "text":
            form, last = form + re.sub(r"([^\w\s]|_)", r"\\\1", part).replace("\\_", "_"), ""
            continue
        token = f"([0-9]{{1,{len(part)}}})" if set(part) == {"S"} and len(part) <= 6 else READ.get(part)
        if token is None:
            raise BadFormat(f"{part!r} can't be read; one of {', '.join(READ)}, S to SSSSSS, other letters in quotes")
        if part[0] in groups:
            raise BadFormat(f"{part[0]!r} stands twice")
        if last in ("M", "d", "H", "m", "s"):
            raise BadFormat(f"{last!r} right before {part!r} has no clear end; write two letters")
        form, last = form + token, part
        groups[part[0]] = len(groups) + 1
    _complete(groups)
    return Reading(form, groups)


def _complete(groups: dict[str, int]) -> None:
    for part, needs in (("M", "y"), ("d", "M"), ("H", "d"), ("m", "H"), ("s", "m"), ("S", "s")):
        if part in groups and needs not in groups:
            raise BadFormat(f"{part!r} without {needs!r} says no date")
    if "y" not in groups:
        raise BadFormat("there is no year, yyyy, in it")
