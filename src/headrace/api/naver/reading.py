"""What a request says, read strictly: its JSON, its query. What nobody knows is named and ignored."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from fastapi import Request

from headrace.api.call import Call
from headrace.core.paging import MOST_ROWS, Page
from headrace.definition import parse
from headrace.errors import BadParameter, JobInvalid, Problem
from headrace.nodes.base import nearest
from headrace.wording import kind_of

WARNINGS = "x-headrace-warnings"
_MOST_DIGITS = 18
_MOST_WARNINGS_BYTES = 4096


def body_of(call: Call, *, optional: bool = False) -> dict[str, Any]:
    """The body as a JSON object, whatever its Content-Type says. Raises BadParameter."""
    if optional and not call.body.strip():
        return {}
    return json_of(call.body, "the body")


def json_of(sent: bytes, name: str, *, field: str = "") -> dict[str, Any]:
    """A JSON object, whose texts every database can keep. Raises BadParameter."""
    try:
        text = sent.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong("bad-json", f"{name} is not UTF-8", field=field) from None
    try:
        found = parse(text)
    except JobInvalid as error:
        raise BadParameter(replace(problem, field=field) for problem in error.problems) from None
    if not isinstance(found, dict):
        raise _wrong("bad-json", f"{name} should be a JSON object, not {kind_of(found)}", "begin with {", field=field)
    _speakable(found, name, field)
    return found


def _speakable(sent: Mapping[str, object], name: str, field: str) -> None:
    """Half of a surrogate pair is JSON but no text, and a NUL is text that no database takes."""
    try:
        written = json.dumps(sent, ensure_ascii=False)
        written.encode()
    except UnicodeEncodeError:
        raise _wrong("bad-json", f"{name} has half of a surrogate pair", field=field) from None
    except RecursionError:
        raise _wrong("bad-json", "the JSON is nested too deeply", field=field) from None
    if "\\u0000" in written.replace("\\\\", ""):
        raise _wrong("bad-json", f"{name} has a NUL character", field=field)


def text_of(request: Request, name: str) -> str | None:
    """A text of the query; None when it is absent or empty. Raises BadParameter."""
    text = request.query_params.get(name)
    if text and "\x00" in text:
        raise _wrong("bad-value", "has a NUL character", field=name)
    return text or None


def flag_of(request: Request, name: str) -> bool:
    """A true or false of the query. Raises BadParameter."""
    text = request.query_params.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise _wrong("bad-value", f"{text[:40]!r} is neither true nor false", field=name)
    return text == "true"


def whole_of(request: Request, name: str, default: int) -> int:
    """A whole number from 0 of the query. Raises BadParameter."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise _wrong("bad-value", f"{text[:40]!r} is not a whole number from 0", field=name)
    if len(text) > _MOST_DIGITS:
        raise _wrong("bad-value", f"a number of {len(text)} digits is too large", field=name)
    return int(text)


def page_of(request: Request) -> Page:
    """The page and the limit as they were asked for. Raises BadParameter."""
    return Page(whole_of(request, "page", 0), whole_of(request, "limit", MOST_ROWS))


def if_match_of(call: Call) -> int | None:
    """The revision that an update counts on. Raises BadParameter."""
    text = call.headers.get("if-match", "*").strip()
    if text == "*":
        return None
    digits = text.removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise _wrong("bad-value", "is the ETag of an answer", field="If-Match")
    return int(digits)


def unknown_query(request: Request, known: Collection[str]) -> list[Problem]:
    """The parameters of the query that have no meaning here."""
    return [
        _unknown("unknown-parameter", name, known) for name in dict.fromkeys(request.query_params) if name not in known
    ]


def unknown_keys(sent: Mapping[str, object], known: Collection[str], *, inside: str = "") -> list[Problem]:
    """The keys of an object that have no meaning here."""
    return [_unknown("unknown-field", f"{inside}{name}", known) for name in sent if name not in known]


def warning_header(warnings: Iterable[Problem]) -> dict[str, str]:
    """The header that tells what was ignored or is doubtful, as JSON; as many as a header holds."""
    shown: list[dict[str, object]] = []
    size = 2
    for warning in warnings:
        told = warning.as_dict()
        size += len(json.dumps(told)) + 2
        if size > _MOST_WARNINGS_BYTES:
            break
        shown.append(told)
    return {WARNINGS: json.dumps(shown)} if shown else {}


def _unknown(code: str, name: str, known: Collection[str]) -> Problem:
    return Problem(code, "is not one that we know; it has no effect", nearest(name, known), field=name)


def _wrong(code: str, message: str, hint: str = "", *, field: str = "") -> BadParameter:
    return BadParameter([Problem(code, message, hint, field=field)])
