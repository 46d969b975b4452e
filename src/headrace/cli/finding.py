"""Things of the API, found by id or name: jobs, workflows and triggers are listed and named in the same way."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from headrace.cli.asking import Ask, Refused

_ID = re.compile(r"[A-Za-z0-9]{12}")
_PAGE = 1000
_NOT_THERE = 404


def every(ask: Ask, path: str, wanted: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """All rows of a list that match, page after page; what is wanted as None is not asked for."""
    given = {key: value for key, value in wanted.items() if value}
    found: list[dict[str, Any]] = []
    while True:
        answer = ask("GET", f"{path}?{urlencode({**given, 'page': len(found) // _PAGE, 'limit': _PAGE})}")
        found += answer["list"]
        if len(found) >= answer["count"] or not answer["list"]:
            return found


def by_id(ask: Ask, target: str, name: str) -> Any:
    """What is answered for a thing that may be named by its id; None when it is no id, or of nothing that is there."""
    if not _ID.fullmatch(name):
        return None
    try:
        return ask("GET", target)
    except Refused as error:
        if error.status == _NOT_THERE:
            return None
        raise


def one(ask: Ask, path: str, name: str) -> dict[str, Any] | None:
    """The thing of that id, else the row of the one of exactly that name; None when there is neither."""
    found: dict[str, Any] | None = by_id(ask, f"{path}/{name}", name)
    return found or next((each for each in every(ask, path, {"name": name}) if each["name"] == name), None)
