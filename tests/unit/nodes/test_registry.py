import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import ClassVar, Literal

import pytest

from headrace import nodes
from headrace.nodes import node_type, registry
from headrace.nodes.base import Node
from headrace.nodes.filter import FilterNode


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    registry.cache_clear()
    yield
    registry.cache_clear()


def added(monkeypatch: pytest.MonkeyPatch, word: str) -> type[Node]:
    """Another package with one node type of this word."""

    class Other(Node):
        """Does something else."""

        category: ClassVar = "TRANSFORM"
        group: ClassVar = "Rows"
        type: Literal["PLACEHOLDER"]

    monkeypatch.setattr(Other, "type_word", lambda: word)
    module = ModuleType("other_package.other")
    Other.__module__ = module.__name__
    module.__dict__["Other"] = Other
    monkeypatch.setitem(nodes.importlib.sys.modules, module.__name__, module)  # type: ignore[attr-defined]  # where imports look
    point = EntryPoint("other", module.__name__, "headrace.nodes")
    monkeypatch.setattr(nodes, "entry_points", lambda group: [point] if group == "headrace.nodes" else [])
    return Other


def test_sources_come_first_and_targets_last_each_by_name() -> None:
    words = list(registry())
    categories = [registry()[word].category for word in words]
    order = ["SOURCE", "TRANSFORM", "TARGET"]
    assert words == sorted(words, key=lambda word: (order.index(registry()[word].category), word))
    assert (categories[0], categories[-1]) == ("SOURCE", "TARGET")
    assert registry()["TRANSFORM_FILTER"] is FilterNode


def test_every_node_type_documents_itself() -> None:
    for word, kind in registry().items():
        spoken = [name for name, field in kind.model_fields.items() if name != "type" and not field.description]
        assert (word, spoken) == (word, [])
        assert kind.__doc__


def test_another_package_adds_its_node_types_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    other = added(monkeypatch, "TRANSFORM_OTHER")
    assert registry()["TRANSFORM_OTHER"] is other


def test_two_packages_can_not_claim_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    added(monkeypatch, "TRANSFORM_FILTER")
    with pytest.raises(
        ValueError, match=r"two node types are named TRANSFORM_FILTER: headrace\.nodes\.filter and other_package\.other"
    ):
        registry()


def test_every_type_is_found_by_its_word_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = dict(registry())
    monkeypatch.setattr(nodes, "registry", dict)
    assert {word: node_type(word) for word in found} == found
    assert node_type("TRANSFORM_NONE") is None


def test_a_type_of_another_package_is_found_by_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    other = added(monkeypatch, "TRANSFORM_OTHER")
    assert node_type("TRANSFORM_OTHER") is other


def test_a_job_loads_only_the_node_types_that_it_names() -> None:
    script = (
        "import sys; from headrace.graph import Graph; Graph.of([{'type': 'TRANSFORM_FILTER'}]);"
        "print(sorted(name for name in sys.modules if name.startswith('headrace.nodes.')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    shared = [f"headrace.nodes.{name}" for name in ("base", "examples", "filter", "wire")]
    assert ast.literal_eval(done.stdout) == shared
