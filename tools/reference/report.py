"""The page of the report: its objects and their fields."""

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic.alias_generators import to_camel

from headrace.execution.report import Report
from tools.reference.markdown import generated, table

_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", datetime: "string, ISO 8601 in UTC"}


def page() -> str:
    """The report and the objects in it."""
    first, *inner = _objects(Report)
    return generated(
        "The report of a run",
        "`headrace run` prints the report as tables, and with `--json` as one object. A run that failed gives one "
        "too: then `failure` says why. What was read and what was written are counted independently of each other.",
        _fields(first),
        *(f"## {kind.__name__}\n\n{inspect.cleandoc(str(kind.__doc__))}\n\n{_fields(kind)}" for kind in inner),
        source="headrace.execution.report",
    )


def _objects(kind: type) -> list[type]:
    """The dataclass and those inside it, in the order of their use."""
    found = [kind]
    for name, hint in get_type_hints(kind).items():
        if name in {f.name for f in fields(kind)}:
            found += [k for inner in _inside(hint) for k in _objects(inner) if k not in found]
    return found


def _inside(hint: Any) -> list[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        return [hint]
    return [kind for argument in get_args(hint) for kind in _inside(argument)]


def _fields(kind: type) -> str:
    hints = get_type_hints(kind)
    told = get_type_hints(kind, include_extras=True)
    names = [f.name for f in fields(kind)]
    rows = [(f"`{to_camel(name)}`", _type(hints[name]), told[name].__metadata__[0]) for name in names]
    return table(("field", "type", "meaning"), rows)


def _type(hint: Any) -> str:
    if hint in _NAMES:
        return _NAMES[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(map(str, arguments))
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return f"object of {_type(arguments[1])}s by name"
    if isinstance(hint, UnionType):
        return " or ".join("null" if option is NoneType else _type(option) for option in arguments)
    return f"[{hint.__name__}](#{hint.__name__.lower()})"
