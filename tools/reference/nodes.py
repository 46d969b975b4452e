"""A page for each node type, and the list of them."""

import html
import json
from collections.abc import Iterable, Sequence

from headrace.core import catalogue
from headrace.core.catalogue import FieldEntry, ObjectEntry
from headrace.nodes import registry
from headrace.nodes.base import Node
from headrace.nodes.examples import Table
from headrace.plan.expr import Constant
from tools.reference.markdown import as_json, code, generated, inline, table

_FIELD = ("field", "type", "required", "default", "allowed", "what it is")


def pages() -> dict[str, str]:
    """The page of each of our own node types by its word, and `index`."""
    kinds = {word: kind for word, kind in registry().items() if kind.__module__.startswith("headrace.nodes.")}
    return {**{word: _page(word, kind) for word, kind in kinds.items()}, "index": _index(kinds.values())}


def _index(kinds: Iterable[type[Node]]) -> str:
    rows = [(f"[{k.type_word()}]({k.type_word()}.md)", k.category, k.group, catalogue.summary(k)) for k in kinds]
    return generated(
        "Node types",
        "A job is a list of nodes. Each names the nodes whose rows it reads in `parentNodeIds`.",
        table(("type", "category", "group", "what it does"), rows),
        "## Fields of every node",
        _fields(catalogue.common_fields(), objects=()),
        "A field that the node's type does not know is kept, has no effect, and is told as a warning.",
        source="the node types in src/headrace/nodes",
    )


def _page(word: str, kind: type[Node]) -> str:
    own, *nested = catalogue.objects(kind)
    names = [entry.name for entry in nested]
    return generated(
        word,
        catalogue.description(kind),
        _picture(word, kind),
        "## Fields",
        f"{_parents(kind)} Beside `type`, `id`, `name` and `parentNodeIds`, which "
        "[every node](index.md#fields-of-every-node) has:",
        _fields(own.fields, objects=names),
        *(_nested(entry, objects=names) for entry in nested),
        "## Examples\n\nEach is run by the tests. *null* is a missing value." if kind.examples else "",
        *(_example(kind, number) for number in range(len(kind.examples))),
        source=kind.__module__,
    )


def _parents(kind: type[Node]) -> str:
    match kind.arity:
        case (0, 0):
            return "It has no parents."
        case (1, 1):
            return "It has one parent."
        case (least, None):
            return f"It has at least {least} parents."
        case (least, most):
            return f"It has {least} parents." if least == most else f"It has {least} to {most} parents."


def _nested(entry: ObjectEntry, *, objects: Sequence[str]) -> str:
    return f"### {entry.name}\n\n{entry.meaning}\n\n{_fields(entry.fields, objects=objects)}"


def _fields(entries: Iterable[FieldEntry], *, objects: Sequence[str]) -> str:
    return table(_FIELD, [_field(entry, objects) for entry in entries])


def _field(entry: FieldEntry, objects: Sequence[str]) -> tuple[str, ...]:
    words = [f"[{word}](#{word.lower()})" if word in objects else word for word in entry.type.split(" ")]
    required = "yes" if entry.required else "no"
    default = "" if entry.required or entry.default is None else inline(_default(entry.default))
    return (f"`{entry.name}`", " ".join(words), required, default, entry.allowed, entry.meaning)


def _default(value: object) -> str:
    # An object that is left out has the defaults of its own fields, which stand in its own table.
    return "{}" if isinstance(value, dict) else json.dumps(value, ensure_ascii=False)


def _example(kind: type[Node], number: int) -> str:
    example = kind.examples[number]
    parts = [f"### {example.title}"]
    for parent, given in enumerate(example.given, start=1):
        parts.append(f"{'Given' if len(example.given) == 1 else f'Node {parent} gives'}:\n\n{_rows(given)}")
    for name, text in example.files.items():
        parts.append(f"Given the file `{name}`:\n\n{code(text)}")
    parts.append(f"The node:\n\n{code(as_json(catalogue.sample(kind, number)), 'json')}")
    if example.gives is not None:
        parts.append(f"Rows out:\n\n{_rows(example.gives)}")
    if example.writes:
        parts.append(f"The file that is written:\n\n{code(example.writes)}")
    parts += [
        f"The report counts {count} bad value{'' if count == 1 else 's'} in `{name}`."
        for name, count in example.bad_values.items()
    ]
    return "\n\n".join(parts)


def _rows(rows: Table) -> str:
    headers = [f"{field.name} ({field.type})" for field in rows.schema]
    return table(headers, [[_value(value) for value in row] for row in rows.rows])


def _value(value: Constant) -> str:
    match value:
        case None:
            return "*null*"
        case str():
            return inline(json.dumps(value, ensure_ascii=False))
        case bool():
            return str(value).lower()
        case float() if value != value:
            return "NaN"
        case _:
            return str(value)


def _picture(word: str, kind: type[Node]) -> str:
    """The node as a small graph, by its first example: what comes in, the node, what goes out."""
    given, out = _ends(kind)
    lines = ["flowchart LR", f'  node["{word}"]']
    lines += [f"  in{number}{shape} --> node" for number, shape in enumerate(given, start=1)]
    return code("\n".join((*lines, f"  node --> out{out}")), "mermaid")


def _ends(kind: type[Node]) -> tuple[list[str], str]:
    """The shapes before and behind the node. A store is a barrel, rows are a box."""
    if not kind.examples:  # a table of a store that is not there yet, so that nothing can be shown of it
        store, rows = _barrel("table"), _box("the columns of fieldList")
        return ([store], rows) if kind.arity == (0, 0) else ([rows], store)
    example = kind.examples[0]
    given = [_box(_columns(rows)) for rows in example.given] + [_barrel(name) for name in example.files]
    return given, _box(_columns(example.gives)) if example.gives is not None else _barrel("files")


def _box(text: str) -> str:
    return f'["{text}"]'


def _barrel(text: str) -> str:
    return f'[("{text}")]'


def _columns(rows: Table) -> str:
    # A picture takes `<` for the beginning of a tag, as in array<int>.
    return "<br>".join(html.escape(f"{field.name} {field.type}", quote=True) for field in rows.schema)
