"""The node types, one file each. `registry()` finds them.

Other packages add theirs by the entry point `headrace.nodes`.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from headrace.nodes.base import Node

ENTRY_POINT = "headrace.nodes"
_TYPE = re.compile(r'^    type: Literal\["(\w+)"\] =', re.MULTILINE)
_NOT_NODES = {"base", "examples", "tables", "wire"}


@cache
def registry() -> dict[str, type[Node]]:
    """Every node type by its `type` word, in the order of the catalogue: sources, transforms, targets, each by name.

    Raises ValueError when two packages claim one word: which of them runs must not depend on chance.
    """
    found: dict[str, type[Node]] = {}
    for node in (*_own(), *_added()):
        word = node.type_word()
        if found.setdefault(word, node) is not node:
            raise ValueError(f"two node types are named {word}: {found[word].__module__} and {node.__module__}")
    order = ("SOURCE", "TRANSFORM", "TARGET")
    return dict(sorted(found.items(), key=lambda item: (order.index(item[1].category), item[0])))


def node_type(word: str) -> type[Node] | None:
    """The node type of that word, or None. Loads the one module that has it: all of them would take a while."""
    module = _modules().get(word)
    if module is not None:
        return _own_type(module, word)
    return registry().get(word)


@cache
def _own_type(module: str, word: str) -> type[Node]:
    return next(node for node in _nodes_of(module) if node.type_word() == word)


@cache
def _modules() -> dict[str, str]:
    """The module of each of our own types, by a look at their texts. Empty where they are no files."""
    files = (file for folder in __path__ for file in Path(folder).glob("*.py"))
    return {word: f"{__name__}.{file.stem}" for file in files for word in _TYPE.findall(file.read_text("utf-8"))}


def _own() -> Iterator[type[Node]]:
    for module in pkgutil.iter_modules(__path__):
        if module.name not in _NOT_NODES:
            yield from _nodes_of(f"{__name__}.{module.name}")


def _nodes_of(module: str) -> Iterator[type[Node]]:
    for value in vars(importlib.import_module(module)).values():
        if isinstance(value, type) and issubclass(value, Node) and value.__module__ == module and value.is_concrete():
            yield value


def _added() -> Iterator[type[Node]]:
    for point in entry_points(group=ENTRY_POINT):
        yield from _nodes_of(point.value)
