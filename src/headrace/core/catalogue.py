"""The catalogue of node types: what they say of themselves, for every edge and for the documentation.

All of it comes from the types: their fields, docstrings and examples. Nothing here knows one of them by name.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.errors import NodeTypeUnknown
from headrace.nodes import registry
from headrace.nodes.base import Node, nearest

_COMMON = ("type", "id", "name", "parentNodeIds")


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """A field as it stands on the wire. `default` is None for a required one; `allowed` says what its value may be."""

    name: str
    type: str
    required: bool
    default: object
    allowed: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """The fields of a node type, or of an object inside it."""

    name: str
    meaning: str
    fields: tuple[FieldEntry, ...]


def find(word: str) -> type[Node]:
    """The node type of that word, in any case. Raises NodeTypeUnknown that names the nearest ones."""
    types = registry()
    if word.upper() not in types:
        # Whoever writes FILTER means one of those that have the word in them.
        meant = [name for name in types if len(word) > 2 and word.upper() in name]
        hint = f"did you mean {' or '.join(map(repr, meant))}?" if meant else nearest(word, types)
        raise NodeTypeUnknown(f"{word!r} is not a node type", hint=hint)
    return types[word.upper()]


def summary(kind: type[Node]) -> str:
    """One sentence: what the node type does."""
    return inspect.cleandoc(str(kind.__doc__)).split("\n")[0]


def description(kind: type[Node]) -> str:
    """The page that its author wrote."""
    return inspect.cleandoc(str(sys.modules[kind.__module__].__doc__))


def objects(kind: type[Node]) -> tuple[ObjectEntry, ...]:
    """The node's own fields, without those that every node has, then the objects inside, in the order of their use."""
    schema = kind.model_json_schema()
    own = _object(kind.type_word(), schema, leave_out=_COMMON)
    nested = [_object(name, schema["$defs"][name]) for name in _used(schema, schema.get("$defs", {}))]
    return (own, *nested)


def common_fields() -> tuple[FieldEntry, ...]:
    """The fields that every node has."""
    schema = Node.model_json_schema()
    return tuple(_field(name, schema) for name in _COMMON)


def sample(kind: type[Node], number: int = 0) -> dict[str, Any]:
    """A node of the type as it stands in a job, from one of its examples; its parents are 1, 2 and so on."""
    example = kind.examples[number]
    parents = list(range(1, len(example.given) + 1))
    head = {"type": kind.type_word(), "id": 10, "name": summary(kind).rstrip(".")[:100], "parentNodeIds": parents}
    return {**head, **example.fields}


def as_json(word: str | None) -> Any:
    """The node types by their words, or one of them, as JSON Schema with the hints for forms."""
    if word is not None:
        return find(word).model_json_schema()
    return {name: kind.model_json_schema() for name, kind in registry().items()}


def _object(name: str, schema: Mapping[str, Any], *, leave_out: tuple[str, ...] = ()) -> ObjectEntry:
    names = [field for field in schema["properties"] if field not in leave_out]
    return ObjectEntry(name, str(schema.get("description", "")), tuple(_field(field, schema) for field in names))


def _field(name: str, schema: Mapping[str, Any]) -> FieldEntry:
    spec = schema["properties"][name]
    required = name in schema.get("required", ())
    return FieldEntry(name, _type(spec), required, spec.get("default"), _allowed(spec), spec.get("description", ""))


def _type(spec: Mapping[str, Any]) -> str:
    if "anyOf" in spec:
        return " or ".join(_type(option) for option in spec["anyOf"] if option.get("type") != "null")
    if "$ref" in spec:
        return _referred(spec)
    if spec.get("type") == "array":
        return f"list of {_type(spec.get('items', {}))}"
    return str(spec.get("type", "any"))


def _allowed(spec: Mapping[str, Any]) -> str:
    if "enum" in spec:
        return ", ".join(map(str, spec["enum"]))
    if "anyOf" in spec:
        return "; ".join(filter(None, map(_allowed, spec["anyOf"])))
    for least, most, noun in (
        ("minLength", "maxLength", "character"),
        ("minItems", "maxItems", "entry"),
        ("minimum", "maximum", ""),
    ):
        if least in spec or most in spec:
            return _range(spec.get(least, 0), spec.get(most), noun)
    return ""


def _range(least: int, most: int | None, noun: str) -> str:
    shown = f"at least {least}" if most is None else f"{least} to {most}"
    shown = f"at most {most}" if not least else f"{most}" if least == most else shown
    several = noun.removesuffix("y") + "ies" if noun.endswith("y") else noun + "s"
    return f"{shown} {noun if (most or least) == 1 else several}" if noun else shown


def _used(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[str]:
    """The names of the objects that the schema refers to, those inside them too."""
    found: dict[str, None] = {}
    waiting = list(_references(schema["properties"]))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting.extend(_references(definitions[name]["properties"]))
    return list(found)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "$ref" in value:
            yield _referred(value)
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _referred(spec: Mapping[str, Any]) -> str:
    return str(spec["$ref"]).rsplit("/", 1)[-1]
