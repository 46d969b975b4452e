"""A node graph of NAVER's dialect as the body of a job: tables of the warehouse as sources, and one end.

The graph has the checks of any job, and no target: what its end gives is written to the table that the job fills.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headrace.errors import BadParameter, Problem
from headrace.graph import Graph
from headrace.plan.ops import Op

Json = dict[str, Any]
TableReader = Callable[[str, str], Json]
"""The node that reads a table, of its schema and the place where that was sent. Raises BadParameter."""
_OF_TABLE = ("database", "table", "schemaVersion")


@dataclass(frozen=True, slots=True)
class Wired:
    """Nodes that fit together, what each means, and the id of the one that no other reads."""

    nodes: tuple[Any, ...]
    operations: Mapping[int, Op]
    end: int


def wired(sent: Sequence[object], read_table: TableReader, *, place: str) -> Wired:
    """The graph of the nodes at that place. Raises BadParameter with all that is wrong, each at its place."""
    problems: list[Problem] = []
    nodes = tuple(_node(node, f"{place}[{index}]", read_table, problems) for index, node in enumerate(sent))
    graph = Graph.of(nodes)
    if not problems:
        unknown = (warning for warning in graph.warnings if warning.code == "unknown-field")
        found = (*(each for each in graph.problems if each.code != "no-target"), *unknown)
        problems = [*dict.fromkeys(placed(each, nodes, place) for each in found)]
    if not problems:
        problems = [*_ends(graph, place)]
    if problems:
        raise BadParameter(problems)
    return Wired(nodes, graph.operations, _last(graph)[0])


def placed(problem: Problem, nodes: Sequence[object], place: str) -> Problem:
    """A problem of the graph, at its place in what was sent."""
    if problem.node_id is None:
        return replace(problem, field=place + problem.field.removeprefix("nodes"))
    ids = [node.get("id") if isinstance(node, Mapping) else None for node in nodes]
    index = ids.index(problem.node_id)
    field = f"{place}[{index}].{problem.field}" if problem.field else f"{place}[{index}]"
    return replace(problem, field=field, node_id=None, node="")


def _node(node: object, where: str, read_table: TableReader, problems: list[Problem]) -> object:
    """The node as it runs: a table of the catalogue is read from the warehouse."""
    if not isinstance(node, dict):
        return node
    kind = node.get("type")
    if isinstance(kind, str) and kind.startswith("TARGET_"):
        hint = "leave it out: its parent's rows are written to `destination`"
        problems.append(Problem("target", "a target among the nodes", hint, field=f"{where}.type"))
    if kind != "SOURCE_CATALOG":
        return node
    names = [node.get(name) for name in _OF_TABLE[:2]]
    for name, value in zip(_OF_TABLE, names, strict=False):
        if not isinstance(value, str) or not value:
            problems.append(Problem("missing", "is needed: a text", field=f"{where}.{name}"))
            return node
    try:
        read = read_table(".".join(map(str, names)), f"{where}.table")
    except BadParameter as error:
        problems.extend(error.problems)
        return node
    return {**read, **{name: value for name, value in node.items() if name not in (*_OF_TABLE, "type")}}


def _ends(graph: Graph, place: str) -> Iterator[Problem]:
    last = _last(graph)
    if len(last) != 1:
        shown = ", ".join(map(str, last[:20]))
        told = f"no other node reads the nodes {shown}"
        yield Problem("ends", told, "one node has to be the end, whose rows are written", field=place)


def _last(graph: Graph) -> list[int]:
    read = {parent for node in graph.nodes for parent in node.parent_node_ids}
    return [node.id for node in graph.nodes if node.id not in read]
