"""`headrace nodes`: what the node types say of themselves."""

import json
from typing import Any

from headrace.cli import show
from headrace.errors import JobInvalid, Problem
from headrace.nodes import registry
from headrace.nodes.base import Node, nearest


def overview() -> str:
    """A line for each node type."""
    rows = [(word, kind.group, _first_line(kind)) for word, kind in registry().items()]
    return show.table(("type", "group", "what it does"), rows)


def page(word: str) -> str:
    """One node type: what it does, its fields, an example of it."""
    kind = _kind(word)
    module = __import__(kind.__module__, fromlist=["__doc__"])
    rows = [
        (name, _type(spec), "yes" if name in required else "no", spec.get("description", ""))
        for name, spec, required in _fields(kind)
    ]
    parts = [
        kind.type_word(),
        str(module.__doc__).strip(),
        show.table(("field", "type", "required", "what it is"), rows),
    ]
    if kind.examples:
        example = kind.examples[0]
        parts.append(f"Example: {example.title}\n{json.dumps(sample(kind), indent=2, ensure_ascii=False)}")
    return "\n\n".join(parts)


def sample(kind: type[Node], number: int = 0) -> dict[str, Any]:
    """A node of the type as it stands in a job, from one of its examples."""
    example = kind.examples[number]
    parents = list(range(1, len(example.given) + 1))
    head = {"type": kind.type_word(), "id": 10, "name": _first_line(kind).rstrip(".")[:100], "parentNodeIds": parents}
    return {**head, **example.fields}


def as_json(word: str | None) -> Any:
    """The node types by their words, or one of them, as JSON Schema with the hints for forms."""
    if word is not None:
        return _kind(word).model_json_schema()
    return {name: kind.model_json_schema() for name, kind in registry().items()}


def _fields(kind: type[Node]) -> list[tuple[str, dict[str, Any], set[str]]]:
    schema = kind.model_json_schema()
    required = set(schema.get("required", ())) | {"type"}
    own = [name for name in schema["properties"] if name not in ("type", "id", "name", "parentNodeIds")]
    return [(name, schema["properties"][name], required) for name in own]


def _type(spec: dict[str, Any]) -> str:
    if "enum" in spec:
        return " | ".join(map(str, spec["enum"]))
    if "anyOf" in spec:
        return " | ".join(_type(option) for option in spec["anyOf"] if option.get("type") != "null")
    if "$ref" in spec:
        return str(spec["$ref"]).rsplit("/", 1)[-1]
    if spec.get("type") == "array":
        return f"list of {_type(spec.get('items', {}))}"
    return str(spec.get("type", "any"))


def _kind(word: str) -> type[Node]:
    types = registry()
    if word.upper() not in types:
        raise JobInvalid([Problem("unknown-node-type", f"{word!r} is not a node type", nearest(word, types))])
    return types[word.upper()]


def _first_line(kind: type[Node]) -> str:
    return str(kind.__doc__).strip().split("\n")[0]
