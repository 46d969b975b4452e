"""A job's nodes as one graph: is it sound, and what does it mean.

`Graph.of` reads nodes as they stand on the wire; `problems` lists everything that is wrong, not only the first thing;
`plan` gives the operations. Nothing here touches data.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError

from headrace.errors import JobInvalid, Problem, StoreDenied
from headrace.nodes import node_type, registry
from headrace.nodes.base import Fault, Node, NodeError, nearest
from headrace.plan.ops import Op, Place, Read, Target, Write, WriteTable
from headrace.plan.prune import prune
from headrace.stores.names import check_bucket, clean_prefix


@dataclass(frozen=True)
class Plan:
    """What a job means: its sinks, and the operation of each node, by node id."""

    sinks: tuple[Target, ...]
    by_node: Mapping[int, Op]

    @cached_property
    def pruned(self) -> tuple[Target, ...]:
        """The sinks over only those columns that they need."""
        return prune(self.sinks)


@dataclass(frozen=True)
class Graph:
    """The nodes that could be read, and what was wrong with the others."""

    nodes: tuple[Node, ...]
    unreadable: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, sent: Sequence[object]) -> "Graph":
        """A graph from nodes as JSON has them."""
        nodes: list[Node] = []
        problems: list[Problem] = []
        for index, item in enumerate(sent):
            read = read_node(item, index)
            if isinstance(read, Node):
                nodes.append(read)
            else:
                problems.extend(read)
        return cls(tuple(nodes), tuple(problems))

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong: fields, structure, meaning. Empty for a job that can run."""
        structure = tuple(self._structure())
        return (*self.unreadable, *structure, *self._meaning[1])

    @cached_property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed but worth telling."""
        told = [_unknown_fields(node) for node in self.nodes]
        for node in self.nodes:
            parents = [self._meaning[0].get(parent) for parent in node.parent_node_ids]
            if node.id in self._meaning[0]:
                told.append(_told(node, node.warnings(*(p for p in parents if p is not None))))
        return (*(problem for group in told for problem in group), *self._unused(), *self._rereads())

    def plan(self) -> Plan:
        """The job's meaning. Raises JobInvalid with every problem."""
        if self.problems:
            raise JobInvalid(self.problems)
        by_node = self._meaning[0]
        return Plan(tuple(op for op in by_node.values() if isinstance(op, Write | WriteTable)), by_node)

    def _structure(self) -> Iterable[Problem]:
        ids = Counter(node.id for node in self.nodes)
        for node in self.nodes:
            if ids[node.id] > 1:
                yield _problem(
                    node, "id", f"{ids[node.id]} nodes have the id {node.id}", "give each its own", "duplicate-id"
                )
            yield from self._parents(node, ids)
        if not self.unreadable:
            yield from self._ends()
        if len(ids) == len(self.nodes):
            yield from self._cycles()

    def _parents(self, node: Node, ids: Mapping[int, int]) -> Iterable[Problem]:
        least, most = node.arity
        count = len(node.parent_node_ids)
        if count < least or (most is not None and count > most):
            yield _problem(node, "parentNodeIds", _arity(node, count), "", "wrong-parents")
        if len(set(node.parent_node_ids)) < count:
            yield _problem(node, "parentNodeIds", "a parent is named twice", "name each parent once", "wrong-parents")
        categories = {other.id: other for other in self.nodes}
        for parent in node.parent_node_ids:
            if parent not in ids:
                if not self.unreadable:
                    known = nearest(str(parent), map(str, ids))
                    yield _problem(node, "parentNodeIds", f"there is no node {parent}", known, "unknown-parent")
            elif categories[parent].category == "TARGET":
                message = f"node {parent} ({categories[parent].name!r}) is a target, which gives no rows"
                yield _problem(node, "parentNodeIds", message, "read from the node before it", "wrong-parents")

    def _ends(self) -> Iterable[Problem]:
        if not self.nodes:
            yield Problem("empty", "the job has no nodes", "begin with a source and a target", field="nodes")
        elif not any(node.category == "TARGET" for node in self.nodes):
            yield Problem("no-target", "the job has no target", "add a node that writes", field="nodes")

    def _cycles(self) -> Iterable[Problem]:
        waiting = {node.id: set(node.parent_node_ids) for node in self.nodes}
        waiting = {node: {p for p in parents if p in waiting} for node, parents in waiting.items()}
        while free := [node for node, parents in waiting.items() if not parents]:
            for node in free:
                del waiting[node]
            for parents in waiting.values():
                parents.difference_update(free)
        by_id = {node.id: node for node in self.nodes}
        for node_id in _on_cycle(waiting):
            it = by_id[node_id]
            alone = node_id in it.parent_node_ids
            message = "this node is its own parent" if alone else "this node reads its own rows, by way of others"
            yield _problem(it, "parentNodeIds", message, "break the circle", "cycle")

    @cached_property
    def _meaning(self) -> tuple[dict[int, Op], tuple[Problem, ...]]:
        """The operations of all nodes that have one, and the faults of those that do not for reasons of their own."""
        made: dict[int, Op] = {}
        problems: list[Problem] = []
        ids = Counter(node.id for node in self.nodes)
        waiting = [node for node in self.nodes if ids[node.id] == 1 and _arity_fits(node)]
        while ready := [node for node in waiting if all(parent in made for parent in node.parent_node_ids)]:
            for node in ready:
                waiting.remove(node)
                parents = [made[parent] for parent in node.parent_node_ids]
                if any(isinstance(parent, Write | WriteTable) for parent in parents):
                    continue
                try:
                    made[node.id] = node.plan(*parents)
                except NodeError as error:
                    problems += _told(node, error.faults)
        problems += [*_misplaced(made.values()), *_overlaps(made.values())]
        return made, tuple(problems)

    def _unused(self) -> Iterable[Problem]:
        used = {parent for node in self.nodes for parent in node.parent_node_ids}
        for node in self.nodes:
            if node.category != "TARGET" and node.id not in used:
                yield _problem(node, "", "nothing reads this node", "connect it to a target, or remove it", "unused")

    def _rereads(self) -> Iterable[Problem]:
        ops = self._meaning[0].values()
        for write in (op for op in ops if isinstance(op, Write)):
            for read in (op for op in ops if isinstance(op, Read)):
                if _within(read.place.bucket, read.place.prefix, write.place.bucket, write.place.prefix):
                    message = (
                        f"{write.place} is also read by node {read.node!r}: a second run reads what the first wrote"
                    )
                    yield Problem("reads-own-target", message, "", write.node_id, write.node, "prefix")


def read_node(sent: object, index: int) -> Node | tuple[Problem, ...]:
    """The node, or what is wrong with its fields."""
    place = f"nodes[{index}]"
    if not isinstance(sent, dict):
        return (Problem("bad-node", f"is {_json_kind(sent)}, not an object", field=place),)
    node_id, name = sent.get("id"), sent.get("name")
    known_id = node_id if isinstance(node_id, int) and not isinstance(node_id, bool) else None
    word = sent.get("type")
    kind = node_type(word) if isinstance(word, str) else None
    if kind is None:
        message = "has no type" if word is None else f"{word!r} is not a node type"
        hint = nearest(str(word or ""), registry())
        return (_problem_at(known_id, name, "type", message, hint, "unknown-node-type", place),)
    try:
        return kind.model_validate(sent)
    except ValidationError as error:
        return tuple(field_problem(detail, known_id, name, place) for detail in error.errors() if not _is_echo(detail))


def _is_echo(detail: Any) -> bool:
    """Whether a list is told to be too short only because its entries, which are told too, are wrong."""
    return detail["type"] == "too_short" and bool(detail["input"])


def field_problem(detail: Any, node_id: int | None, name: object, place: str) -> Problem:
    """A Pydantic error in our words, with its path; `place` is where an object without an id stands."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    message, hint = str(detail["msg"]).removeprefix("Value error, "), ""
    if detail["type"] == "missing":
        message = "is missing"
    elif detail["type"] == "literal_error":
        message, hint = f"{detail['input']!r} is not allowed", f"one of {detail['ctx']['expected']}"
    elif detail["type"] == "too_short":
        message, hint = "is empty", "it needs at least one entry"
    elif detail["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:].replace('tuple', 'list')}, not {_json_kind(detail['input'])}"
    return _problem_at(node_id, name, path, message, hint, "bad-field", place)


def _problem_at(
    node_id: int | None, name: object, field: str, message: str, hint: str, code: str, place: str
) -> Problem:
    if node_id is None:
        return Problem(code, message, hint, field=f"{place}.{field}" if place and field else place or field)
    return Problem(code, message, hint, node_id, name if isinstance(name, str) else "", field)


def _json_kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {value[:40]!r}"
        case list() | tuple():
            return "an empty list" if not value else "a list"
        case _:
            return "an object"


def _problem(node: Node, field: str, message: str, hint: str, code: str) -> Problem:
    return Problem(code, message, hint, node.id, node.name, field)


def _told(node: Node, faults: Iterable[Fault]) -> list[Problem]:
    return [_problem(node, fault.field, fault.message, fault.hint, fault.code) for fault in faults]


def _arity_fits(node: Node) -> bool:
    least, most = node.arity
    count = len(node.parent_node_ids)
    return least <= count <= (count if most is None else most) and len(set(node.parent_node_ids)) == count


def _arity(node: Node, count: int) -> str:
    least, most = node.arity
    if most == 0:
        return f"a source has no parents, and this one has {count}"
    wanted = f"at least {least}" if most is None else f"{least}"
    return f"{node.type} has {wanted} parent{'s' if least > 1 else ''}, and this one has {count}"


def _on_cycle(waiting: dict[int, set[int]]) -> list[int]:
    """The nodes of the circles alone, without those that only come after one."""
    children: dict[int, int] = Counter(parent for parents in waiting.values() for parent in parents)
    while last := [node for node in waiting if not children[node]]:
        for node in last:
            for parent in waiting.pop(node):
                children[parent] -= 1
    return list(waiting)


def _misplaced(ops: Iterable[Op]) -> list[Problem]:
    """Buckets and prefixes whose names can't be."""
    found = []
    for op in ops:
        if isinstance(op, Read | Write):
            for field, check in (("bucketName", _check_bucket), ("prefix", _check_prefix)):
                try:
                    check(op.place)
                except StoreDenied as error:
                    found.append(Problem("bad-name", error.message, error.hint, op.node_id, op.node, field))
    return found


def _check_bucket(place: Place) -> None:
    check_bucket(place.bucket)


def _check_prefix(place: Place) -> None:
    clean_prefix(Place("any-bucket", place.prefix))


def _overlaps(ops: Iterable[Op]) -> list[Problem]:
    writes = [op for op in ops if isinstance(op, Write)]
    found = []
    for index, write in enumerate(writes):
        for other in writes[:index]:
            a, b = write.place, other.place
            if _within(a.bucket, a.prefix, b.bucket, b.prefix) or _within(b.bucket, b.prefix, a.bucket, a.prefix):
                message = f"{a} and {b} of node {other.node!r} ({other.node_id}) overlap"
                hint = "give each target a prefix of its own"
                found.append(Problem("targets-overlap", message, hint, write.node_id, write.node, "prefix"))
    return found


def _within(bucket: str, prefix: str, other_bucket: str, other: str) -> bool:
    return bucket == other_bucket and (not other or prefix == other or prefix.startswith(other + "/"))


def _unknown_fields(node: Node) -> list[Problem]:
    return [
        _problem(node, path, "is not a field that we know; it is kept and has no effect", hint, "unknown-field")
        for path, hint in unknown_fields(node)
    ]


def unknown_fields(model: BaseModel, path: str = "") -> list[tuple[str, str]]:
    """The path of each field that the model does not know, with a hint at what may have been meant."""
    known = [info.alias or name for name, info in type(model).model_fields.items()]
    found = [(f"{path}{name}", nearest(name, known)) for name in model.model_extra or ()]
    for name, info in type(model).model_fields.items():
        value, place = getattr(model, name), f"{path}{info.alias or name}"
        if isinstance(value, BaseModel):
            found += unknown_fields(value, f"{place}.")
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    found += unknown_fields(item, f"{place}[{index}].")
    return found
