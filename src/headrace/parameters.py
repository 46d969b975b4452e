"""Parameters of a job: declared with a type, given for a run, filled in where values stand.

`${name}` is replaced only in the values of nodes (what a filter compares with, what fills a gap), always as text that
is checked again as the column's type; a parameter of type `segment` may also be one part of a prefix. Never in SQL,
never in the names of buckets or connections. `$${` stands for a plain `${`. A job that declares no parameters is left
as it is: there `${name}` is ordinary text.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import Field as Described

from headrace.errors import Problem
from headrace.nodes.base import Node, nearest
from headrace.nodes.wire import Fillable, Wire
from headrace.plan.literals import parse_literal
from headrace.plan.types import BIGINT, DATE, TIMESTAMP, Type

_USE = re.compile(r"(\$)?\$\{([^}]*)\}")
_TYPES: dict[str, Type] = {"int": BIGINT, "date": DATE, "timestamp": TIMESTAMP}
_SAMPLES = {"string": "text", "int": "1", "date": "2000-01-01", "timestamp": "2000-01-01T00:00:00", "segment": "part"}
W = TypeVar("W", bound=Wire)


class ParameterSpec(Wire):
    """A declared parameter. Without a default a run must give it."""

    name: Annotated[str, Described(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
    type: Literal["string", "int", "date", "timestamp", "segment"] = "string"
    default: str | None = None
    description: str = ""


def resolve(
    declared: Sequence[ParameterSpec], given: Mapping[str, str], *, samples: bool = False
) -> tuple[dict[str, str], list[Problem]]:
    """The value of each parameter, and what is wrong with them.

    A parameter that has no value gets some value of its type, so that the rest of the job can be checked; it is a
    problem unless `samples` are asked for.
    """
    problems = _repeats(declared)
    by_name = {spec.name: spec for spec in declared}
    for name in given:
        if name not in by_name:
            hint = nearest(name, by_name) if by_name else "the job has no parameters"
            problems.append(Problem("unknown-parameter", f"there is no parameter {name!r}", hint, field="parameters"))
    values: dict[str, str] = {}
    for spec in declared:
        value = given.get(spec.name, spec.default)
        if value is None and not samples:
            message, hint = f"parameter {spec.name!r} has no value", f"give it: {spec.name}=…, of type {spec.type}"
            problems.append(Problem("missing-parameter", message, hint, field="parameters"))
        values[spec.name] = _SAMPLES[spec.type] if value is None else value
        if fault := _fault(spec, values[spec.name]):
            problems.append(Problem("bad-parameter", f"parameter {spec.name!r}: {fault}", field="parameters"))
    return values, problems


def _repeats(declared: Sequence[ParameterSpec]) -> list[Problem]:
    counts = Counter(spec.name for spec in declared)
    twice = sorted(name for name, count in counts.items() if count > 1)
    return [Problem("bad-parameter", f"parameter {n!r} is declared twice", field="parameters") for n in twice]


def _fault(spec: ParameterSpec, value: str) -> str:
    if spec.type == "segment" and (not value or "/" in value or value[0] in "._"):
        return f"{value!r} is not one part of a path: not empty, without '/', not beginning with '.' or '_'"
    try:
        if spec.type in _TYPES:
            parse_literal(value, _TYPES[spec.type])
    except ValueError as error:
        return str(error)
    return ""


def fill(node: Node, specs: Iterable[ParameterSpec], values: Mapping[str, str]) -> tuple[Node, list[Problem]]:
    """The node with its parameters filled in, and the uses that can't be filled."""
    filler = _Filler({spec.name: spec for spec in specs}, values)
    filled = filler.model(node, "")
    return filled, [Problem(code, text, hint, node.id, node.name, field) for field, code, text, hint in filler.faults]


class _Filler:
    def __init__(self, specs: Mapping[str, ParameterSpec], values: Mapping[str, str]) -> None:
        self.specs = specs
        self.values = values
        self.faults: list[tuple[str, str, str, str]] = []

    def model(self, model: W, path: str) -> W:
        changed: dict[str, object] = {}
        for name, info in type(model).model_fields.items():
            value, place = getattr(model, name), f"{path}{info.alias or name}"
            fillable = next((m for m in info.metadata if isinstance(m, Fillable)), None)
            if isinstance(value, str) and fillable is not None:
                new: object = self.text(value, place, fillable)
            elif isinstance(value, tuple):
                new = tuple(self._item(item, f"{place}[{i}]", fillable) for i, item in enumerate(value))
            else:
                new = self.model(value, f"{place}.") if isinstance(value, Wire) else value
            if new != value:
                changed[name] = new
        return model.model_copy(update=changed) if changed else model

    def _item(self, item: object, place: str, fillable: Fillable | None) -> object:
        if isinstance(item, str) and fillable is not None:
            return self.text(item, place, fillable)
        return self.model(item, f"{place}.") if isinstance(item, Wire) else item

    def text(self, text: str, place: str, fillable: Fillable) -> str:
        return _USE.sub(lambda match: self._one(match, place, fillable), text)

    def _one(self, match: re.Match[str], place: str, fillable: Fillable) -> str:
        escaped, name = match.groups()
        if escaped:
            return match[0][1:]
        spec = self.specs.get(name)
        if spec is None:
            self.faults.append(
                (place, "unknown-parameter", f"there is no parameter {name!r}", nearest(name, self.specs))
            )
        elif fillable.kind == "segment" and spec.type != "segment":
            hint = "declare it with type segment"
            self.faults.append(
                (place, "bad-parameter", f"parameter {name!r} is a {spec.type}, not part of a path", hint)
            )
        return self.values.get(name, match[0])
