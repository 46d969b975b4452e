"""`headrace nodes`: what the node types say of themselves."""

import json
from typing import Any

from headrace.cli import show
from headrace.core import catalogue
from headrace.core.catalogue import FieldEntry
from headrace.nodes import registry


def overview() -> str:
    """A line for each node type."""
    rows = [(word, kind.group, catalogue.summary(kind)) for word, kind in registry().items()]
    return show.table(("type", "group", "what it does"), rows)


def page(word: str) -> str:
    """One node type: what it does, its fields, an example of it."""
    kind = catalogue.find(word)
    own, *nested = catalogue.objects(kind)
    parts = [kind.type_word(), catalogue.description(kind), _fields(own.fields)]
    parts += [f"{entry.name}: {entry.meaning}\n\n{_fields(entry.fields)}" for entry in nested]
    if kind.examples:
        shown = json.dumps(catalogue.sample(kind), indent=2, ensure_ascii=False)
        parts.append(f"Example: {kind.examples[0].title}\n{shown}")
    return "\n\n".join(parts)


def as_json(word: str | None) -> Any:
    """The node types by their words, or one of them, as JSON Schema with the hints for forms."""
    return catalogue.as_json(word)


def _fields(entries: tuple[FieldEntry, ...]) -> str:
    return show.table(
        ("field", "type", "required", "allowed", "what it is"),
        [(e.name, e.type, "yes" if e.required else "no", e.allowed or "-", e.meaning or "-") for e in entries],
    )
