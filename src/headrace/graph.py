"""A job's nodes as one graph: is it sound, and what does it mean.

`Graph.of` reads nodes as they stand on the wire; `problems` lists everything that is wrong, not only the first thing;
`plan` gives the operations. Nothing here touches data.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from headrace.errors import JobInvalid, Problem, StoreDenied
from headrace.nodes import node_type, registry
from headrace.nodes.base import Fault, Node, NodeError, nearest
from headrace.plan.ops import Op, Place, Read, Target, Write, WriteTable
from headrace.plan.prune import prune
from headrace.stores.names import check_bucket, clean_prefix
from headrace.wording import field_problem, kind_of, problem_at

MOST_PROBLEMS = 1_000
MOST_ENTRIES = 50_000
"""How many entries the lists of one node may have in all."""
MOST_DEPTH = 100
"""Through how many nodes a row may go: engines nest a query as deep as the graph is."""

At = TypeVar("At", Read, Write)


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
            if len(problems) > MOST_PROBLEMS:
                break
            read = read_node(item, index)
            if isinstance(read, Node):
                nodes.append(read)
            else:
                problems.extend(read)
        return cls(tuple(nodes), tuple(problems))

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong: fields, structure, meaning. Empty for a job that can run.

        Of very many problems the first are told, and that there are more.
        """
        found = tuple(islice(self._all_problems(), MOST_PROBLEMS + 1))
        if len(found) <= MOST_PROBLEMS:
            return found
        return (*found[:-1], Problem("too-many-problems", f"there are more than these {MOST_PROBLEMS} problems"))

    def _all_problems(self) -> Iterator[Problem]:
        yield from self.unreadable
        yield from self._structure()
        yield from self._meaning[1]
        yield from _overlaps(self._meaning[0].values())

    @property
    def operations(self) -> Mapping[int, Op]:
        """What each node means that has a meaning, by its id."""
        return self._meaning[0]

    @cached_property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed but worth telling."""
        told = [_unknown_fields(node) for node in self.nodes]
        for node in self.nodes:
            parents = [self._meaning[0].get(parent) for parent in node.parent_node_ids]
            if node.id in self._meaning[0]:
                told.append(_told(node, node.warnings(*(p for p in parents if p is not None))))
        return tuple(islice(chain(*told, self._unused(), self._rereads()), MOST_PROBLEMS))

    def plan(self) -> Plan:
        """The job's meaning. Raises JobInvalid with every problem."""
        if self.problems:
            raise JobInvalid(self.problems)
        by_node = self._meaning[0]
        return Plan(tuple(op for op in by_node.values() if isinstance(op, Write | WriteTable)), by_node)

    def _structure(self) -> Iterable[Problem]:
        ids = Counter(node.id for node in self.nodes)
        by_id = {node.id: node for node in self.nodes}
        for node in self.nodes:
            if ids[node.id] > 1:
                yield _problem(
                    node, "id", f"{ids[node.id]} nodes have the id {node.id}", "give each its own", "duplicate-id"
                )
            yield from self._parents(node, by_id)
        if not self.unreadable:
            yield from self._ends()
        if len(ids) == len(self.nodes):
            yield from self._cycles()

    def _parents(self, node: Node, by_id: Mapping[int, Node]) -> Iterable[Problem]:
        least, most = node.arity
        count = len(node.parent_node_ids)
        if count < least or (most is not None and count > most):
            yield _problem(node, "parentNodeIds", _arity(node, count), "", "wrong-parents")
        if len(set(node.parent_node_ids)) < count:
            yield _problem(node, "parentNodeIds", "a parent is named twice", "name each parent once", "wrong-parents")
        for parent in node.parent_node_ids:
            if parent not in by_id:
                if not self.unreadable:
                    known = nearest(str(parent), map(str, by_id))
                    yield _problem(node, "parentNodeIds", f"there is no node {parent}", known, "unknown-parent")
            elif by_id[parent].category == "TARGET":
                message = f"node {parent} ({by_id[parent].name!r}) is a target, which gives no rows"
                yield _problem(node, "parentNodeIds", message, "read from the node before it", "wrong-parents")

    def _ends(self) -> Iterable[Problem]:
        if not self.nodes:
            yield Problem("empty", "the job has no nodes", "begin with a source and a target", field="nodes")
        elif not any(node.category == "TARGET" for node in self.nodes):
            yield Problem("no-target", "the job has no target", "add a node that writes", field="nodes")

    def _cycles(self) -> Iterable[Problem]:
        by_id = {node.id: node for node in self.nodes}
        parents = {node.id: {p for p in node.parent_node_ids if p in by_id} for node in self.nodes}
        settled = _levels(parents)
        for node_id in _on_cycle({node: of for node, of in parents.items() if node not in settled}):
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
        sound = [node for node in self.nodes if ids[node.id] == 1 and _arity_fits(node)]
        levels = _levels({node.id: set(node.parent_node_ids) for node in sound})
        for node in sorted((node for node in sound if node.id in levels), key=lambda node: levels[node.id]):
            if levels[node.id] > MOST_DEPTH:
                message, hint = f"rows come here through more than {MOST_DEPTH} nodes", "put several steps into one"
                problems.append(_problem(node, "parentNodeIds", message, hint, "too-deep"))
                break
            parents = [made.get(parent) for parent in node.parent_node_ids]
            given = [parent for parent in parents if parent is not None and not isinstance(parent, Write | WriteTable)]
            if len(given) == len(parents) and len(problems) < MOST_PROBLEMS:
                try:
                    made[node.id] = node.plan(*given)
                except NodeError as error:
                    problems += _told(node, error.faults)
        return made, (*problems, *_misplaced(made.values()))

    def _unused(self) -> Iterable[Problem]:
        used = {parent for node in self.nodes for parent in node.parent_node_ids}
        for node in self.nodes:
            if node.category != "TARGET" and node.id not in used:
                yield _problem(node, "", "nothing reads this node", "connect it to a target, or remove it", "unused")

    def _rereads(self) -> Iterable[Problem]:
        ops = self._meaning[0].values()
        below = _by_folder(op for op in ops if isinstance(op, Read))
        for write in (op for op in ops if isinstance(op, Write)):
            for read in below[write.place.bucket, write.place.prefix]:
                message = f"{write.place} is also read by node {read.node!r}: a second run reads what the first wrote"
                yield Problem("reads-own-target", message, "", write.node_id, write.node, "prefix")


def read_node(sent: object, index: int) -> Node | tuple[Problem, ...]:
    """The node, or what is wrong with its fields."""
    place = f"nodes[{index}]"
    if not isinstance(sent, dict):
        return (Problem("bad-node", f"should be an object, not {kind_of(sent)}", field=place),)
    node_id, name = sent.get("id"), sent.get("name")
    known_id = node_id if isinstance(node_id, int) and not isinstance(node_id, bool) else None
    word = sent.get("type")
    kind = node_type(word) if isinstance(word, str) else None
    if kind is None:
        shown = kind_of(word).removeprefix("the text ")
        message = "has no type" if word is None else f"{shown} is not a node type"
        hint = nearest(str(word or ""), registry())
        return (problem_at(known_id, name, "type", message, hint, "unknown-node-type", place),)
    entries = _entries(sent)
    if entries > MOST_ENTRIES:
        message, hint = f"its lists have {entries:,} entries", f"at most {MOST_ENTRIES:,} in all"
        return (problem_at(known_id, name, "", message, hint, "too-many-entries", place),)
    try:
        return kind.model_validate(sent)
    except ValidationError as error:
        told = (detail for detail in error.errors() if not _is_echo(detail))
        return tuple(field_problem(detail, known_id, name, place) for detail in islice(told, MOST_PROBLEMS + 1))


def _entries(sent: object) -> int:
    """How many entries the lists in a JSON value have, counted without recursion: it may be nested deeply."""
    count, waiting = 0, [sent]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            count += len(value)
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting.extend(each for each in inner if isinstance(each, dict | list))
    return count


def _is_echo(detail: Any) -> bool:
    """Whether a list is told to be too short only because its entries, which are told too, are wrong."""
    return detail["type"] == "too_short" and bool(detail["input"])


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


def _levels(parents: Mapping[int, Set[int]]) -> dict[int, int]:
    """How many nodes lie before each, on the longest way; nodes on a circle or behind one are left out."""
    levels: dict[int, int] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for node, before in parents.items():
        for parent in before:
            children[parent].append(node)
    missing = {node: len(before) for node, before in parents.items()}
    ready = deque(node for node, count in missing.items() if not count)
    while ready:
        node = ready.popleft()
        levels[node] = max((levels[parent] + 1 for parent in parents[node]), default=0)
        for child in children[node]:
            missing[child] -= 1
            if not missing[child]:
                ready.append(child)
    return levels


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


def _overlaps(ops: Iterable[Op]) -> Iterator[Problem]:
    writes = [op for op in ops if isinstance(op, Write)]
    below = _by_folder(writes)
    first = {write.node_id: index for index, write in enumerate(writes)}
    for write in writes:
        for other in below[write.place.bucket, write.place.prefix]:
            if other is write or (other.place == write.place and first[other.node_id] < first[write.node_id]):
                continue
            later, earlier = sorted((write, other), key=lambda op: first[op.node_id], reverse=True)
            message = f"{later.place} and {earlier.place} of node {earlier.node!r} ({earlier.node_id}) overlap"
            hint = "give each target a prefix of its own"
            yield Problem("targets-overlap", message, hint, later.node_id, later.node, "prefix")


def _by_folder(ops: Iterable[At]) -> Mapping[tuple[str, str], Sequence[At]]:
    """The operations at or below each folder that one of them lies in."""
    found: defaultdict[tuple[str, str], list[At]] = defaultdict(list)
    for op in ops:
        prefix = op.place.prefix
        above: list[str] = [prefix[:index] for index, sign in enumerate(prefix) if sign == "/" and index]
        for folder in dict.fromkeys(["", *above, prefix]):
            found[op.place.bucket, folder].append(op)
    return found


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
